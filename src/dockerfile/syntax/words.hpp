#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// The value of a variable, or nothing when it is not set.
using VariableLookup = std::function<std::optional<std::string>(std::string_view name)>;

enum class Quotes {
  remove,  ///< '...' and "..." have their meaning and vanish.
  keep,    ///< They have their meaning and stay.
  ordinary ///< They are characters like any other.
};
enum class Escapes { remove, keep };
enum class UnsetVariables { vanish, keep };

/// How text is read. The defaults are those of an instruction's arguments.
struct WordRules {
  char escape = '\\'; ///< The file's escape character: \ or `.
  Quotes quotes = Quotes::remove;
  Escapes escapes = Escapes::remove;
  UnsetVariables unset = UnsetVariables::vanish;
};

struct Expansion {
  std::string word;                ///< The whole text expanded; blanks stay.
  std::vector<std::string> words;  ///< The same split at unquoted blanks; empty words vanish.
  std::set<std::string> matched;   ///< Variables that were looked up and set.
  std::set<std::string> unmatched; ///< Variables that were looked up and not set.
};

/// Expands $v, ${v} and ${v<modifier>} with the modifiers :- - :+ + :? ? # ## % %% / //
/// the way BuildKit's Dockerfile frontend does. Inside ${v...} the word is expanded in turn.
/// Patterns know * and ? (neither matches a line feed) and their escapes, no brackets.
/// @throws Error on an unterminated quote or substitution, an unknown modifier, a `${v?}` that
/// fires, nesting deeper than 100, more than 16 MiB of result, a pattern that takes too long.
Expansion expand(std::string_view text, const VariableLookup& lookup, const WordRules& rules = {});

/// One argument of COPY, ENV, WORKDIR...: quotes removed, not split.
std::string expand_word(std::string_view text, const VariableLookup& lookup, char escape = '\\');

/// One argument of EXPOSE, VOLUME, ARG: quotes removed and split after the expansion.
std::vector<std::string> expand_words(std::string_view text, const VariableLookup& lookup,
                                      char escape = '\\');

/// The body of an unquoted heredoc of COPY or ADD: quotes are ordinary characters and the escape
/// character is always a backslash.
std::string expand_heredoc(std::string_view content, const VariableLookup& lookup);

} // namespace cairn
