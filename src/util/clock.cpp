#include "util/clock.hpp"

#include "util/text.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace cairn {

using namespace std::chrono;

Time system_now() {
  return time_point_cast<nanoseconds>(system_clock::now());
}

std::string rfc3339(Time time) {
  const auto seconds_part = unix_seconds(time);
  auto text =
      fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds_part)));
  if (const auto fraction = unix_nanoseconds(time); fraction != 0) {
    text += fmt::format(".{:09}", fraction);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z";
}

namespace {

/// Takes `count` digits and the `after` character off the front.
std::optional<int> take_number(std::string_view& text, std::size_t count, std::string_view after) {
  if (text.size() < count + after.size())
    return std::nullopt;
  const auto number = parse_unsigned(text.substr(0, count));
  if (!number || text.substr(count, after.size()) != after)
    return std::nullopt;
  text.remove_prefix(count + after.size());
  return static_cast<int>(*number);
}

std::optional<nanoseconds> take_fraction(std::string_view& text) {
  if (!text.starts_with('.'))
    return nanoseconds(0);
  text.remove_prefix(1);
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  text.remove_prefix(digits.size());
  std::string nine(digits.substr(0, 9));
  nine.resize(9, '0');
  const auto number = parse_unsigned(nine);
  if (digits.empty() || !number)
    return std::nullopt;
  return nanoseconds(static_cast<std::int64_t>(*number));
}

std::optional<minutes> take_offset(std::string_view text) {
  if (text == "Z" || text == "z")
    return minutes(0);
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-'))
    return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hour = take_number(text, 2, ":");
  const auto minute = take_number(text, 2, "");
  if (!hour || !minute)
    return std::nullopt;
  return minutes(sign * (*hour * 60 + *minute));
}

std::optional<nanoseconds> unit_of(std::string_view name) {
  constexpr std::pair<std::string_view, std::int64_t> units[] = {
      {"ns", 1},           {"us", 1000},      {"\xc2\xb5s", 1000}, {"\xce\xbcs", 1000},
      {"ms", 1000 * 1000}, {"s", 1000000000}, {"m", 60000000000},  {"h", 3600000000000}};
  for (const auto& [known, size] : units)
    if (known == name)
      return nanoseconds(size);
  return std::nullopt;
}

/// What digits behind a point are of `unit`; digits beyond those that 64 bits hold count for
/// nothing, as in Go.
std::uint64_t fraction_of(std::string_view digits, std::int64_t unit) {
  constexpr std::uint64_t enough = INT64_MAX / 10;
  std::uint64_t number = 0;
  double scale = 1;
  for (const char digit : digits) {
    if (number > enough)
      break;
    number = number * 10 + static_cast<std::uint64_t>(digit - '0');
    scale *= 10;
  }
  return static_cast<std::uint64_t>(static_cast<double>(number) *
                                    (static_cast<double>(unit) / scale));
}

/// A number with its unit, of the front of `text`; nothing when it is none or more than `most`.
std::optional<std::uint64_t> take_part(std::string_view& text, std::uint64_t most) {
  constexpr std::string_view digits = "0123456789";
  const auto number = text.substr(0, text.find_first_not_of("0123456789."));
  text.remove_prefix(number.size());
  const auto name = text.substr(0, text.find_first_of("0123456789."));
  text.remove_prefix(name.size());
  const auto unit = unit_of(name);
  const auto dot = std::min(number.find('.'), number.size());
  const auto rest = number.substr(std::min(dot + 1, number.size()));
  const bool has_digits = number.find_first_of(digits) != std::string_view::npos;
  if (!unit || !has_digits || rest.find('.') != std::string_view::npos)
    return std::nullopt;
  const auto whole =
      dot == 0 ? std::optional<std::uint64_t>(0) : parse_unsigned(number.substr(0, dot));
  std::uint64_t value = 0;
  if (!whole || __builtin_mul_overflow(*whole, unit->count(), &value) || value > most)
    return std::nullopt;
  value += fraction_of(rest, unit->count());
  return value <= most ? std::optional(value) : std::nullopt;
}

} // namespace

std::optional<Time> parse_rfc3339(std::string_view text) {
  const auto y = take_number(text, 4, "-");
  const auto mon = take_number(text, 2, "-");
  const auto d = y && mon ? take_number(text, 2, "") : std::nullopt;
  if (!d || text.empty() || (text[0] != 'T' && text[0] != 't' && text[0] != ' '))
    return std::nullopt;
  text.remove_prefix(1);
  const auto h = take_number(text, 2, ":");
  const auto min = take_number(text, 2, ":");
  const auto s = h && min ? take_number(text, 2, "") : std::nullopt;
  if (!s)
    return std::nullopt;
  const auto fraction = take_fraction(text);
  const auto offset = fraction ? take_offset(text) : std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*mon)),
                            day(static_cast<unsigned>(*d))};
  // What nanoseconds in 64 bits can count: 1677 to 2262.
  if (*y < 1678 || *y > 2261)
    return std::nullopt;
  if (!offset || !date.ok() || *h > 23 || *min > 59 || *s > 60)
    return std::nullopt;
  return Time(sys_days(date)) + hours(*h) + minutes(*min) + seconds(*s) + *fraction - *offset;
}

std::chrono::nanoseconds elapsed(Time from, Time to) {
  std::int64_t count = 0;
  if (__builtin_sub_overflow(to.time_since_epoch().count(), from.time_since_epoch().count(),
                             &count))
    return to < from ? nanoseconds::min() : nanoseconds::max();
  return nanoseconds(count);
}

std::optional<nanoseconds> parse_duration(std::string_view text) {
  if (text == "0" || text == "+0" || text == "-0")
    return nanoseconds(0);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+'))
    text.remove_prefix(1);
  if (text.empty())
    return std::nullopt;
  // The least duration has no opposite.
  constexpr std::uint64_t most = std::uint64_t{1} << 63;
  std::uint64_t total = 0;
  while (!text.empty()) {
    const auto part = take_part(text, most);
    if (!part || __builtin_add_overflow(total, *part, &total) || total > most)
      return std::nullopt;
  }
  if (negative)
    return nanoseconds(static_cast<std::int64_t>(0 - total));
  return total < most ? std::optional(nanoseconds(static_cast<std::int64_t>(total))) : std::nullopt;
}

std::string human_duration(nanoseconds duration) {
  const auto total = duration_cast<std::chrono::duration<double>>(duration).count();
  if (total < 60)
    return fmt::format("{:.{}f}s", total, total < 10 ? 2 : 1);
  const auto whole = static_cast<std::int64_t>(total);
  return fmt::format("{}m{:02}s", whole / 60, whole % 60);
}

} // namespace cairn
