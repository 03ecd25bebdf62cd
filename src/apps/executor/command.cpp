#include "apps/executor/command.hpp"

#include "apps/executor/flag_table.hpp"
#include "apps/executor/settle.hpp"
#include "apps/shared/help.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

std::string help_text() {
  return "Cairn builds container images from a Dockerfile.\n"
         "\n"
         "Usage:\n"
         "  executor [flags]\n"
         "  executor version\n"
         "  executor help\n" +
         flag_help(specs_of(executor_flags()));
}

/// kaniko's other commands are known by name, so that nobody takes them for mistyped flags.
ExecutorCommand parse_word(const std::string& word) {
  if (word == "version")
    return VersionCommand{};
  if (word == "help")
    return HelpCommand{help_text()};
  for (const std::string_view later : {"login", "push", "completion"})
    if (word == later)
      throw Error("{}: not supported yet", word);
  throw with_hint(Error("unknown command \"{}\" for \"executor\"", word),
                  "a boolean flag takes its value after '=', as in --cache=false");
}

} // namespace

ExecutorCommand parse_executor(const std::vector<std::string>& arguments,
                               const ProcessEnvironment& environment) {
  // A command comes before its flags, and those are not the build's.
  if (!arguments.empty() && !arguments.front().starts_with('-'))
    return parse_word(arguments.front());
  const auto flags = executor_flags();
  const auto parsed = parse_flags(specs_of(flags), arguments);
  if (!parsed.words.empty())
    return parse_word(parsed.words.front());
  ExecutorDraft draft;
  draft.command.warnings = parsed.deprecated;
  apply_flags(flags, parsed.uses, draft);
  if (draft.help)
    return HelpCommand{help_text()};
  return settle(std::move(draft), environment);
}

} // namespace cairn
