#include "apps/creds/actions.hpp"
#include "apps/shared/network.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

/// The environment in which `directory` is Docker's folder.
Variables with_directory(const Variables& environment, const std::string& directory) {
  if (directory.empty())
    return environment;
  std::vector<std::string> entries{"DOCKER_CONFIG=" + directory};
  entries.insert(entries.end(), environment.entries().begin(), environment.entries().end());
  return Variables(std::move(entries));
}

std::string prove(Network& network, const ImageRef& image, CheckDepth depth) {
  const auto credential = prove_access(network, image, depth);
  if (!credential)
    return "no credential, and none is needed";
  auto who = credential->username.empty() ? std::string("logged in")
                                          : "user \"" + printable(credential->username) + "\"";
  return who + " with " + credential->describe();
}

} // namespace

int check(const CheckCommand& command, const ProcessEnvironment& process, StandardStreams streams,
          const std::atomic<bool>& cancel) {
  const auto log = make_log(command.log, streams.err);
  const auto environment = with_directory(process, command.directory);
  Network network(command.registry, environment, *log, cancel);
  int status = 0;
  for (const auto& image : command.destinations) {
    try {
      print(streams.out,
            fmt::format("{}: {}\n", image.name(), prove(network, image, command.depth)));
    } catch (const Error& error) {
      const int failed = print_error(streams.err, error);
      // What trying again cannot mend decides.
      if (status == 0 || failed != TemporaryError("").exit_status())
        status = failed;
    }
  }
  return status;
}

} // namespace cairn
