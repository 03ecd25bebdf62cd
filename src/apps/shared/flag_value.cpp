#include "apps/shared/flag_value.hpp"

#include "util/clock.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

std::optional<bool> parse_go_bool(std::string_view text) {
  for (const std::string_view word : {"1", "t", "T", "true", "True", "TRUE"})
    if (text == word)
      return true;
  for (const std::string_view word : {"0", "f", "F", "false", "False", "FALSE"})
    if (text == word)
      return false;
  return std::nullopt;
}

std::vector<std::string> FlagValue::words() const {
  auto words = split(text_, ',');
  std::erase(words, "");
  return words;
}

bool FlagValue::boolean() const {
  if (const auto value = parse_go_bool(text_))
    return *value;
  throw Error("'{}' is neither true nor false", text_);
}

std::int64_t FlagValue::integer() const {
  if (const auto value = parse_signed(text_))
    return *value;
  throw Error("'{}' is not a whole number", text_);
}

unsigned FlagValue::count() const {
  constexpr std::int64_t most = 1'000'000;
  const auto value = integer();
  if (value < 0 || value > most)
    throw Error("{} is not between 0 and {}", value, most);
  return static_cast<unsigned>(value);
}

std::uint64_t FlagValue::bytes() const {
  const auto size = parse_size(text_);
  if (!size)
    throw Error("'{}' is not a number of bytes such as 500M or 20G", text_);
  return *size;
}

std::chrono::nanoseconds FlagValue::duration() const {
  if (const auto value = parse_duration(text_))
    return *value;
  throw Error("'{}' is not a duration such as 336h or 6h30m", text_);
}

std::pair<std::string, std::string> FlagValue::name_value() const {
  const auto parts = cut(text_, '=');
  if (!parts || parts->first.empty())
    throw Error("'{}' is not of the form name=value", text_);
  return {std::string(parts->first), std::string(parts->second)};
}

} // namespace cairn
