#include "apps/shared/help.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <vector>

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

/// Flags that are listed, those of a group together, in the order of their first ones.
std::vector<FlagSpec> listed(std::span<const FlagSpec> specs) {
  std::vector<std::string_view> groups;
  std::vector<FlagSpec> sorted;
  for (const auto& spec : specs) {
    if (spec.visibility == Visibility::hidden)
      continue;
    if (std::find(groups.begin(), groups.end(), spec.group) == groups.end())
      groups.push_back(spec.group);
    sorted.push_back(spec);
  }
  const auto place = [&](const FlagSpec& spec) {
    return std::find(groups.begin(), groups.end(), spec.group);
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const FlagSpec& a, const FlagSpec& b) { return place(a) < place(b); });
  return sorted;
}

} // namespace

std::string flag_help(std::span<const FlagSpec> specs) {
  const auto flags = listed(specs);
  std::size_t width = 0;
  for (const auto& spec : flags)
    width = std::max(width, left_column(spec).size());
  std::string out;
  std::string_view group;
  for (const auto& spec : flags) {
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

std::string version_text() {
  return "Cairn version :  v" CAIRN_VERSION "\n";
}

} // namespace cairn
