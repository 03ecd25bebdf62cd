#include "apps/creds/parse_command.hpp"

#include "apps/creds/flag_table.hpp"
#include "apps/creds/login_flags.hpp"
#include "apps/creds/vault_settings.hpp"
#include "apps/shared/help.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <filesystem>

namespace cairn {

namespace {

std::string overview() {
  std::string text = "Cairn's credentials: collected, checked, minted.\n\nUsage:\n";
  for (const auto& verb : creds_verbs())
    text += fmt::format("  cairn-creds {} {}\n", verb.name, verb.usage);
  text += "  cairn-creds credential-helper get|store|erase|list|version\n"
          "  cairn-creds version\n"
          "  cairn-creds help\n\n";
  for (const auto& verb : creds_verbs())
    text += fmt::format("{:<18} {}\n", verb.name, verb.help);
  text +=
      fmt::format("{:<18} {}\n", "credential-helper",
                  "Speaks the protocol of credential helpers, as docker-credential-cairn does.");
  return text + "\n`cairn-creds COMMAND --help` lists the flags of a command.\n";
}

std::string help_of(const CredsVerb& verb) {
  return fmt::format("{}\n\nUsage:\n  cairn-creds {} {}\n{}", verb.help, verb.name, verb.usage,
                     flag_help(specs_of(verb.flags)));
}

/// The folder that a command is about. Never the home directory by itself: `erase` would empty it.
std::string folder_of(const ParsedCredsFlags& given) {
  auto path = given.directory.empty() ? given.environment.text("DOCKER_CONFIG") : given.directory;
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  if (path.empty())
    throw Error("say where with --dir; DOCKER_CONFIG is not set");
  // Programs that are told of it may be started elsewhere.
  return std::filesystem::absolute(path).lexically_normal().string();
}

InjectCommand resolve_inject(ParsedCredsFlags& given) {
  check_logins(given);
  resolve_vault(given);
  auto command = std::move(given.inject);
  command.folder.path = folder_of(given);
  command.sources.target = command.folder.path;
  command.log = given.log;
  return command;
}

CheckCommand resolve_check(ParsedCredsFlags& given, const std::vector<std::string>& words) {
  auto command = std::move(given.check);
  if (words.empty())
    throw Error("check: name the images that are to be pushed");
  for (const auto& word : words)
    command.destinations.push_back(ImageRef::parse(word));
  command.directory = given.directory;
  command.log = given.log;
  return command;
}

CredsCommand parse_verb(const CredsVerb& verb, const std::vector<std::string>& arguments,
                        const ProcessEnvironment& environment) {
  ParsedCredsFlags given(environment);
  const auto parsed = read_flags(verb.flags, arguments, given);
  if (given.help)
    return TextCommand{help_of(verb)};
  if (verb.name == "check")
    return resolve_check(given, parsed.words);
  if (!parsed.words.empty())
    throw Error("{}: what is '{}'?", verb.name, printable(parsed.words.front()));
  if (verb.name == "inject")
    return resolve_inject(given);
  if (verb.name == "erase")
    return EraseCommand{folder_of(given), given.inject.auth_file};
  return PrintEnvCommand{folder_of(given)};
}

} // namespace

CredsCommand parse_creds(const std::vector<std::string>& arguments,
                         const ProcessEnvironment& environment) {
  const auto word = arguments.empty() ? "" : arguments.front();
  if (word == "help" || word == "--help" || word == "-h")
    return TextCommand{overview()};
  if (word == "version" || word == "--version")
    return TextCommand{version_text()};
  const std::vector<std::string> rest(arguments.begin() + (arguments.empty() ? 0 : 1),
                                      arguments.end());
  if (word == "credential-helper")
    return HelperCommand{rest};
  std::vector<std::string> known;
  for (const auto& verb : creds_verbs()) {
    if (verb.name == word)
      return parse_verb(verb, rest, environment);
    known.emplace_back(verb.name);
  }
  throw with_hint(Error("{}", word.empty() ? std::string("say what to do")
                                           : fmt::format("unknown command '{}'{}", printable(word),
                                                         did_you_mean(word, known))),
                  "`cairn-creds help` lists the commands");
}

} // namespace cairn
