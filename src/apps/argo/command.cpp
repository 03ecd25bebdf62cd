#include "apps/argo/command.hpp"

#include "apps/shared/common_flags.hpp"
#include "apps/shared/help.hpp"
#include "util/error.hpp"

#include <limits>

namespace cairn {

namespace {

using enum FlagType;

constexpr std::string_view server_group = "Server";

/// The command as its flags alone describe it.
struct ParsedPluginFlags {
  ServeCommand command;
  bool help = false;
};

RegistryUse& registry_use(ParsedPluginFlags& given) {
  return given.command.registry;
}

LogOptions& log_options(ParsedPluginFlags& given) {
  return given.command.log;
}

bool& help_wanted(ParsedPluginFlags& given) {
  return given.help;
}

void set_port(ParsedPluginFlags& given, const FlagValue& value) {
  const auto port = value.count();
  if (port > std::numeric_limits<std::uint16_t>::max())
    throw Error("{} is no port", port);
  given.command.port = static_cast<std::uint16_t>(port);
}

// clang-format would give every member of a row its own line.
// clang-format off
Flags<ParsedPluginFlags> server_flags() {
  return {
    {{.name = "port", .type = integer, .group = server_group, .preset = "4355",
      .help = "The port on 127.0.0.1; 0 takes a free one"},
     set_port},
    {{.name = "token-file", .group = server_group, .preset = "/var/run/argo/token",
      .help = "The file with the token that requests must have; empty: none"},
     [](ParsedPluginFlags& d, const FlagValue& v) { d.command.token_file = v.text(); }},
  };
}
// clang-format on

Flags<ParsedPluginFlags> plugin_flags() {
  return together<ParsedPluginFlags>(
      {server_flags(), lift(registry_flags(RegistryAccess::pull_and_push), registry_use),
       lift(logging_flags(), log_options), help_flag(help_wanted)});
}

} // namespace

std::variant<ServeCommand, TextCommand> parse_plugin(const std::vector<std::string>& arguments,
                                                     const ProcessEnvironment& environment) {
  const auto flags = plugin_flags();
  ParsedPluginFlags given;
  const auto parsed = read_flags(flags, arguments, given);
  const auto word = parsed.words.empty() ? "" : parsed.words.front();
  if (given.help || word == "help")
    return TextCommand{"An executor plugin for Argo Workflows: resolves tags, checks credentials, "
                       "fills mirrors.\n\nUsage:\n  cairn-argo-plugin [flags]\n" +
                       flag_help(specs_of(flags))};
  if (word == "version")
    return TextCommand{version_text()};
  if (!word.empty())
    throw Error("what is '{}'?", word);
  resolve_registry(given.command.registry, environment);
  return std::move(given.command);
}

std::vector<FlagSpec> plugin_flag_specs() {
  return specs_of(plugin_flags());
}

} // namespace cairn
