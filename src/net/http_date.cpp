#include "net/http_date.hpp"

#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace cairn {

namespace {

std::optional<unsigned> number(std::string_view text) {
  const auto value = parse_unsigned(text);
  if (!value || *value > 9999)
    return std::nullopt;
  return static_cast<unsigned>(*value);
}

std::optional<unsigned> month(std::string_view name) {
  constexpr std::array<std::string_view, 12> names = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto* found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    return std::nullopt;
  return static_cast<unsigned>(found - names.begin()) + 1;
}

/// The years that 64 bits of nanoseconds reach in full.
bool is_countable(unsigned year) {
  return year >= 1678 && year <= 2261;
}

} // namespace

std::optional<Time> parse_http_date(std::string_view text) {
  if (text.size() != 29 || !text.ends_with(" GMT") || text[4] != ' ' || text[19] != ':' ||
      text[22] != ':')
    return std::nullopt;
  const auto day = number(text.substr(5, 2));
  const auto month_number = month(text.substr(8, 3));
  const auto year = number(text.substr(12, 4));
  const auto hour = number(text.substr(17, 2));
  const auto minute = number(text.substr(20, 2));
  const auto second = number(text.substr(23, 2));
  if (!day || !month_number || !year || !hour || !minute || !second || !is_countable(*year))
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(*month_number), std::chrono::day(*day)};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60)
    return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*second);
}

} // namespace cairn
