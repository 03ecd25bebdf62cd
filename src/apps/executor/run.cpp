#include "apps/executor/run.hpp"

#include "apps/executor/cancellation.hpp"
#include "apps/executor/command.hpp"
#include "apps/executor/paths.hpp"
#include "apps/executor/services.hpp"
#include "apps/shared/signals.hpp"
#include "run/ladder.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <filesystem>
#include <span>
#include <string_view>

namespace cairn {

namespace {

void print(FdRef to, std::string_view text) {
  write_all(to, std::as_bytes(std::span(text)));
}

/// What others said may be in a message: only the lines of the detail are lines.
int print_error(FdRef to, const Error& error) {
  auto text = "error: " + printable(error.what()) + "\n";
  if (!error.detail().empty())
    for (const auto& line : split(error.detail(), '\n'))
      text += printable(line) + "\n";
  print(to, text);
  return error.exit_status();
}

/// Finds the rung to stand on and says why it is not a better one.
Ladder climb(const BuildCommand& command, const ProcessEnvironment& environment,
             Progress& progress) {
  const auto& execution = command.build.execution;
  make_directories(execution.work_directory);
  auto ladder = probe(
      {execution.isolation, execution.work_directory, execution.force, environment.entries()});
  for (const auto& line : ladder.explanation())
    progress.info("not possible: {}", line);
  progress.info("commands run {}", rung_name(ladder.rung));
  if (ladder.rung == Rung::inplace && command.container_root.any())
    throw Error("--cleanup, --pre-cleanup and --preserve-context: not supported yet where commands "
                "run in place");
  return ladder;
}

void build(const BuildCommand& command, const ProcessEnvironment& environment, Progress& progress,
           Cancellation& cancellation) {
  for (const auto& warning : command.warnings)
    progress.warn("{}", warning);
  Services services(command.registry, environment, progress, cancellation.flag());
  const auto& output = command.build.output;
  if (output.push == PushImage::yes && command.registry.push_check == PushCheck::before_build)
    check_destinations(services.registry(), output.destinations);
  const auto ladder = climb(command, environment, progress);
  const auto runner =
      make_runner(ladder, {.work_directory = command.build.execution.work_directory});
  const auto attachment = cancellation.attach(*runner);
  const auto options = anchor_outputs(command.build, std::filesystem::current_path().string());
  throw Error("building is not part of this version");
}

int run_build(const BuildCommand& command, const ProcessEnvironment& environment, FdRef err) {
  const auto log = make_log(command.log, err);
  Cancellation cancellation;
  const SignalWatch signals([&](int signal) {
    log->log(Level::warn, fmt::format("signal {}: ending the build", signal));
    cancellation.cancel(signal);
  });
  try {
    build(command, environment, *log, cancellation);
    return 0;
  } catch (const Error& error) {
    return signals.exit_status(print_error(err, error));
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
  try {
    const auto command = parse_executor(arguments, environment);
    return std::visit(
        Overloaded{[&](const BuildCommand& c) { return run_build(c, environment, streams.err); },
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
