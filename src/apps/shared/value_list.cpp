#include "apps/shared/value_list.hpp"

#include "util/error.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <optional>

namespace cairn {

namespace {

/// Nothing unless the text is an array of strings: a line may begin with a bracket, too.
std::optional<std::vector<std::string>> json_strings(std::string_view text) {
  const auto trimmed = trim(text);
  if (!trimmed.starts_with('[') || !trimmed.ends_with(']'))
    return std::nullopt;
  try {
    return Json::parse(trimmed).as_strings();
  } catch (const Error&) {
    return std::nullopt;
  }
}

} // namespace

std::vector<std::string> value_list(std::string_view text) {
  auto values = json_strings(text);
  if (!values)
    values = split(text, '\n');
  std::vector<std::string> filled;
  for (auto& value : *values) {
    if (value.ends_with('\r'))
      value.pop_back();
    if (!value.empty())
      filled.push_back(std::move(value));
  }
  return filled;
}

bool is_value_list(std::string_view text) {
  return text.find('\n') != text.npos || json_strings(text).has_value();
}

} // namespace cairn
