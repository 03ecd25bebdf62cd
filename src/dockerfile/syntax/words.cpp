#include "dockerfile/syntax/words.hpp"

#include "dockerfile/syntax/pattern.hpp"
#include "dockerfile/syntax/unicode.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

constexpr int max_depth = 100;
constexpr std::size_t longest_shown = 160;

/// Gathers words the way a shell splits fields: blanks that stood unquoted end a word.
class WordCollector {
public:
  void add_quoted(std::string_view text) { word_ += text; }

  void add(std::string_view text) {
    while (!text.empty()) {
      const auto point = decode_utf8(text);
      if (is_space(point.value))
        end_word();
      else
        word_ += text.substr(0, point.size);
      text.remove_prefix(point.size);
    }
  }

  void drop_unfinished() { word_.clear(); }

  std::vector<std::string> take() {
    end_word();
    return std::move(words_);
  }

private:
  void end_word() {
    if (!word_.empty())
      words_.push_back(std::exchange(word_, {}));
  }

  std::string word_;
  std::vector<std::string> words_;
};

/// One pass over a text. Reads from the front of `rest_`.
class Expander {
public:
  Expander(std::string_view text, const VariableLookup& lookup, const WordRules& rules)
      : whole_(text), rest_(text), lookup_(lookup), rules_(rules) {}

  Expansion run() {
    result_.word = read_until('\0', rules_.escapes, &words_);
    result_.words = words_.take();
    return std::move(result_);
  }

private:
  template<class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw Error("cannot expand '{}{}': {}", printable(whole_.substr(0, longest_shown)),
                whole_.size() > longest_shown ? "..." : "",
                fmt::format(format, std::forward<Args>(args)...));
  }

  /// A variable may hold any number of others.
  void append(std::string& to, std::string_view piece) const {
    if (piece.size() > longest_expansion - std::min(to.size(), longest_expansion))
      fail("it becomes longer than {} bytes", longest_expansion);
    to += piece;
  }

  bool at(char c) const { return rest_.starts_with(c); }
  std::string_view take(std::size_t size) {
    const auto taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view take_character() { return take(decode_utf8(rest_).size); }

  std::string read_until(char stop, Escapes escapes, WordCollector* words);
  void read_plain(Escapes escapes, std::string& out, WordCollector* words);
  std::string read_special(Escapes escapes);
  std::string read_single_quoted();
  std::string read_double_quoted(Escapes escapes);
  std::string read_heredoc_start();
  std::string read_inner(char stop, Escapes escapes);
  std::string read_dollar();
  std::string read_substitution();
  std::string read_conditional(const std::string& name, std::string modifier);
  std::string read_trimming(const std::string& name, std::string_view modifier);
  std::string read_replacement(const std::string& name);
  std::string_view read_name();
  bool special(char c) const;
  std::optional<std::string> value_of(std::string_view name);

  std::string_view whole_;
  std::string_view rest_;
  const VariableLookup& lookup_;
  const WordRules& rules_;
  WordCollector words_;
  Expansion result_;
  int depth_ = 0;
};

bool Expander::special(char c) const {
  const bool quote = c == '\'' || c == '"';
  return c == '$' || c == '<' || (quote && rules_.quotes != Quotes::ordinary);
}

// `stop` is consumed. NUL stands for the end of the text.
std::string Expander::read_until(char stop, Escapes escapes, WordCollector* words) {
  std::string out;
  while (!rest_.empty()) {
    if (stop != '\0' && at(stop)) {
      take(1);
      return out;
    }
    const char c = rest_[0];
    if (!special(c)) {
      read_plain(escapes, out, words);
      continue;
    }
    const auto piece = read_special(escapes);
    append(out, piece);
    if (words != nullptr && c == '$')
      words->add(piece);
    else if (words != nullptr)
      words->add_quoted(piece);
  }
  if (stop != '\0')
    fail("'{}' is missing", stop);
  return out;
}

void Expander::read_plain(Escapes escapes, std::string& out, WordCollector* words) {
  const bool escaped = at(rules_.escape);
  std::string_view character = take_character();
  if (!escaped) {
    out += character;
    if (words != nullptr)
      words->add(character);
    return;
  }
  std::string piece(escapes == Escapes::keep ? character : std::string_view());
  // An escape character at the very end escapes nothing and vanishes.
  if (!rest_.empty())
    piece += take_character();
  out += piece;
  if (words != nullptr)
    words->add_quoted(piece);
}

std::string Expander::read_special(Escapes escapes) {
  switch (rest_[0]) {
  case '$':
    return read_dollar();
  case '\'':
    return read_single_quoted();
  case '"':
    return read_double_quoted(escapes);
  default:
    return read_heredoc_start();
  }
}

std::string Expander::read_single_quoted() {
  const auto end = rest_.find('\'', 1);
  if (end == std::string_view::npos)
    fail("a single quote has no partner");
  const auto quoted = take(end + 1);
  return std::string(rules_.quotes == Quotes::keep ? quoted : quoted.substr(1, end - 1));
}

std::string Expander::read_double_quoted(Escapes escapes) {
  take(1);
  std::string out;
  while (!at('"')) {
    if (rest_.empty())
      fail("a double quote has no partner");
    if (at('$')) {
      append(out, read_dollar());
      continue;
    }
    const bool escape = at(rules_.escape);
    auto character = take_character();
    if (escape) {
      if (escapes == Escapes::keep)
        out += character;
      if (rest_.empty())
        continue;
      if (at('"') || at('$') || at(rules_.escape))
        character = take(1);
    }
    out += character;
  }
  take(1);
  return rules_.quotes == Quotes::keep ? '"' + out + '"' : out;
}

// The blanks between << and the terminator belong to the word.
std::string Expander::read_heredoc_start() {
  std::size_t size = 1;
  if (rest_.starts_with("<<")) {
    const auto end = rest_.find_first_not_of(" \t\r", 2);
    size = end == std::string_view::npos ? rest_.size() : end;
  }
  return std::string(take(size));
}

// The word, pattern or replacement inside ${v...}. The frontend of BuildKit 0.32 loses what it has
// of the current word when it meets one: "EXPOSE 80${X:-80}" exposes 80. Its images are the
// measure.
std::string Expander::read_inner(char stop, Escapes escapes) {
  auto text = read_until(stop, escapes, nullptr);
  words_.drop_unfinished();
  return text;
}

std::string Expander::read_dollar() {
  take(1);
  if (at('{')) {
    if (++depth_ > max_depth)
      fail("substitutions are nested more than {} deep", max_depth);
    auto value = read_substitution();
    --depth_;
    return value;
  }
  const auto name = read_name();
  if (name.empty())
    return "$";
  const auto value = value_of(name);
  if (!value && rules_.unset == UnsetVariables::keep)
    return "$" + std::string(name);
  return value.value_or("");
}

std::string Expander::read_substitution() {
  take(1);
  if (rest_.empty())
    fail("'}}' is missing");
  if (at('{') || at('}') || at(':'))
    fail("'${{' must be followed by a name");
  const std::string name(read_name());
  if (rest_.empty())
    fail("'}}' is missing");
  const std::string modifier(take_character());
  switch (modifier[0]) {
  case '}': {
    const auto value = value_of(name);
    if (!value && rules_.unset == UnsetVariables::keep)
      return "${" + name + "}";
    return value.value_or("");
  }
  case ':':
    if (rest_.empty())
      fail("'}}' is missing");
    return read_conditional(name, modifier + std::string(take_character()));
  case '-':
  case '+':
  case '?':
    return read_conditional(name, modifier);
  case '#':
  case '%':
    return read_trimming(name, modifier);
  case '/':
    return read_replacement(name);
  default:
    fail("there is no modifier '{}'", printable(modifier));
  }
}

// ${v-w} ${v+w} ${v?w}; with ":" in front an empty value counts as unset.
std::string Expander::read_conditional(const std::string& name, std::string modifier) {
  const char action = modifier.back();
  const bool empty_is_unset = modifier.size() > 1;
  const auto word = read_inner('}', Escapes::remove);
  const auto value = value_of(name);
  if (!value && rules_.unset == UnsetVariables::keep)
    return "${" + name + modifier + word + "}";
  const bool missing = !value || (empty_is_unset && value->empty());
  switch (action) {
  case '-':
    return missing ? word : *value;
  case '+':
    return missing ? "" : word;
  case '?':
    if (missing)
      throw Error("{}: {}", name,
                  !word.empty() ? word
                  : value       ? "must not be empty"
                                : "must be set");
    return *value;
  default:
    fail("there is no modifier '{}'", printable(modifier));
  }
}

// ${v#p} ${v##p} ${v%p} ${v%%p}
std::string Expander::read_trimming(const std::string& name, std::string_view modifier) {
  const auto word = read_inner('}', Escapes::keep);
  const auto value = value_of(name);
  if (!value && rules_.unset == UnsetVariables::keep)
    return "${" + name + std::string(modifier) + word + "}";
  const bool doubled = word.starts_with(modifier);
  const auto pattern = ShellPattern::parse(std::string_view(word).substr(doubled ? 1 : 0));
  const auto reach = doubled ? Reach::longest : Reach::shortest;
  return modifier == "#" ? pattern.trim_prefix(value.value_or(""), reach)
                         : pattern.trim_suffix(value.value_or(""), reach);
}

// ${v/p/r} ${v//p/r}
std::string Expander::read_replacement(const std::string& name) {
  const bool all = at('/');
  if (all)
    take(1);
  const auto pattern_text = read_inner('/', Escapes::keep);
  const auto replacement = read_inner('}', Escapes::keep);
  const auto value = value_of(name);
  if (!value && rules_.unset == UnsetVariables::keep)
    return "${" + name + "/" + pattern_text + "/" + replacement + "}";
  const auto pattern = ShellPattern::parse(pattern_text);
  return all ? pattern.replace_all(value.value_or(""), replacement)
             : pattern.replace_first(value.value_or(""), replacement);
}

// Letters, digits and "_"; a number; or one of the shell's special parameters.
std::string_view Expander::read_name() {
  if (rest_.empty())
    return {};
  if (std::string_view("@*#?-$!").find(rest_[0]) != std::string_view::npos)
    return take(1);
  const bool number = is_decimal_digit(decode_utf8(rest_).value);
  std::size_t size = 0;
  while (size < rest_.size()) {
    const auto point = decode_utf8(rest_.substr(size));
    const bool part = is_decimal_digit(point.value) ||
                      (!number && (is_letter(point.value) || point.value == '_'));
    if (!part)
      break;
    size += point.size;
  }
  return take(size);
}

std::optional<std::string> Expander::value_of(std::string_view name) {
  auto value = lookup_(name);
  (value ? result_.matched : result_.unmatched).emplace(name);
  return value;
}

} // namespace

Expansion expand(std::string_view text, const VariableLookup& lookup, const WordRules& rules) {
  return Expander(text, lookup, rules).run();
}

std::string expand_word(std::string_view text, const VariableLookup& lookup, char escape) {
  WordRules rules;
  rules.escape = escape;
  return expand(text, lookup, rules).word;
}

std::vector<std::string> expand_words(std::string_view text, const VariableLookup& lookup,
                                      char escape) {
  WordRules rules;
  rules.escape = escape;
  return expand(text, lookup, rules).words;
}

std::string expand_heredoc(std::string_view content, const VariableLookup& lookup) {
  WordRules rules;
  rules.quotes = Quotes::ordinary;
  return expand(content, lookup, rules).word;
}

} // namespace cairn
