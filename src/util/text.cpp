#include "util/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

namespace cairn {

namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

constexpr std::string_view blanks = " \t\r\n\v\f";

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
char upper(char c) {
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

template<class Number>
std::optional<Number> parse_number(std::string_view text, int base) {
  Number value{};
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, base);
  if (text.empty() || error != std::errc{} || rest != end)
    return std::nullopt;
  return value;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row[b.size()];
}

/// Whether two words can be fewer than `distance` edits apart, and are short enough to find out.
bool is_comparable(std::string_view a, std::string_view b, std::size_t distance) {
  constexpr std::size_t longest = 256;
  const auto [shorter, longer] = std::minmax({a.size(), b.size()});
  return longer <= longest && longer - shorter < distance;
}

} // namespace

std::string_view trim_left(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  return first == std::string_view::npos ? std::string_view{} : text.substr(first);
}

std::string_view trim_right(std::string_view text) {
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

std::string_view trim(std::string_view text) {
  return trim_left(trim_right(text));
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return parts;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::pair<std::string_view, std::string_view>> cut(std::string_view text,
                                                                 char separator) {
  const auto at = text.find(separator);
  if (at == std::string_view::npos)
    return std::nullopt;
  return std::pair(text.substr(0, at), text.substr(at + 1));
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::string to_upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), upper);
  return out;
}

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
  return parse_number<std::uint64_t>(text, 10);
}

std::optional<std::int64_t> parse_signed(std::string_view text) {
  return parse_number<std::int64_t>(text, 10);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  constexpr std::string_view units = "kmgt";
  constexpr int bits_of_unit = 10;
  constexpr std::uint64_t most = std::uint64_t{1} << 60;
  const auto lower = to_lower(trim(text));
  const auto end = std::min(lower.find_first_not_of("0123456789."), lower.size());
  auto unit = std::string_view(lower).substr(end);
  int bits = 0;
  if (!unit.empty() && units.find(unit.front()) != std::string_view::npos) {
    bits = bits_of_unit * (static_cast<int>(units.find(unit.front())) + 1);
    unit.remove_prefix(unit.substr(1).starts_with("i") ? 2 : 1);
  }
  if (unit == "b")
    unit.remove_prefix(1);
  const auto parts = split(lower.substr(0, end), '.');
  const auto whole = parse_unsigned(parts.front());
  if (!unit.empty() || parts.size() > 2 || !whole || *whole > (most >> bits))
    return std::nullopt;
  auto bytes = *whole << bits;
  if (parts.size() == 2) {
    // A thousandth of a unit is as much as anybody means.
    const auto digits = parts[1].substr(0, 3);
    const auto fraction = parse_unsigned(digits);
    if (!fraction || !parse_unsigned(parts[1]))
      return std::nullopt;
    std::uint64_t scale = 1;
    for (std::size_t i = 0; i < digits.size(); ++i)
      scale *= 10;
    bytes += ((std::uint64_t{1} << bits) * *fraction) / scale;
  }
  return bytes;
}

std::optional<std::uint32_t> parse_octal(std::string_view text) {
  return parse_number<std::uint32_t>(text, 8);
}

std::optional<std::string> suggest(std::string_view word, const std::vector<std::string>& known) {
  const std::string wanted = to_lower(word);
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, wanted.size() / 3) + 1;
  for (const auto& candidate : known) {
    if (!is_comparable(wanted, candidate, best_distance))
      continue;
    const auto distance = edit_distance(wanted, to_lower(candidate));
    if (distance < best_distance && distance < candidate.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::optional<std::string> suggest_exact_case(std::string_view word,
                                              const std::vector<std::string>& known) {
  std::optional<std::string> best;
  std::size_t best_distance = 3;
  for (const auto& candidate : known) {
    if (!is_comparable(word, candidate, best_distance))
      continue;
    const auto distance = edit_distance(word, candidate);
    if (distance > 0 && distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known) {
  const auto guess = suggest(word, known);
  return guess ? fmt::format(" (did you mean {}?)", *guess) : std::string();
}

std::string human_size(std::uint64_t bytes) {
  constexpr std::string_view units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, units[unit]);
}

bool has_control_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_control);
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (is_control(c))
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

} // namespace cairn
