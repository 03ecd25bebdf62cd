#include "apps/argo/run.hpp"
#include "apps/creds/helper_program.hpp"
#include "apps/creds/run.hpp"
#include "apps/executor/run.hpp"
#include "apps/shared/name_service.hpp"
#include "apps/shared/signals.hpp"
#include "apps/warmer/run.hpp"
#include "util/crypto.hpp"

#include <unistd.h>

#include <string_view>

// One static program under several names: a second one would double the image.
int main(int argc, char** argv) {
  cairn::ignore_broken_pipes();
  cairn::fix_name_service();
  cairn::ignore_crypto_settings();
  const cairn::StandardStreams streams{cairn::FdRef(STDOUT_FILENO), cairn::FdRef(STDERR_FILENO)};
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto environment = cairn::ProcessEnvironment::current();
  const std::string_view path = argc > 0 ? argv[0] : "";
  const auto name = path.substr(path.rfind('/') + 1);
  if (name == "cairn-argo-plugin")
    return cairn::run_argo_plugin(arguments, environment, streams);
  if (name == "cairn-creds")
    return cairn::run_creds(arguments, environment, streams);
  if (name == "warmer")
    return cairn::run_warmer(arguments, environment, streams);
  if (name.starts_with("docker-credential-"))
    return cairn::run_credential_helper(name, arguments, environment, streams);
  return cairn::run_executor(arguments, environment, streams);
}
