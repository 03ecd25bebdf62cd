#pragma once

#include "apps/shared/flags.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// A flag and what it does to the draft of a command.
template<class Draft>
struct Flag {
  FlagSpec spec;
  /// Gets a value of the flag's type. None for old names, whose uses carry the proper one.
  /// @throws Error without the flag's name
  std::function<void(Draft& draft, const FlagValue& value)> apply;
};

template<class Draft>
using Flags = std::vector<Flag<Draft>>;

/// Flags that know a part of a draft alone, as flags of the whole.
template<class Draft, class Part>
Flags<Draft> lift(Flags<Part> flags, Part& (*part)(Draft&)) {
  Flags<Draft> lifted;
  for (auto& flag : flags)
    lifted.push_back(
        {flag.spec, [part, apply = std::move(flag.apply)](Draft& draft, const FlagValue& value) {
           apply(part(draft), value);
         }});
  return lifted;
}

template<class Draft>
Flags<Draft> together(std::initializer_list<Flags<Draft>> groups) {
  Flags<Draft> all;
  for (const auto& group : groups)
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

template<class Draft>
std::vector<FlagSpec> specs_of(const Flags<Draft>& flags) {
  std::vector<FlagSpec> specs;
  for (const auto& flag : flags)
    specs.push_back(flag.spec);
  return specs;
}

/// Does to `draft` what the command line says, in its order. @throws Error naming the flag
template<class Draft>
void apply_flags(const Flags<Draft>& flags, const std::vector<FlagUse>& uses, Draft& draft) {
  for (const auto& use : uses) {
    const auto flag = std::find_if(flags.begin(), flags.end(), [&](const Flag<Draft>& candidate) {
      return candidate.spec.name == use.name;
    });
    within([&] { flag->apply(draft, use.value); }, "--{}", use.name);
  }
}

/// Both at once, for commands that do not mind in which order mistakes are told.
template<class Draft>
ParsedFlags read_flags(const Flags<Draft>& flags, const std::vector<std::string>& arguments,
                       Draft& draft) {
  auto parsed = parse_flags(specs_of(flags), arguments);
  apply_flags(flags, parsed.uses, draft);
  return parsed;
}

} // namespace cairn
