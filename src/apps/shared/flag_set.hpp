#pragma once

#include "apps/shared/flags.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// A flag and what it does to the given of a command.
template<class Parsed>
struct Flag {
  FlagSpec spec;
  /// Gets a value of the flag's type. None for old names, whose uses carry the proper one.
  /// @throws Error without the flag's name
  std::function<void(Parsed& given, const FlagValue& value)> apply;
};

template<class Parsed>
using Flags = std::vector<Flag<Parsed>>;

/// Flags that know a part of a given alone, as flags of the whole.
template<class Parsed, class Part>
Flags<Parsed> lift(Flags<Part> flags, Part& (*part)(Parsed&)) {
  Flags<Parsed> lifted;
  for (auto& flag : flags)
    lifted.push_back(
        {flag.spec, [part, apply = std::move(flag.apply)](Parsed& given, const FlagValue& value) {
           apply(part(given), value);
         }});
  return lifted;
}

template<class Parsed>
Flags<Parsed> together(std::initializer_list<Flags<Parsed>> groups) {
  Flags<Parsed> all;
  for (const auto& group : groups)
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

template<class Parsed>
std::vector<FlagSpec> specs_of(const Flags<Parsed>& flags) {
  std::vector<FlagSpec> specs;
  for (const auto& flag : flags)
    specs.push_back(flag.spec);
  return specs;
}

/// Does to `given` what the command line says, in its order. @throws Error naming the flag
template<class Parsed>
void apply_flags(const Flags<Parsed>& flags, const std::vector<FlagUse>& uses, Parsed& given) {
  for (const auto& use : uses) {
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const Flag<Parsed>& candidate) {
      return candidate.spec.name == use.name;
    });
    within([&] { flag->apply(given, use.value); }, "--{}", use.name);
  }
}

/// Both at once, for commands that do not mind in which order mistakes are told.
template<class Parsed>
ParsedFlags read_flags(const Flags<Parsed>& flags, const std::vector<std::string>& arguments,
                       Parsed& given) {
  auto parsed = parse_flags(specs_of(flags), arguments);
  apply_flags(flags, parsed.uses, given);
  return parsed;
}

} // namespace cairn
