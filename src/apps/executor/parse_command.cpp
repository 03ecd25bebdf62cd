#include "apps/executor/parse_command.hpp"

#include "apps/executor/flag_table.hpp"
#include "apps/executor/named_paths.hpp"
#include "apps/executor/resolve_options.hpp"
#include "apps/shared/help.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

std::string help_text() {
  return "Cairn builds container images from a Dockerfile.\n"
         "\n"
         "Usage:\n"
         "  executor [flags]\n"
         "  executor push PATH [flags]\n"
         "  executor index IMAGE... [flags]\n"
         "  executor login REGISTRY [flags]\n"
         "  executor version\n"
         "  executor help\n"
         "\n"
         "A multi-arg may be given several times, or at once: --build-args A=1 B=2.\n" +
         flag_help(specs_of(executor_flags()));
}

/// Commands that only print have no flags, so that it does not matter where they are.
std::optional<ExecutorCommand> find_telling(const std::string& word) {
  if (word == "version")
    return VersionCommand{};
  if (word == "help")
    return HelpCommand{help_text()};
  return std::nullopt;
}

[[noreturn]] void refuse_word(const std::string& word) {
  for (const std::string_view command : {"push", "index", "login"})
    if (word == command)
      throw Error("{}: a command comes before its flags", word);
  throw with_hint(Error("unknown command \"{}\" for \"executor\"", word),
                  "a boolean flag takes its value after '=', as in --cache=false");
}

template<class Command>
ExecutorCommand widen(std::variant<Command, HelpCommand> parsed) {
  return std::visit([](auto& command) { return ExecutorCommand(std::move(command)); }, parsed);
}

ExecutorCommand parse_word(const std::string& word, const std::vector<std::string>& rest,
                           const ProcessEnvironment& environment) {
  if (word == "push")
    return widen(parse_push(rest, environment));
  if (word == "index")
    return widen(parse_index(rest, environment));
  if (word == "login")
    return widen(parse_login(rest));
  if (auto told = find_telling(word))
    return *std::move(told);
  // kaniko has it, so that nobody shall take it for a mistyped flag.
  if (word == "completion")
    throw Error("completion: Cairn has no scripts for shells");
  refuse_word(word);
}

} // namespace

ExecutorCommand parse_executor(const std::vector<std::string>& arguments,
                               const ProcessEnvironment& environment) {
  // A command comes before its flags, and those are not the build's.
  if (!arguments.empty() && !arguments.front().starts_with('-'))
    return parse_word(arguments.front(), {arguments.begin() + 1, arguments.end()}, environment);
  const auto flags = executor_flags();
  const auto parsed = parse_flags(specs_of(flags), arguments);
  if (!parsed.words.empty()) {
    if (auto told = find_telling(parsed.words.front()))
      return *std::move(told);
    refuse_word(parsed.words.front());
  }
  ParsedExecutorFlags given;
  given.command.warnings = parsed.deprecated;
  apply_flags(flags, parsed.uses, given);
  if (given.help)
    return HelpCommand{help_text()};
  auto command = resolve_options(std::move(given), environment);
  command.build.execution.named_paths = named_paths(parsed.uses, environment);
  return command;
}

} // namespace cairn
