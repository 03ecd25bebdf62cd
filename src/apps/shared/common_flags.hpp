#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/flag_set.hpp"
#include "apps/shared/log.hpp"
#include "apps/shared/registry_use.hpp"
#include "fs/archive/expansion.hpp"

#include <string_view>

namespace cairn {

/// Flags that several programs have.

constexpr std::string_view registry_group = "Registries";
constexpr std::string_view logging_group = "Logging and help";

/// Programs that never push have no flags about pushes.
enum class RegistryAccess { pull, pull_and_push };
Flags<RegistryUse> registry_flags(RegistryAccess access);
/// Those of them that say which servers are trusted, and by what.
Flags<RegistryUse> trust_flags();
Flags<RegistryUse> credential_helper_flag();
/// Adds what KANIKO_REGISTRY_MAP and KANIKO_REGISTRY_MIRROR say, after what flags say.
/// @throws Error naming the variable
void resolve_registry(RegistryUse& use, const ProcessEnvironment& environment);

/// What --max-unpacked-size says. @throws Error
ExpansionLimit expansion_limit(const FlagValue& value);

/// --verbosity, --log-format and --log-timestamp.
Flags<LogOptions> logging_flags();

/// --extra-args, which parse_flags() has replaced by its lines.
template<class Parsed>
Flags<Parsed> extra_args_flag() {
  return {{{.name = "extra-args",
            .type = FlagType::lines,
            .group = logging_group,
            .help = "Further words of the command line, each on a line of its own"},
           [](Parsed&, const FlagValue&) {}}};
}

/// --help, with what else the given has under that name.
template<class Parsed>
Flags<Parsed> help_flag(bool& (*wanted)(Parsed&)) {
  return {{{.name = "help",
            .shorthand = "h",
            .type = FlagType::boolean,
            .group = logging_group,
            .preset = "false",
            .help = "Print this text"},
           [wanted](Parsed& given, const FlagValue& value) { wanted(given) = value.boolean(); }}};
}

} // namespace cairn
