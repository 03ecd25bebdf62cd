#include "fs/pattern/glob.hpp"

#include "fs/pattern/utf8.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <optional>

namespace cairn {

namespace {

[[noreturn]] void malformed() {
  throw Error("syntax error in pattern");
}

// One end of a range in a class.
char32_t take_class_rune(std::string_view& rest) {
  if (rest.empty() || rest.front() == '-' || rest.front() == ']')
    malformed();
  if (rest.front() == '\\') {
    rest.remove_prefix(1);
    if (rest.empty())
      malformed();
  }
  const auto rune = decode_rune(rest);
  if (is_broken(rune))
    malformed();
  rest.remove_prefix(rune.width);
  if (rest.empty())
    malformed();
  return rune.value;
}

// `rest` starts after the "["; it is left after the "]".
bool class_holds(std::string_view& rest, char32_t rune) {
  bool negated = false;
  if (rest.starts_with('^')) {
    negated = true;
    rest.remove_prefix(1);
  }
  bool found = false;
  for (bool first = true; first || !rest.starts_with(']'); first = false) {
    const auto low = take_class_rune(rest);
    auto high = low;
    if (rest.starts_with('-')) {
      rest.remove_prefix(1);
      high = take_class_rune(rest);
    }
    found = found || (low <= rune && rune <= high);
  }
  rest.remove_prefix(1);
  return found != negated;
}

// Fits one element of `chunk` to the start of `name`, and takes both. False when it does not fit;
// `chunk` is taken all the same, so that its syntax is always seen.
bool take_element(std::string_view& chunk, std::string_view& name) {
  const char kind = chunk.front();
  chunk.remove_prefix(1);
  if (kind == '[') {
    const auto rune = name.empty() ? Rune{0, 0} : decode_rune(name);
    const bool fits = class_holds(chunk, rune.value) && !name.empty();
    name.remove_prefix(rune.width);
    return fits;
  }
  char literal = kind;
  if (kind == '\\') {
    if (chunk.empty())
      malformed();
    literal = chunk.front();
    chunk.remove_prefix(1);
  }
  if (name.empty())
    return false;
  const bool any = kind == '?';
  const bool fits = any ? name.front() != '/' : name.front() == literal;
  name.remove_prefix(any ? decode_rune(name).width : 1);
  return fits;
}

// What is left of `name` after all of `chunk`, which holds no star.
std::optional<std::string_view> after_chunk(std::string_view chunk, std::string_view name) {
  bool fits = true;
  while (!chunk.empty())
    fits = take_element(chunk, name) && fits;
  return fits ? std::optional(name) : std::nullopt;
}

// Takes everything up to the next star outside a class.
std::string_view take_chunk(std::string_view& pattern) {
  bool in_class = false;
  std::size_t end = 0;
  for (; end < pattern.size(); ++end) {
    const char c = pattern[end];
    if (c == '\\')
      ++end;
    else if (c == '[')
      in_class = true;
    else if (c == ']')
      in_class = false;
    else if (c == '*' && !in_class)
      break;
  }
  const auto chunk = pattern.substr(0, end);
  pattern.remove_prefix(chunk.size());
  return chunk;
}

// Moves `name` behind the first place where `chunk` fits, not beyond the next slash.
bool skip_to(std::string_view chunk, bool is_last, std::string_view& name) {
  for (std::size_t at = 0;; ++at) {
    const auto rest = after_chunk(chunk, name.substr(at));
    if (rest && (rest->empty() || !is_last)) {
      name = *rest;
      return true;
    }
    if (at == name.size() || name[at] == '/')
      return false;
  }
}

} // namespace

bool match_glob(std::string_view pattern, std::string_view name) {
  bool fits = true;
  while (!pattern.empty()) {
    const bool star = pattern.starts_with('*');
    while (pattern.starts_with('*'))
      pattern.remove_prefix(1);
    const auto chunk = take_chunk(pattern);
    if (!fits) {
      after_chunk(chunk, {});
    } else if (star && chunk.empty()) {
      fits = name.find('/') == std::string_view::npos;
      name = {};
    } else if (star) {
      fits = skip_to(chunk, pattern.empty(), name);
    } else {
      const auto rest = after_chunk(chunk, name);
      fits = rest.has_value();
      name = rest.value_or(name);
    }
  }
  return fits && name.empty();
}

bool has_wildcard(std::string_view pattern) noexcept {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\')
      ++i;
    else if (pattern[i] == '*' || pattern[i] == '?' || pattern[i] == '[')
      return true;
  }
  return false;
}

bool has_slash_class(std::string_view pattern) {
  while (!pattern.empty()) {
    const char c = pattern.front();
    pattern.remove_prefix(c == '\\' ? std::min<std::size_t>(2, pattern.size()) : 1);
    if (c == '[' && class_holds(pattern, '/'))
      return true;
  }
  return false;
}

} // namespace cairn
