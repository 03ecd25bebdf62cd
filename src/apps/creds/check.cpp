#include "apps/creds/actions.hpp"
#include "apps/shared/http_settings.hpp"
#include "registry/client.hpp"
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

/// Where no credential is needed, that is true only if a push is let begin without one: registries
/// also hand anonymous callers a token.
std::string prove(RegistryClient& registry, Keychain& keychain, const ImageRef& image,
                  CheckDepth depth) {
  const auto credential = keychain.find(image);
  if (credential)
    registry.check_login(image);
  if (!credential || depth == CheckDepth::push)
    registry.check_push(image);
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
  const auto http = make_http(http_options(environment, cancel));
  const CloudAccess clouds(*http, environment, cancel);
  const auto keychain = make_program_keychain(command.helpers, {clouds, environment, *log, cancel});
  RegistryServices services{*http, *keychain, *log};
  services.cancel = &cancel;
  RegistryClient registry(services, command.registry);
  int status = 0;
  for (const auto& image : command.destinations) {
    try {
      print(streams.out, fmt::format("{}: {}\n", image.name(),
                                     prove(registry, *keychain, image, command.depth)));
    } catch (const Cancelled&) {
      throw;
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
