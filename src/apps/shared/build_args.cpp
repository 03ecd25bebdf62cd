#include "apps/shared/build_args.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

BuildArgFlag parse_build_arg(std::string_view text) {
  const auto parts = cut(text, '=');
  const auto name = parts ? parts->first : text;
  if (name.empty())
    throw Error("'{}' is neither NAME nor NAME=value", text);
  return {std::string(name), parts ? std::optional(std::string(parts->second)) : std::nullopt};
}

std::vector<NameValue> resolve_build_args(const std::vector<BuildArgFlag>& flags,
                                          const ProcessEnvironment& environment) {
  std::vector<NameValue> args;
  args.reserve(flags.size());
  for (const auto& [name, value] : flags)
    args.emplace_back(name, value ? *value : environment.text(name));
  return args;
}

} // namespace cairn
