#include "apps/argo/run.hpp"
#include "apps/creds/helper_program.hpp"
#include "apps/creds/run.hpp"
#include "apps/executor/run.hpp"
#include "apps/shared/name_service.hpp"
#include "apps/shared/signals.hpp"
#include "apps/shared/streams.hpp"
#include "apps/warmer/run.hpp"
#include "util/crypto.hpp"

#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

namespace {

// One static program under several names: a second one would double the image.
int run(const std::vector<std::string>& words, cairn::StandardStreams streams) {
  const std::string_view path = words.empty() ? std::string_view() : words.front();
  const std::vector<std::string> arguments(words.begin() + (words.empty() ? 0 : 1), words.end());
  const auto environment = cairn::ProcessEnvironment::current();
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

} // namespace

int main(int argc, char** argv) {
  const cairn::StandardStreams streams{cairn::FdRef(STDOUT_FILENO), cairn::FdRef(STDERR_FILENO)};
  try {
    cairn::ignore_write_signals();
    cairn::fix_name_service();
    cairn::ignore_crypto_settings();
    return run({argv, argv + argc}, streams);
  } catch (...) {
    return cairn::print_exception(streams.err);
  }
}
