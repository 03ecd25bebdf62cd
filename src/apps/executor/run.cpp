#include "apps/executor/run.hpp"

#include "apps/executor/cancellation.hpp"
#include "apps/executor/image_actions.hpp"
#include "apps/executor/parse_command.hpp"
#include "apps/executor/paths.hpp"
#include "apps/shared/help.hpp"
#include "apps/shared/network.hpp"
#include "apps/shared/signals.hpp"
#include "apps/shared/streams.hpp"
#include "apps/shared/trace_file.hpp"
#include "builder/build.hpp"
#include "builder/images/base_volumes.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <filesystem>
#include <optional>

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

/// Helpers are asked for what is needed at the end while they are what they were: commands of a
/// build in place may change them, and what they said is remembered.
void ask_helpers(Keychain& keychain, const BuildOptions& options) {
  auto needed = options.output.destinations;
  if (options.cache.repository && options.cache.repository->reference)
    needed.push_back(*options.cache.repository->reference);
  for (const auto& place : options.cache_mounts.export_to)
    if (place.reference)
      needed.push_back(*place.reference);
  for (const auto& image : needed)
    static_cast<void>(keychain.find(image));
}

int build(const BuildCommand& command, const BuildServices& services, Keychain& keychain,
          FdRef out) {
  for (const auto& warning : command.warnings)
    services.progress.warn("{}", warning);
  if (command.check)
    return check(command, services, out);
  const auto options = anchor_paths(command.build, start_directory());
  if (command.dry_run == DryRun::yes) {
    print(out, dry_run(options, services));
    return 0;
  }
  if (options.output.push == PushImage::yes &&
      command.registry.push_check == PushCheck::before_work)
    check_destinations(services.registry, options.output.destinations);
  if (options.output.push == PushImage::yes)
    ask_helpers(keychain, options);
  check_base_volumes(options.execution.base_volumes);
  build_image(options, services);
  return 0;
}

/// Runs `work` with a log and with signals that end it.
template<class Work>
int supervised(const LogOptions& options, StandardStreams streams, Work&& work) {
  const auto log = make_log(options, streams.err);
  Cancellation cancellation;
  const SignalWatch signals([&](int signal) {
    log->warn("signal {}: ending the work", signal);
    cancellation.cancel(signal);
  });
  try {
    return work(*log, cancellation);
  } catch (...) {
    return signals.exit_status(print_exception(streams.err));
  }
}

class ExecutorProgram {
public:
  ExecutorProgram(const ProcessEnvironment& environment, StandardStreams streams)
      : environment_(environment), streams_(streams) {}

  int operator()(const BuildCommand& command) const {
    return supervised(command.log, streams_, [&](Progress& plain, Cancellation& cancellation) {
      std::optional<TraceFile> trace;
      if (!command.trace_file.empty())
        within([&] { trace.emplace(command.trace_file, plain); }, "--trace-file");
      auto& log = trace ? static_cast<Progress&>(*trace) : plain;
      Network network(command.registry, environment_, log, cancellation.flag());
      return build(command,
                   {.registry = network.registry(),
                    .publisher = network.publisher(),
                    .mirrors = command.registry.mirrors,
                    .http = network.http(),
                    .retry = network.retry(),
                    .progress = log,
                    .environment = environment_.entries(),
                    .cancel = cancellation.flag(),
                    .on_runner = [&](Runner* runner) { cancellation.watch(runner); }},
                   network.keychain(), streams_.out);
    });
  }
  int operator()(const PushCommand& command) const {
    return supervised(command.settings.log, streams_,
                      [&](Progress& log, const Cancellation& cancellation) {
                        push_saved_image(command, {environment_, log, cancellation.flag()});
                        return 0;
                      });
  }
  int operator()(const IndexCommand& command) const {
    return supervised(command.settings.log, streams_,
                      [&](Progress& log, const Cancellation& cancellation) {
                        push_index(command, {environment_, log, cancellation.flag()});
                        return 0;
                      });
  }
  int operator()(const LoginCommand& command) const {
    run_login(command, environment_, *make_log(command.log, streams_.err));
    return 0;
  }
  int operator()(const VersionCommand&) const {
    print(streams_.out, version_text());
    return 0;
  }
  int operator()(const HelpCommand& help) const {
    print(streams_.out, help.text);
    return 0;
  }

private:
  const ProcessEnvironment& environment_;
  StandardStreams streams_;
};

} // namespace

int run_executor(const std::vector<std::string>& arguments, const ProcessEnvironment& environment,
                 StandardStreams streams) {
  try {
    return std::visit(ExecutorProgram(environment, streams),
                      parse_executor(arguments, environment));
  } catch (...) {
    return print_exception(streams.err);
  }
}

} // namespace cairn
