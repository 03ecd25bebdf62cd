#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

enum class Reach { shortest, longest };

/// What a text may become when variables in it are replaced.
inline constexpr std::size_t longest_expansion = std::size_t{16} << 20;

/// A pattern of ${v#p}, ${v%p}, ${v/p/r}: `*` is any run of characters, `?` is one character,
/// neither is a line feed; \* \? \\ \} \/ are those characters. There are no brackets.
/// All throw an Error when a value takes the pattern too many steps, or the result is too long.
class ShellPattern {
public:
  /// @throws Error on another escape
  static ShellPattern parse(std::string_view text);

  /// `value` without what matches at its start, or unchanged.
  std::string trim_prefix(std::string_view value, Reach reach) const;
  /// `value` without what matches at its end, or unchanged.
  std::string trim_suffix(std::string_view value, Reach reach) const;

  /// The first match, as long as can be, replaced by `replacement` as it is.
  std::string replace_first(std::string_view value, std::string_view replacement) const;
  /// All matches replaced. In `replacement` $0 and ${0} are what matched, other $names vanish
  /// and $$ is a dollar: Go's Regexp.Expand, which the Dockerfile frontend lets through.
  std::string replace_all(std::string_view value, std::string_view replacement) const;

private:
  enum class Kind { literal, any_character, any_run };
  struct Token {
    Kind kind;
    std::string character; ///< One code point, for literals.
  };
  using Characters = std::vector<std::string_view>;

  static Characters characters(std::string_view value);
  static bool takes(const Token& token, std::string_view character);
  class Effort;

  std::size_t match_length(const Characters& value, std::size_t from, Reach reach,
                           Effort& effort) const;
  ShellPattern reversed() const;

  std::vector<Token> tokens_;
};

} // namespace cairn
