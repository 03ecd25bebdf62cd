#include "fs/pattern/ignore_pattern.hpp"

#include "fs/pattern/go_expression.hpp"
#include "fs/pattern/utf8.hpp"

#include <algorithm>

namespace cairn {

namespace {

using Item = ExpressionItem;

// What moby's matcher makes of a pattern. Types change in the order in which it meets the
// characters: that a leading `**` followed by plain text is a suffix depends on it.
struct Translation {
  enum class Type { exact, prefix, suffix, expression } type = Type::exact;
  std::string expression;
};

class Translator {
public:
  explicit Translator(std::string_view pattern) : rest_(pattern) {}

  Translation run() {
    for (bool first = true; !rest_.empty(); first = false) {
      const char c = take();
      if (c == '*' && rest_.starts_with('*'))
        double_star(first);
      else if (c == '*')
        add("[^/]*");
      else if (c == '?')
        add("[^/]");
      else if (c == '\\' && !rest_.empty())
        add({'\\', take()});
      else if (c == '[' || c == ']')
        add({c});
      else if (std::string_view(".+()|{}$").find(c) != std::string_view::npos)
        out_.expression += {'\\', c};
      else
        out_.expression += c;
    }
    return std::move(out_);
  }

private:
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }

  void add(const std::string& text) {
    out_.expression += text;
    out_.type = Translation::Type::expression;
  }

  void double_star(bool first) {
    rest_.remove_prefix(1);
    if (rest_.starts_with('/'))
      rest_.remove_prefix(1);
    if (!rest_.empty())
      add("(.*/)?");
    else if (out_.type == Translation::Type::exact)
      out_.type = Translation::Type::prefix;
    else
      add(".*");
    if (first)
      out_.type = Translation::Type::suffix;
  }

  std::string_view rest_;
  Translation out_;
};

bool is_word(char32_t c) noexcept {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// The places in an expression that may be reached at one place of a path.
class Places {
public:
  explicit Places(const std::vector<Item>& items) : items_(&items), set_(items.size() + 1) {}

  struct Boundary {
    bool start = false;
    bool end = false;
    bool word_edge = false;
  };

  void add(std::size_t at, const Boundary& here) {
    while (!set_[at]) {
      stay(at);
      if (at == items_->size() || !passes((*items_)[at].kind, here))
        return;
      ++at;
    }
  }

  // Only the place itself: in the middle of `(.*/)?`, whose slash is still to come.
  void stay(std::size_t at) {
    set_[at] = 1;
    any_ = true;
  }

  void clear() {
    std::fill(set_.begin(), set_.end(), char{0});
    any_ = false;
  }

  bool has(std::size_t at) const { return set_[at] != 0; }
  bool any() const noexcept { return any_; }

private:
  static bool passes(Item::Kind kind, const Boundary& here) {
    switch (kind) {
    case Item::Kind::one:
      return false;
    case Item::Kind::many:
    case Item::Kind::directories:
      return true;
    case Item::Kind::at_start:
      return here.start;
    case Item::Kind::at_end:
      return here.end;
    case Item::Kind::word_boundary:
      return here.word_edge;
    case Item::Kind::no_boundary:
      return !here.word_edge;
    }
    return false;
  }

  const std::vector<Item>* items_;
  std::vector<char> set_;
  bool any_ = false;
};

// In ascending order: what is added at a place comes from those before it, so that no place is
// only stayed at before it is added with all that follows.
void step(const std::vector<Item>& items, const Places& from, char32_t c, Places& to,
          const Places::Boundary& after) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!from.has(i))
      continue;
    const auto kind = items[i].kind;
    if (kind == Item::Kind::directories && c != '\n')
      to.stay(i);
    if (kind == Item::Kind::directories && c == '/')
      to.add(i + 1, after);
    if (kind == Item::Kind::one && items[i].chars.holds(c))
      to.add(i + 1, after);
    if (kind == Item::Kind::many && items[i].chars.holds(c))
      to.add(i, after);
  }
}

Places::Boundary boundary(bool previous_is_word, bool start, std::string_view rest) {
  const bool next_is_word = !rest.empty() && is_word(decode_rune(rest).value);
  return {start, rest.empty(), previous_is_word != next_is_word};
}

bool run_expression(const std::vector<Item>& items, std::string_view path) {
  Places now(items);
  Places next(items);
  now.add(0, boundary(false, true, path));
  while (!path.empty() && now.any()) {
    const auto rune = decode_rune(path);
    path.remove_prefix(rune.width);
    next.clear();
    step(items, now, rune.value, next, boundary(is_word(rune.value), false, path));
    std::swap(now, next);
  }
  return path.empty() && now.has(items.size());
}

// The character that an item stands for when it is a single ASCII one.
char plain_char(const Item& item) noexcept {
  const auto& chars = item.chars;
  const bool single = item.kind == Item::Kind::one && !chars.negated && chars.ranges.size() == 1 &&
                      chars.ranges[0].first == chars.ranges[0].second;
  return single && chars.ranges[0].first < 0x80 ? static_cast<char>(chars.ranges[0].first) : '\0';
}

// `directory` and `head` are compatible: one path may start with both.
bool may_start_below(std::string_view directory, std::string_view head) {
  const std::string inside = std::string(directory) + "/";
  return inside.starts_with(head) || head.starts_with(inside);
}

} // namespace

IgnorePattern::IgnorePattern(std::string pattern) : text_(std::move(pattern)) {
  auto translation = Translator(text_).run();
  kind_ = static_cast<Kind>(translation.type);
  if (kind_ == Kind::prefix)
    text_.resize(text_.size() - 2);
  if (kind_ == Kind::suffix)
    text_.erase(0, 2);
  if (kind_ != Kind::expression)
    return;
  items_ = parse_go_expression(translation.expression);
  for (auto at = items_.begin(); at != items_.end() && plain_char(*at) != '\0'; ++at)
    head_ += plain_char(*at);
  for (auto at = items_.rbegin(); at != items_.rend() && plain_char(*at) != '\0'; ++at)
    tail_ += plain_char(*at);
  std::reverse(tail_.begin(), tail_.end());
}

bool IgnorePattern::fits(std::string_view path) const {
  switch (kind_) {
  case Kind::exact:
    return path == text_;
  case Kind::prefix:
    return path.starts_with(text_);
  case Kind::suffix:
    return path.ends_with(text_) || (text_.starts_with('/') && path == text_.substr(1));
  case Kind::expression:
    return path.starts_with(head_) && path.ends_with(tail_) && run_expression(items_, path);
  }
  return false;
}

bool IgnorePattern::may_fit_below(std::string_view directory) const {
  switch (kind_) {
  case Kind::exact:
    return text_.starts_with(std::string(directory) + "/");
  case Kind::prefix:
    return may_start_below(directory, text_);
  case Kind::suffix:
    return true;
  case Kind::expression:
    return may_start_below(directory, head_);
  }
  return true;
}

} // namespace cairn
