#include "apps/executor/run.hpp"

#include "apps/executor/cancellation.hpp"
#include "apps/executor/command.hpp"
#include "apps/executor/paths.hpp"
#include "apps/shared/name_service.hpp"
#include "apps/shared/network.hpp"
#include "apps/shared/signals.hpp"
#include "apps/shared/streams.hpp"
#include "build/build.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <filesystem>

namespace cairn {

namespace {

/// Where the program was started; "/" when that is gone.
std::string start_directory() {
  std::error_code error;
  const auto path = std::filesystem::current_path(error);
  return error ? "/" : path.string();
}

/// What is found ends the program with an error only where a build would end with one too.
int check(const BuildCommand& command, const BuildServices& services, FdRef out) {
  const auto report = check_build(command.build, services);
  print(out, command.check == CheckFormat::json ? check_json(report) : check_text(report));
  if (report.error)
    std::rethrow_exception(report.error->error);
  return 0;
}

int build(const BuildCommand& command, const BuildServices& services, FdRef out) {
  for (const auto& warning : command.warnings)
    services.progress.warn("{}", warning);
  if (command.check)
    return check(command, services, out);
  const auto options = anchor_outputs(command.build, start_directory());
  if (command.dry_run == DryRun::yes) {
    print(out, dry_run(options, services));
    return 0;
  }
  if (options.output.push == PushImage::yes &&
      command.registry.push_check == PushCheck::before_work)
    check_destinations(services.registry, options.output.destinations);
  build_image(options, services);
  return 0;
}

int run_build(const BuildCommand& command, const ProcessEnvironment& environment,
              StandardStreams streams) {
  const auto log = make_log(command.log, streams.err);
  Cancellation cancellation;
  const SignalWatch signals([&](int signal) {
    log->log(Level::warn, fmt::format("signal {}: ending the build", signal));
    cancellation.cancel(signal);
  });
  try {
    Network network(command.registry, environment, *log, cancellation.flag());
    return build(command,
                 {.registry = network.registry(),
                  .mirrors = command.registry.mirrors,
                  .http = network.http(),
                  .retry = network.retry(),
                  .progress = *log,
                  .environment = environment.entries(),
                  .cancel = cancellation.flag(),
                  .on_runner = [&](Runner* runner) { cancellation.watch(runner); }},
                 streams.out);
  } catch (const Error& error) {
    return signals.exit_status(print_error(streams.err, error));
  }
}

template<class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template<class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

} // namespace

int run_executor(const std::vector<std::string>& arguments, const ProcessEnvironment& environment,
                 StandardStreams streams) {
  ignore_broken_pipes();
  fix_name_service();
  ignore_crypto_settings();
  try {
    const auto command = parse_executor(arguments, environment);
    return std::visit(
        Overloaded{[&](const BuildCommand& c) { return run_build(c, environment, streams); },
                   [&](const VersionCommand&) {
                     print(streams.out, "Cairn version :  v" CAIRN_VERSION "\n");
                     return 0;
                   },
                   [&](const HelpCommand& help) {
                     print(streams.out, help.text);
                     return 0;
                   }},
        command);
  } catch (const Error& error) {
    return print_error(streams.err, error);
  }
}

} // namespace cairn
