#include "net/content_disposition.hpp"

#include "net/url.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

constexpr std::size_t longest_name = 255;

bool is_token_character(char c) {
  constexpr std::string_view separators = "()<>@,;:\\\"/[]?={}";
  return c > ' ' && c < 0x7f && separators.find(c) == std::string_view::npos;
}

/// Reads a header value from left to right.
class Reader {
public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool at_end() const noexcept { return rest_.empty(); }
  void skip_blanks() { rest_ = trim_left(rest_); }

  bool take(char c) {
    if (!rest_.starts_with(c))
      return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Empty when there is none.
  std::string_view token() {
    const auto* const end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
    const auto found = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(found.size());
    return found;
  }

  /// What is between quotes, the first of which has been taken; nothing when the last is missing.
  std::optional<std::string> quoted() {
    std::string text;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"')
        return text;
      // Browsers send "C:\dir\name" as it is: a backslash escapes nothing but these.
      if (c == '\\' && (rest_.starts_with('"') || rest_.starts_with('\\'))) {
        text += rest_.front();
        rest_.remove_prefix(1);
      } else {
        text += c;
      }
    }
    return std::nullopt;
  }

private:
  std::string_view rest_;
};

std::string latin1_to_utf8(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80U) {
      out += c;
      continue;
    }
    out += static_cast<char>(0xC0U | byte >> 6U);
    out += static_cast<char>(0x80U | (byte & 0x3FU));
  }
  return out;
}

/// "UTF-8'en'%e2%82%ac" (RFC 8187).
std::optional<std::string> extended_value(std::string_view text) {
  const auto charset = cut(text, '\'');
  const auto language = charset ? cut(charset->second, '\'') : std::nullopt;
  if (!language)
    return std::nullopt;
  auto bytes = percent_decode(language->second);
  if (!bytes || equals_ignoring_case(charset->first, "utf-8"))
    return bytes;
  if (equals_ignoring_case(charset->first, "iso-8859-1"))
    return latin1_to_utf8(*bytes);
  return std::nullopt;
}

struct Parameter {
  std::string name;
  std::string value;
};

/// ";name=value", as token or quoted. Nothing at the end, or where it is damaged.
std::optional<Parameter> next_parameter(Reader& reader) {
  reader.skip_blanks();
  if (!reader.take(';'))
    return std::nullopt;
  reader.skip_blanks();
  Parameter found{to_lower(reader.token()), {}};
  reader.skip_blanks();
  if (found.name.empty() || !reader.take('='))
    return std::nullopt;
  reader.skip_blanks();
  if (!reader.take('"')) {
    found.value = reader.token();
    return found;
  }
  auto quoted = reader.quoted();
  if (!quoted)
    return std::nullopt;
  found.value = *std::move(quoted);
  return found;
}

} // namespace

std::optional<std::string> suggested_file_name(std::string_view header) {
  Reader reader(header);
  reader.skip_blanks();
  if (reader.token().empty())
    return std::nullopt;
  std::optional<std::string> plain;
  std::optional<std::string> extended;
  while (auto parameter = next_parameter(reader)) {
    if (parameter->name == "filename*")
      extended = extended_value(parameter->value);
    else if (parameter->name == "filename")
      plain = std::move(parameter->value);
  }
  reader.skip_blanks();
  auto name = extended ? std::move(extended) : std::move(plain);
  if (!reader.at_end() || !name)
    return std::nullopt;
  return name->substr(name->rfind('/') + 1);
}

bool is_file_name(std::string_view name) {
  return !name.empty() && name != "." && name != ".." && name.size() <= longest_name &&
         name.find_first_of(std::string_view("/\0", 2)) == std::string_view::npos;
}

} // namespace cairn
