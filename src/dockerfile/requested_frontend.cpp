#include "dockerfile/requested_frontend.hpp"

#include "dockerfile/syntax/lines.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

std::string first_word(std::string_view value) {
  return std::string(value.substr(0, value.find(' ')));
}

std::optional<RequestedFrontend> find_directive(std::string_view text, std::string_view comment,
                                                int line) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto directive = parse_directive(text.substr(0, end), comment);
    ++line;
    if (!directive)
      return std::nullopt;
    if (directive->name == "syntax")
      return RequestedFrontend{first_word(directive->value), line};
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return std::nullopt;
}

std::optional<RequestedFrontend> find_member(std::string_view text) {
  if (!trim_left(text).starts_with('{'))
    return std::nullopt;
  try {
    const auto image = Json::parse(text).string_or("syntax", "");
    return image.empty() ? std::nullopt : std::optional(RequestedFrontend{image, 0});
  } catch (const Error&) {
    // What is no JSON names no frontend this way.
    return std::nullopt;
  }
}

} // namespace

std::optional<RequestedFrontend> requested_frontend(std::string_view text) {
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  int line = 0;
  if (text.starts_with("#!")) {
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    ++line;
  }
  for (const std::string_view comment : {"#", "//"})
    if (auto found = find_directive(text, comment, line))
      return found;
  return find_member(text);
}

} // namespace cairn
