#pragma once

#include <string_view>

namespace cairn {

/// Go's filepath.Match on Unix, which COPY and ADD use for their sources: `*` and `?` stop at "/",
/// `[a-z]` and `[^a]` are classes, `\` quotes. A pattern fits the whole name or not at all.
/// @throws Error "syntax error in pattern" when the pattern is malformed, whatever the name
bool match_glob(std::string_view pattern, std::string_view name);

/// Whether a source has to be looked for: it holds an unquoted `*`, `?` or `[`.
bool has_wildcard(std::string_view pattern) noexcept;

/// Whether a class in it holds the slash, which Go lets it match: "a[^b]c" fits "a/c".
/// @pre the pattern is well-formed
bool has_slash_class(std::string_view pattern);

} // namespace cairn
