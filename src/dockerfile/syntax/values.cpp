#include "dockerfile/syntax/values.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <iterator>

namespace cairn {

namespace {

std::string take_quoted_field(std::string_view& rest, std::string_view whole) {
  std::string field;
  rest.remove_prefix(1);
  for (;;) {
    const auto quote = rest.find('"');
    if (quote == std::string_view::npos)
      throw Error("'{}': a quote has no partner", printable(whole));
    field += rest.substr(0, quote);
    rest.remove_prefix(quote + 1);
    if (!rest.starts_with('"'))
      break;
    field += '"';
    rest.remove_prefix(1);
  }
  if (!rest.empty() && rest[0] != ',')
    throw Error("'{}': a closing quote must be followed by a comma", printable(whole));
  return field;
}

std::string take_bare_field(std::string_view& rest, std::string_view whole) {
  const auto end = std::min(rest.find(','), rest.size());
  const auto field = rest.substr(0, end);
  if (field.find('"') != std::string_view::npos)
    throw Error("'{}': a quote must enclose the whole field", printable(whole));
  rest.remove_prefix(end);
  return std::string(field);
}

/// The power of 1024 of a unit: "", "b", "k", "kb", "kib" and so on.
std::optional<int> unit_power(std::string_view unit) {
  if (unit.empty() || unit == "b")
    return 0;
  constexpr std::string_view letters = "kmgtp";
  const auto at = letters.find(unit[0]);
  const auto tail = unit.substr(1);
  if (at == std::string_view::npos || !(tail.empty() || tail == "b" || tail == "ib"))
    return std::nullopt;
  return static_cast<int>(at) + 1;
}

} // namespace

std::vector<std::string> parse_csv_record(std::string_view text) {
  if (text.empty())
    throw Error("there is no value");
  std::vector<std::string> fields;
  auto rest = text;
  for (;;) {
    fields.push_back(rest.starts_with('"') ? take_quoted_field(rest, text)
                                           : take_bare_field(rest, text));
    if (rest.empty())
      return fields;
    rest.remove_prefix(1);
  }
}

std::optional<bool> parse_bool(std::string_view text) {
  constexpr std::string_view yes[] = {"1", "t", "T", "true", "TRUE", "True"};
  constexpr std::string_view no[] = {"0", "f", "F", "false", "FALSE", "False"};
  if (std::find(std::begin(yes), std::end(yes), text) != std::end(yes))
    return true;
  if (std::find(std::begin(no), std::end(no), text) != std::end(no))
    return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_go_integer(std::string_view text) {
  if (text.starts_with('+') && !text.starts_with("+-"))
    text.remove_prefix(1);
  return parse_signed(text);
}

std::optional<std::uint64_t> parse_binary_size(std::string_view text) {
  const auto last_digit = text.find_last_of("0123456789.");
  if (last_digit == std::string_view::npos)
    return std::nullopt;
  auto unit = text.substr(last_digit + 1);
  text = text.substr(0, last_digit + 1);
  if (text.starts_with('+'))
    text.remove_prefix(1);
  if (unit.starts_with(' '))
    unit.remove_prefix(1);
  double number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto power = unit_power(to_lower(unit));
  if (error != std::errc{} || rest != text.data() + text.size() || !power || std::signbit(number))
    return std::nullopt;
  for (int i = 0; i < *power; ++i)
    number *= 1024;
  constexpr double limit = 9.2e18;
  return number < limit ? std::optional(static_cast<std::uint64_t>(number)) : std::nullopt;
}

} // namespace cairn
