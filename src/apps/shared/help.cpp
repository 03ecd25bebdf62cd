#include "apps/shared/help.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace cairn {

namespace {

std::string_view type_name(FlagType type) {
  switch (type) {
  case FlagType::boolean:
    return "";
  case FlagType::text:
    return "string";
  case FlagType::integer:
    return "int";
  case FlagType::duration:
    return "duration";
  case FlagType::list:
    return "multi-arg";
  case FlagType::lines:
    return "lines";
  }
  return "";
}

std::string_view remark(Support support) {
  switch (support) {
  case Support::works:
    return "";
  case Support::no_effect:
    return "; no effect";
  case Support::later:
    return "; not supported yet";
  }
  return "";
}

std::string left_column(const FlagSpec& spec) {
  const auto shorthand =
      spec.shorthand.empty() ? std::string("    ") : fmt::format("-{}, ", spec.shorthand);
  const auto type = type_name(spec.type);
  return fmt::format("  {}--{}{}{}", shorthand, spec.name, type.empty() ? "" : " ", type);
}

} // namespace

std::string flag_help(std::span<const FlagSpec> specs) {
  std::size_t width = 0;
  for (const auto& spec : specs)
    if (spec.visibility == Visibility::listed)
      width = std::max(width, left_column(spec).size());
  std::string out;
  std::string_view group;
  for (const auto& spec : specs) {
    if (spec.visibility == Visibility::hidden)
      continue;
    if (spec.group != group)
      out += fmt::format("\n{}:\n", spec.group);
    group = spec.group;
    const bool is_telling = !spec.preset.empty() && spec.preset != "false";
    const auto preset = is_telling ? fmt::format(" (default {})", spec.preset) : std::string();
    out += fmt::format("{:<{}}  {}{}{}\n", left_column(spec), width, spec.help, preset,
                       remark(spec.support));
  }
  return out;
}

} // namespace cairn
