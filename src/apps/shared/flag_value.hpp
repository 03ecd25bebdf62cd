#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

/// The words that Go's strconv.ParseBool knows: 1, t, T, true, True, TRUE and their opposites.
std::optional<bool> parse_go_bool(std::string_view text);

/// What was given to a flag. Each reading throws an Error that says what was expected.
class FlagValue {
public:
  explicit FlagValue(std::string text) : text_(std::move(text)) {}

  const std::string& text() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }

  /// What commas separate, without what is empty.
  std::vector<std::string> words() const;

  bool boolean() const;
  std::int64_t integer() const;
  /// An integer that counts something. @throws Error also below 0 and above a million
  unsigned count() const;
  std::uint64_t bytes() const;               ///< "0", "500M", "20G", see parse_size().
  std::chrono::nanoseconds duration() const; ///< A Go duration: "336h", "6h30m".
  /// "name=value" with a name; the value may be empty and hold further "=".
  std::pair<std::string, std::string> name_value() const;

private:
  std::string text_;
};

} // namespace cairn
