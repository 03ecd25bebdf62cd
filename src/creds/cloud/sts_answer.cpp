#include "creds/cloud/sts_answer.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace cairn {

namespace {

constexpr std::size_t max_depth = 32;

[[noreturn]] void malformed(std::string_view why) {
  throw Error("XML: {}", why);
}

/// UTF-8. Only what XML allows.
std::string encode(std::uint32_t code) {
  const bool is_char = code == 9 || code == 10 || code == 13 || (code >= 0x20 && code < 0xd800) ||
                       (code >= 0xe000 && code < 0xfffe) || (code >= 0x10000 && code < 0x110000);
  if (!is_char)
    malformed("a reference to what is no character");
  const auto tail = [&](unsigned shift) {
    return static_cast<char>(0x80 | (code >> shift & 0x3f));
  };
  if (code < 0x80)
    return {static_cast<char>(code)};
  if (code < 0x800)
    return {static_cast<char>(0xc0 | code >> 6), tail(0)};
  if (code < 0x10000)
    return {static_cast<char>(0xe0 | code >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
}

std::string resolve(std::string_view entity) {
  for (const auto& [name, text] :
       {std::pair{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}})
    if (entity == name)
      return text;
  if (!entity.starts_with('#') || entity.size() > 9)
    malformed("an unknown entity");
  const bool hex = entity.starts_with("#x");
  std::uint32_t code = 0;
  const auto digits = entity.substr(hex ? 2 : 1);
  for (const char c : digits) {
    const auto digit = std::string_view("0123456789abcdef").find(to_lower({&c, 1}));
    if (digit == std::string_view::npos || digit >= (hex ? 16U : 10U))
      malformed("an unknown entity");
    code = code * (hex ? 16 : 10) + static_cast<std::uint32_t>(digit);
  }
  return encode(digits.empty() ? 0 : code);
}

std::string unescape(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto at = std::min(text.find('&'), text.size());
    out += text.substr(0, at);
    text.remove_prefix(at);
    if (text.empty())
      break;
    const auto end = text.find(';');
    if (end == std::string_view::npos)
      malformed("an entity without an end");
    out += resolve(text.substr(1, end - 1));
    text.remove_prefix(end + 1);
  }
  return out;
}

/// Goes from tag to tag and keeps the text of the wanted element.
class Reader {
public:
  Reader(std::string_view document, std::string_view wanted) : rest_(document), wanted_(wanted) {}

  std::optional<std::string> find() {
    while (!rest_.empty()) {
      const auto at = std::min(rest_.find('<'), rest_.size());
      const auto text = rest_.substr(0, at);
      if (open_.empty() && !trim(text).empty())
        malformed("text outside of the document");
      text_ += text;
      rest_.remove_prefix(at);
      if (!rest_.empty() && take_markup())
        return unescape(text_);
    }
    if (!open_.empty())
      malformed("an element without an end");
    return std::nullopt;
  }

private:
  /// True when the wanted element has ended.
  bool take_markup() {
    if (rest_.starts_with("<!--")) {
      skip_past("-->");
      return false;
    }
    if (rest_.starts_with("<?")) {
      skip_past("?>");
      return false;
    }
    if (rest_.starts_with("<!"))
      malformed("a declaration, which no answer needs");
    const auto end = rest_.find('>');
    if (end == std::string_view::npos)
      malformed("a tag without an end");
    const auto tag = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return tag.starts_with('/') ? close(trim(tag.substr(1))) : open(tag);
  }

  bool open(std::string_view tag) {
    const bool is_empty = tag.ends_with('/');
    const auto name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
    if (name.empty())
      malformed("a tag without a name");
    text_.clear();
    is_leaf_ = true;
    if (is_empty) {
      is_leaf_ = false;
      return name == wanted_;
    }
    if (open_.size() == max_depth)
      malformed("nested deeper than 32 levels");
    open_.push_back(name);
    return false;
  }

  bool close(std::string_view name) {
    if (open_.empty() || open_.back() != name)
      malformed("a tag that ends nothing");
    open_.pop_back();
    return std::exchange(is_leaf_, false) && name == wanted_;
  }

  void skip_past(std::string_view mark) {
    const auto at = rest_.find(mark);
    if (at == std::string_view::npos)
      malformed("a comment without an end");
    rest_.remove_prefix(at + mark.size());
  }

  std::string_view rest_;
  std::string_view wanted_;
  std::vector<std::string_view> open_;
  std::string text_;
  bool is_leaf_ = false; ///< Nothing but text has come since the last opening tag.
};

} // namespace

std::optional<std::string> xml_element(std::string_view document, std::string_view name) {
  return Reader(document, name).find();
}

} // namespace cairn
