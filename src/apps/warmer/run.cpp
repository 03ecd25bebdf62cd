#include "apps/warmer/run.hpp"

#include "apps/shared/network.hpp"
#include "apps/shared/signals.hpp"
#include "apps/warmer/parse_command.hpp"
#include "builder/outputs/reports.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/rooted_path.hpp"

#include <unistd.h>

#include <filesystem>

namespace cairn {

namespace {

constexpr std::uint64_t max_list = std::uint64_t{4} << 20;

std::string absolute(const std::string& path) {
  std::error_code error;
  const auto here = std::filesystem::current_path(error);
  return join_path(error ? "/" : here.string(), path);
}

void add_list(WarmCommand& command) {
  if (command.list.empty())
    return;
  const bool is_stdin = command.list == "-";
  const auto text = within(
      [&] {
        return is_stdin ? read_file(FdRef(STDIN_FILENO), max_list)
                        : read_file(current_directory(), command.list, max_list);
      },
      "--list");
  for (auto& image : parse_image_list(text, is_stdin ? "stdin" : command.list))
    command.request.images.push_back(std::move(image));
}

/// Says what failed. The exit status.
int conclude(const WarmReport& report, const WarmCommand& command, StandardStreams streams) {
  if (command.report == "-")
    print(streams.out, report.json());
  else if (!command.report.empty())
    write_report_file(absolute(command.report), report.json());
  for (const auto& failure : report.failures()) {
    Error error("{}", failure.text);
    if (!failure.detail.empty())
      error.add_detail(failure.detail);
    print_error(streams.err, error);
  }
  return command.failures == WarmFailures::allow ? 0 : report.exit_status();
}

int run_warming(WarmCommand command, const ProcessEnvironment& environment,
                StandardStreams streams) {
  const auto log = make_log(command.log, streams.err);
  std::atomic<bool> cancel = false;
  const SignalWatch signals([&](int signal) {
    log->warn("signal {}: ending", signal);
    cancel = true;
  });
  try {
    for (const auto& warning : command.warnings)
      log->warn("{}", warning);
    add_list(command);
    command.request.directory = absolute(command.request.directory);
    Network network(command.registry, environment, *log, cancel);
    const auto report = warm(command.request, {.registry = network.registry(),
                                               .mirrors = command.registry.mirrors,
                                               .http = network.http(),
                                               .retry = network.retry(),
                                               .progress = *log,
                                               .cancel = cancel});
    return signals.exit_status(conclude(report, command, streams));
  } catch (...) {
    return signals.exit_status(print_exception(streams.err));
  }
}

} // namespace

int run_warmer(const std::vector<std::string>& arguments, const ProcessEnvironment& environment,
               StandardStreams streams) {
  try {
    auto command = parse_warmer(arguments, environment);
    if (const auto* text = std::get_if<TextCommand>(&command)) {
      print(streams.out, text->text);
      return 0;
    }
    return run_warming(std::get<WarmCommand>(std::move(command)), environment, streams);
  } catch (...) {
    return print_exception(streams.err);
  }
}

} // namespace cairn
