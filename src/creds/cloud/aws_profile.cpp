#include "creds/cloud/aws_profile.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <optional>

namespace cairn {

namespace {

/// Without a comment, which begins behind white space.
std::string_view without_comment(std::string_view value) {
  for (std::size_t i = 1; i < value.size(); ++i)
    if ((value[i] == '#' || value[i] == ';') && (value[i - 1] == ' ' || value[i - 1] == '\t'))
      return trim_right(value.substr(0, i));
  return value;
}

/// The profile that a section is about.
std::optional<std::string> profile_of(std::string_view section, AwsFileKind kind) {
  constexpr std::string_view prefix = "profile";
  if (kind == AwsFileKind::credentials || section == "default")
    return std::string(section);
  const bool is_profile = section.starts_with(prefix) && section.size() > prefix.size() &&
                          (section[prefix.size()] == ' ' || section[prefix.size()] == '\t');
  if (!is_profile)
    return std::nullopt;
  auto name = trim(section.substr(prefix.size()));
  if (name.size() >= 2 && name.front() == name.back() && (name[0] == '"' || name[0] == '\''))
    name = name.substr(1, name.size() - 2);
  return std::string(name);
}

} // namespace

std::map<std::string, AwsProfile> parse_aws_profiles(std::string_view text, AwsFileKind kind,
                                                     std::string_view source) {
  std::map<std::string, AwsProfile> profiles;
  AwsProfile* profile = nullptr;
  bool in_section = false;
  unsigned number = 0;
  for (const auto& raw : split(text, '\n')) {
    ++number;
    const std::string_view line = trim_right(raw);
    if (trim(line).empty() || line[0] == '#' || line[0] == ';' || line[0] == ' ' || line[0] == '\t')
      continue;
    if (line[0] == '[') {
      const auto end = line.find(']');
      const auto name = end == std::string_view::npos ? "" : trim(line.substr(1, end - 1));
      if (name.empty())
        throw Error("{}:{}: a section is [NAME]", source, number);
      const auto owner = profile_of(name, kind);
      profile = owner ? &profiles[*owner] : nullptr;
      in_section = true;
      continue;
    }
    const auto parts = cut(line, '=');
    if (!parts || trim(parts->first).empty())
      throw Error("{}:{}: neither [SECTION] nor NAME = VALUE", source, number);
    if (!in_section)
      throw Error("{}:{}: a setting before any [SECTION]", source, number);
    if (profile != nullptr)
      (*profile)[to_lower(trim(parts->first))] = without_comment(trim(parts->second));
  }
  return profiles;
}

} // namespace cairn
