/* What libgit2 asks of the transports that are not compiled: without one that its caller brings, no
 * repository can be reached, neither on the network nor on this machine. */
#include "common.h"

#include "git2/sys/transport.h"
#include "streams/mbedtls.h"
#include "streams/openssl.h"
#include "streams/registry.h"
#include "streams/socket.h"
#include "transports/http.h"
#include "transports/ssh_libssh2.h"

int git_socket_stream__connect_timeout = 0;
int git_socket_stream__timeout = 0;
bool git_http__expect_continue = false;

int git_socket_stream_global_init(void) { return 0; }
int git_openssl_stream_global_init(void) { return 0; }
int git_mbedtls_stream_global_init(void) { return 0; }
int git_stream_registry_global_init(void) { return 0; }
int git_transport_ssh_libssh2_global_init(void) { return 0; }

int git_transport_new(git_transport **out, git_remote *owner, const char *url)
{
	GIT_UNUSED(owner);
	*out = NULL;
	git_error_set(GIT_ERROR_NET, "unsupported URL protocol: '%s'", url);
	return -1;
}
