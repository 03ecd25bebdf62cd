#include "fs/pattern/go_expression.hpp"

#include "fs/pattern/utf8.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace cairn {

bool CharClass::holds(char32_t c) const noexcept {
  const bool in = std::any_of(ranges.begin(), ranges.end(), [&](const auto& range) {
    return range.first <= c && c <= range.second;
  });
  return in != negated;
}

namespace {

using Item = ExpressionItem;
using Ranges = std::vector<std::pair<char32_t, char32_t>>;

[[noreturn]] void bad_pattern() {
  throw Error("syntax error in pattern");
}

struct NamedClass {
  std::string_view name;
  std::array<std::pair<char, char>, 4> ranges; // unused ones are {1, 0}, which is empty
};

constexpr std::pair<char, char> none{1, 0};
constexpr std::pair<char, char> digits{'0', '9'};
constexpr std::pair<char, char> upper{'A', 'Z'};
constexpr std::pair<char, char> lower{'a', 'z'};

// Perl's by their letter, POSIX's by their name: RE2 syntax, ASCII.
constexpr std::array<NamedClass, 17> named_classes{{
    {"d", {digits, none, none, none}},
    {"s", {{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}, none}}},
    {"w", {{digits, upper, {'_', '_'}, lower}}},
    {"alnum", {digits, upper, lower, none}},
    {"alpha", {upper, lower, none, none}},
    {"ascii", {{{0, 0x7F}, none, none, none}}},
    {"blank", {{{'\t', '\t'}, {' ', ' '}, none, none}}},
    {"cntrl", {{{0, 0x1F}, {0x7F, 0x7F}, none, none}}},
    {"digit", {digits, none, none, none}},
    {"graph", {{{'!', '~'}, none, none, none}}},
    {"lower", {lower, none, none, none}},
    {"print", {{{' ', '~'}, none, none, none}}},
    {"punct", {{{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}}},
    {"space", {{{'\t', '\r'}, {' ', ' '}, none, none}}},
    {"upper", {upper, none, none, none}},
    {"word", {{digits, upper, {'_', '_'}, lower}}},
    {"xdigit", {{digits, {'A', 'F'}, {'a', 'f'}, none}}},
}};

const NamedClass* find_class(std::string_view name) {
  const auto found = std::find_if(named_classes.begin(), named_classes.end(),
                                  [&](const auto& known) { return known.name == name; });
  return found == named_classes.end() ? nullptr : &*found;
}

// Adds a named class or, negated, everything but it. @pre its ranges ascend
void add_class(Ranges& to, const NamedClass& known, bool negated) {
  char32_t next = 0;
  for (const auto& [low, high] : known.ranges) {
    if (low > high)
      continue;
    const auto first = static_cast<char32_t>(low);
    if (!negated)
      to.emplace_back(first, static_cast<char32_t>(high));
    else if (first > next)
      to.emplace_back(next, first - 1);
    next = static_cast<char32_t>(high) + 1;
  }
  if (negated)
    to.emplace_back(next, 0x10FFFF);
}

bool is_alnum(char32_t c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

int digit_value(char32_t c) noexcept {
  if (c >= '0' && c <= '9')
    return static_cast<int>(c - '0');
  if (c >= 'a' && c <= 'f')
    return static_cast<int>(c - 'a') + 10;
  if (c >= 'A' && c <= 'F')
    return static_cast<int>(c - 'A') + 10;
  return 16;
}

class ExpressionParser {
public:
  explicit ExpressionParser(std::string_view text) : rest_(text) {}

  std::vector<Item> run() {
    while (!rest_.empty())
      element();
    return std::move(items_);
  }

private:
  static constexpr std::string_view any_directories = "(.*/)?";

  void element() {
    if (rest_.starts_with(any_directories)) {
      rest_.remove_prefix(any_directories.size());
      items_.push_back({Item::Kind::directories, {}});
      return;
    }
    const auto c = take();
    if (c == '^') {
      items_.push_back({Item::Kind::at_start, {}});
      return;
    }
    if (c == '\\' && assertion())
      return;
    Item item;
    if (c == '.')
      item.chars = {{{'\n', '\n'}}, true};
    else if (c == '[')
      item.chars = char_class();
    else if (c == '\\')
      escape_into(item.chars.ranges);
    else
      item.chars.ranges = {{c, c}};
    if (rest_.starts_with('*')) {
      rest_.remove_prefix(1);
      item.kind = Item::Kind::many;
    }
    items_.push_back(std::move(item));
  }

  bool assertion() {
    constexpr std::array<std::pair<char, Item::Kind>, 4> assertions{{
        {'A', Item::Kind::at_start},
        {'z', Item::Kind::at_end},
        {'b', Item::Kind::word_boundary},
        {'B', Item::Kind::no_boundary},
    }};
    for (const auto& [letter, kind] : assertions) {
      if (!rest_.starts_with(letter))
        continue;
      rest_.remove_prefix(1);
      // Go repeats assertions as well, which says no more than none at all.
      if (rest_.starts_with('*'))
        rest_.remove_prefix(1);
      else
        items_.push_back({kind, {}});
      return true;
    }
    return false;
  }

  char32_t take() {
    if (rest_.empty())
      bad_pattern();
    const auto rune = decode_rune(rest_);
    rest_.remove_prefix(rune.width);
    return rune.value;
  }

  // After a backslash: a class such as \d, or a character.
  void escape_into(Ranges& to) {
    const auto* known = rest_.empty() ? nullptr : find_class(rest_.substr(0, 1));
    const auto* other = rest_.empty() ? nullptr : perl_complement(rest_.front());
    if (known == nullptr && other == nullptr) {
      const auto c = escaped();
      to.emplace_back(c, c);
      return;
    }
    rest_.remove_prefix(1);
    add_class(to, known != nullptr ? *known : *other, known == nullptr);
  }

  static const NamedClass* perl_complement(char letter) {
    if (letter == 'D' || letter == 'S' || letter == 'W') {
      const char lower_letter = static_cast<char>(letter - 'A' + 'a');
      return find_class({&lower_letter, 1});
    }
    return nullptr;
  }

  char32_t escaped() {
    constexpr std::array<std::pair<char32_t, char32_t>, 6> controls{
        {{'a', 7}, {'f', '\f'}, {'n', '\n'}, {'r', '\r'}, {'t', '\t'}, {'v', '\v'}}};
    const auto c = take();
    for (const auto& [letter, control] : controls)
      if (c == letter)
        return control;
    if (c == 'x')
      return hexadecimal();
    if (c >= '0' && c <= '7')
      return octal(c);
    if (c >= 0x80 || is_alnum(c))
      bad_pattern();
    return c;
  }

  // A single digit other than 0 would be a back reference.
  char32_t octal(char32_t first) {
    const auto more = [&] { return !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '7'; };
    if (first != '0' && !more())
      bad_pattern();
    auto value = first - '0';
    for (int i = 0; i < 2 && more(); ++i)
      value = value * 8 + (take() - '0');
    return value;
  }

  // Braces never get here unquoted, so there is only the short form.
  char32_t hexadecimal() {
    const int high = digit_value(take());
    const int low = digit_value(take());
    if (high > 15 || low > 15)
      bad_pattern();
    return static_cast<char32_t>(high * 16 + low);
  }

  CharClass char_class() {
    CharClass out;
    if (rest_.starts_with('^')) {
      out.negated = true;
      rest_.remove_prefix(1);
    }
    for (bool first = true; first || !rest_.starts_with(']'); first = false) {
      if (rest_.starts_with("[:") && posix_class(out.ranges))
        continue;
      class_member(out.ranges);
    }
    rest_.remove_prefix(1);
    return out;
  }

  bool posix_class(Ranges& to) {
    const auto end = rest_.find(":]", 2);
    if (end == std::string_view::npos)
      return false;
    auto name = rest_.substr(2, end - 2);
    const bool negated = name.starts_with('^');
    name.remove_prefix(negated ? 1 : 0);
    const auto* known = find_class(name);
    if (known == nullptr || name.size() == 1)
      bad_pattern();
    rest_.remove_prefix(end + 2);
    add_class(to, *known, negated);
    return true;
  }

  void class_member(Ranges& to) {
    if (rest_.starts_with('\\') && rest_.size() > 1 && is_perl_letter(rest_[1])) {
      rest_.remove_prefix(1);
      escape_into(to);
      return;
    }
    const auto low = class_char();
    auto high = low;
    if (rest_.size() >= 2 && rest_[0] == '-' && rest_[1] != ']') {
      rest_.remove_prefix(1);
      high = class_char();
    }
    if (high < low)
      bad_pattern();
    to.emplace_back(low, high);
  }

  static bool is_perl_letter(char c) noexcept {
    return std::string_view("dDsSwW").find(c) != std::string_view::npos;
  }

  char32_t class_char() {
    const auto c = take();
    return c == '\\' ? escaped() : c;
  }

  std::string_view rest_;
  std::vector<Item> items_;
};

} // namespace

std::vector<ExpressionItem> parse_go_expression(std::string_view expression) {
  return ExpressionParser(expression).run();
}

} // namespace cairn
