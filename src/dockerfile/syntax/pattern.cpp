#include "dockerfile/syntax/pattern.hpp"

#include "dockerfile/syntax/unicode.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <limits>
#include <optional>

namespace cairn {

namespace {

constexpr std::size_t npos = std::numeric_limits<std::size_t>::max();

std::string concatenate(const std::vector<std::string_view>& parts, std::size_t from,
                        std::size_t to) {
  std::string out;
  for (std::size_t i = from; i < to; ++i)
    out += parts[i];
  return out;
}

/// A `$name` or `${name}` at the start of `text` (behind the dollar).
struct Reference {
  std::string_view name;
  std::size_t size;
};

std::optional<Reference> parse_reference(std::string_view text) {
  const bool braced = text.starts_with('{');
  std::size_t end = braced ? 1 : 0;
  while (end < text.size()) {
    const auto point = decode_utf8(text.substr(end));
    if (!is_letter(point.value) && !is_decimal_digit(point.value) && point.value != '_')
      break;
    end += point.size;
  }
  const auto name = text.substr(braced ? 1 : 0, end - (braced ? 1 : 0));
  if (name.empty() || (braced && !text.substr(end).starts_with('}')))
    return std::nullopt;
  return Reference{name, braced ? end + 1 : end};
}

void check_length(const std::string& result) {
  if (result.size() > longest_expansion)
    throw Error("the result is longer than {} bytes", longest_expansion);
}

/// Fills a replacement template. The patterns have no groups: only $0 means something.
std::string fill_template(std::string_view text, std::string_view matched) {
  std::string out;
  for (auto dollar = text.find('$'); dollar != std::string_view::npos; dollar = text.find('$')) {
    out += text.substr(0, dollar);
    check_length(out);
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      out += '$';
      text.remove_prefix(1);
    } else if (const auto reference = parse_reference(text)) {
      if (reference->name == "0")
        out += matched;
      text.remove_prefix(reference->size);
    } else {
      out += '$';
    }
  }
  return out += text;
}

} // namespace

/// Steps are what a value's characters and a pattern's add up to: two of them long, or one tried
/// at every place, would take hours. So would a long replacement that comes to nothing.
class ShellPattern::Effort {
public:
  void spend(std::size_t steps) {
    if (steps > left_)
      throw Error("a pattern of this length takes too long on a value of this length");
    left_ -= steps;
  }

private:
  std::size_t left_ = std::size_t{20} * 1000 * 1000;
};

ShellPattern ShellPattern::parse(std::string_view text) {
  ShellPattern pattern;
  const auto whole = text;
  while (!text.empty()) {
    auto size = decode_utf8(text).size;
    auto kind = text[0] == '*'   ? Kind::any_run
                : text[0] == '?' ? Kind::any_character
                                 : Kind::literal;
    if (text[0] == '\\') {
      text.remove_prefix(1);
      if (text.empty() || std::string_view("*?\\}/").find(text[0]) == std::string_view::npos)
        throw Error("invalid pattern '{}': '\\' must be followed by one of * ? \\ }} /",
                    printable(whole));
      kind = Kind::literal;
      size = 1;
    }
    pattern.tokens_.push_back(
        {kind, kind == Kind::literal ? std::string(text.substr(0, size)) : std::string()});
    text.remove_prefix(size);
  }
  return pattern;
}

ShellPattern::Characters ShellPattern::characters(std::string_view value) {
  Characters out;
  while (!value.empty()) {
    const auto size = decode_utf8(value).size;
    out.push_back(value.substr(0, size));
    value.remove_prefix(size);
  }
  return out;
}

ShellPattern ShellPattern::reversed() const {
  ShellPattern other = *this;
  std::reverse(other.tokens_.begin(), other.tokens_.end());
  return other;
}

// Follows all ways through the pattern at once, so that no pattern takes exponential time.
// states[i] says that the tokens before i can have matched what was read.
std::size_t ShellPattern::match_length(const Characters& value, std::size_t from, Reach reach,
                                       Effort& effort) const {
  std::vector<bool> states(tokens_.size() + 1, false);
  states[0] = true;
  std::size_t found = npos;
  for (std::size_t at = from;; ++at) {
    effort.spend(states.size());
    for (std::size_t i = 0; i < tokens_.size(); ++i)
      if (states[i] && tokens_[i].kind == Kind::any_run)
        states[i + 1] = true;
    if (states.back())
      found = at - from;
    if (at == value.size() || (found != npos && reach == Reach::shortest))
      return found;
    std::vector<bool> next(states.size(), false);
    bool alive = false;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (!states[i] || !takes(tokens_[i], value[at]))
        continue;
      next[tokens_[i].kind == Kind::any_run ? i : i + 1] = true;
      alive = true;
    }
    if (!alive)
      return found;
    states.swap(next);
  }
}

bool ShellPattern::takes(const Token& token, std::string_view character) {
  return token.kind == Kind::literal ? character == token.character : character != "\n";
}

std::string ShellPattern::trim_prefix(std::string_view value, Reach reach) const {
  Effort effort;
  const auto parts = characters(value);
  const auto length = match_length(parts, 0, reach, effort);
  return length == npos ? std::string(value) : concatenate(parts, length, parts.size());
}

std::string ShellPattern::trim_suffix(std::string_view value, Reach reach) const {
  const auto parts = characters(value);
  const Characters backwards(parts.rbegin(), parts.rend());
  Effort effort;
  const auto length = reversed().match_length(backwards, 0, reach, effort);
  return length == npos ? std::string(value) : concatenate(parts, 0, parts.size() - length);
}

std::string ShellPattern::replace_first(std::string_view value,
                                        std::string_view replacement) const {
  Effort effort;
  const auto parts = characters(value);
  for (std::size_t from = 0; from <= parts.size(); ++from) {
    const auto length = match_length(parts, from, Reach::longest, effort);
    if (length != npos)
      return concatenate(parts, 0, from) + std::string(replacement) +
             concatenate(parts, from + length, parts.size());
  }
  return std::string(value);
}

std::string ShellPattern::replace_all(std::string_view value, std::string_view replacement) const {
  Effort effort;
  const auto parts = characters(value);
  std::string out;
  std::size_t last_end = npos;
  for (std::size_t from = 0; from <= parts.size();) {
    const auto length = match_length(parts, from, Reach::longest, effort);
    // An empty match right behind a match does not count.
    if (length != npos && (length > 0 || from != last_end)) {
      effort.spend(replacement.size());
      out += fill_template(replacement, concatenate(parts, from, from + length));
      check_length(out);
      last_end = from + length;
    }
    if (length != npos && length > 0) {
      from += length;
    } else {
      out += from < parts.size() ? parts[from] : std::string_view();
      ++from;
    }
  }
  return out;
}

} // namespace cairn
