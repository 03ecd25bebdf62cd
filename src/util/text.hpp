#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Pure functions on text. "Blank" is ASCII space, tab, CR, LF, VT and FF.

/// What a text in UTF-8 may begin with.
inline constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

std::string_view trim(std::string_view text);
std::string_view trim_left(std::string_view text);
std::string_view trim_right(std::string_view text);

/// Splits at every `separator`; "a,,b" gives three parts, "" gives one empty part.
std::vector<std::string> split(std::string_view text, char separator);

/// The text before and after the first `separator`, or nothing when it does not occur.
std::optional<std::pair<std::string_view, std::string_view>> cut(std::string_view text,
                                                                 char separator);

std::string join(const std::vector<std::string>& parts, std::string_view separator);

std::string to_lower(std::string_view text); ///< ASCII letters only.
std::string to_upper(std::string_view text); ///< ASCII letters only.
bool equals_ignoring_case(std::string_view a, std::string_view b);

/// The whole text as a decimal number: no sign for the unsigned form, no blanks, no overflow.
std::optional<std::uint64_t> parse_unsigned(std::string_view text);
std::optional<std::int64_t> parse_signed(std::string_view text);
/// Octal digits only, e.g. "0755".
std::optional<std::uint32_t> parse_octal(std::string_view text);

/// A number of bytes: "1500", "64K", "10G", "1.5T", in powers of 1024; "Ki", "KB" and "KiB" are the
/// same as "K", and so for M, G and T. Case does not matter. Nothing when it is none.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// The member of `known` that a user probably meant by `word`, by edit distance.
std::optional<std::string> suggest(std::string_view word, const std::vector<std::string>& known);

/// The same for names whose case counts: fewer than three edits away, the first of the nearest.
std::optional<std::string> suggest_exact_case(std::string_view word,
                                              const std::vector<std::string>& known);

/// " (did you mean X?)" or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

/// 1536 -> "1.5 kB", in powers of 1000.
std::string human_size(std::uint64_t bytes);

/// Whether it holds bytes below a space, or DEL.
bool has_control_characters(std::string_view text);

/// Text as it may be shown on a terminal: control characters become \xNN.
std::string printable(std::string_view text);

} // namespace cairn
