#include "run/supervised/supervised_process.hpp"

#include "run/process/handshake.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

void submit_to_filter(int socket, std::span<const sock_filter> filter, StoppedWait wait) noexcept {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    give_up(socket, SetupStep::filter_calls, errno);
  const int listener = install_call_filter(filter, wait);
  if (listener < 0)
    give_up(socket, SetupStep::filter_calls, -listener);
  send_descriptor(socket, listener);
  ::close(listener);
}

} // namespace cairn
