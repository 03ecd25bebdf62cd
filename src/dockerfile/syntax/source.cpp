#include "dockerfile/syntax/source.hpp"

#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

constexpr int lines_above = 2;
constexpr int most_marked_lines = 8;
constexpr std::size_t longest_excerpt = 160;

/// As it may be shown; tabs stay.
std::string shown(std::string_view line) {
  std::string out;
  for (const auto& part : split(line, '\t'))
    out += printable(part) + '\t';
  out.pop_back();
  return out;
}

std::string shortened(std::string_view line) {
  if (line.size() <= longest_excerpt)
    return shown(line);
  auto end = longest_excerpt;
  // Not in the middle of a UTF-8 sequence.
  while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0u) == 0x80)
    --end;
  return shown(line.substr(0, end)) + "...";
}

} // namespace

SourceFile::SourceFile(std::string file_name, std::string file_text)
    : name(std::move(file_name)), text(std::move(file_text)), lines(split(text, '\n')) {
  if (lines.back().empty())
    lines.pop_back();
  for (auto& line : lines)
    if (line.ends_with('\r'))
      line.pop_back();
}

std::string excerpt(const SourceFile& source, SourceRange range) {
  const int count = static_cast<int>(source.lines.size());
  const int first = range.first;
  const int last = std::min(std::max(range.last, first), count);
  if (first < 1 || first > count)
    return {};
  const int last_shown = std::min(last, first + most_marked_lines - 1);
  const auto width = std::to_string(last_shown).size();
  std::string out;
  for (int number = std::max(1, first - lines_above); number <= last_shown; ++number) {
    const auto line = shortened(source.lines[static_cast<std::size_t>(number - 1)]);
    out +=
        trim_right(fmt::format("{} {:>{}} | {}", number >= first ? '>' : ' ', number, width, line));
    out += number < last_shown ? "\n" : "";
  }
  if (last_shown < last)
    out += fmt::format("\n  ... {} more", last - last_shown);
  return out;
}

Error error_at(const SourceFile& source, SourceRange range, std::string_view message) {
  Error error("{}", message);
  add_place(error, source, range);
  return error;
}

void add_place(Error& error, const SourceFile& source, SourceRange range) {
  error.set_lines(range.first, range.last);
  error.add_context(range.first > 0 ? fmt::format("{}:{}", source.name, range.first) : source.name);
  if (const auto lines = excerpt(source, range); !lines.empty())
    error.add_detail(lines);
}

} // namespace cairn
