#include "dockerfile/syntax/lines.hpp"

#include "dockerfile/syntax/unicode.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <utility>

namespace cairn {

namespace {

constexpr std::size_t longest_line = 65535;

std::string_view without_line_end(std::string_view line) {
  const auto last = line.find_last_not_of("\r\n");
  return line.substr(0, last + 1);
}

bool is_comment(std::string_view line) {
  return trim_space_left(line).starts_with('#');
}

bool is_name(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return static_cast<unsigned char>(c) < 0x80 &&
           (is_letter(static_cast<char32_t>(c)) || (c >= '0' && c <= '9'));
  };
  return !text.empty() && !(text[0] >= '0' && text[0] <= '9') &&
         std::all_of(text.begin(), text.end(), alphanumeric);
}

} // namespace

std::optional<std::string_view> DockerfileLines::next_raw() {
  const std::string_view text = source_.text;
  if (position_ >= text.size())
    return std::nullopt;
  const auto end = text.find('\n', position_);
  const auto stop = end == std::string_view::npos ? text.size() : end;
  ++line_number_;
  if (stop - position_ > longest_line)
    throw with_hint(error_at(source_, {line_number_, line_number_},
                             fmt::format("the line is longer than {} bytes", longest_line)),
                    "an escape character at its end continues a line on the next one");
  const auto line = text.substr(position_, stop - position_ + 1);
  position_ = stop + 1;
  return line;
}

std::optional<Directive> parse_directive(std::string_view line, std::string_view comment) {
  const auto parts = cut(line, '=');
  if (!parts || !line.starts_with(comment))
    return std::nullopt;
  const auto name = trim_space(parts->first.substr(comment.size()));
  const auto value = trim_space(parts->second);
  auto key = to_lower(name);
  const bool known = key == "escape" || key == "syntax" || key == "check";
  if (!is_name(name) || value.empty() || !known)
    return std::nullopt;
  return Directive{std::move(key), std::string(value)};
}

/// Whether the line is a directive; the first line that is none ends their section.
bool DockerfileLines::take_directive(std::string_view line) {
  if (directives_done_)
    return false;
  const auto directive = parse_directive(line, "#");
  if (!directive) {
    directives_done_ = true;
    return false;
  }
  const auto& [key, value] = *directive;
  const SourceRange here{line_number_, line_number_};
  if (key == "escape"   ? escape_seen_
      : key == "syntax" ? directives_.syntax.has_value()
                        : directives_.check.has_value())
    throw error_at(source_, here, fmt::format("the directive '{}' is there twice", key));
  if (key == "syntax")
    directives_.syntax = value;
  else if (key == "check") {
    directives_.check = value;
    directives_.check_line = line_number_;
  } else if (value != "\\" && value != "`")
    throw error_at(source_, here,
                   fmt::format("escape={}: must be either \\ or `", printable(value)));
  else {
    escape_seen_ = true;
    directives_.escape = value[0];
  }
  return true;
}

void DockerfileLines::note_comment(std::string_view line) {
  const auto comment = trim_space(trim_space_left(line).substr(1));
  if (comment.empty())
    comments_.clear();
  else
    comments_.emplace_back(comment);
}

/// Adds a line to `text` without an escape character at its end. Whether there was one.
bool DockerfileLines::append(std::string_view line, std::string& text) const {
  const auto last = line.find_last_not_of(" \t");
  const char escape = directives_.escape;
  const bool continued = last != std::string_view::npos && line[last] == escape &&
                         (last == 0 || line[last - 1] != escape);
  text += continued ? line.substr(0, last) : line;
  return continued;
}

std::optional<LogicalLine> DockerfileLines::next() {
  while (auto raw = next_raw()) {
    auto line = *raw;
    if (line_number_ == 1 && line.starts_with(byte_order_mark))
      line.remove_prefix(byte_order_mark.size());
    line = trim_space_left(without_line_end(line));
    if (take_directive(line))
      continue;
    if (is_comment(line)) {
      note_comment(line);
      continue;
    }
    if (line.empty())
      continue;
    LogicalLine result;
    result.range.first = line_number_;
    if (append(line, result.text))
      read_continuation(result);
    result.range.last = line_number_;
    result.comments = std::exchange(comments_, {});
    return result;
  }
  return std::nullopt;
}

void DockerfileLines::read_continuation(LogicalLine& line) {
  bool empty_line = false;
  bool continued = true;
  while (continued) {
    const auto raw = next_raw();
    if (!raw)
      break;
    if (is_comment(*raw))
      continue;
    const auto text = without_line_end(*raw);
    if (trim_space_left(text).empty())
      empty_line = true;
    else
      continued = append(text, line.text);
  }
  if (empty_line)
    line.empty_continuation = line_number_;
}

} // namespace cairn
