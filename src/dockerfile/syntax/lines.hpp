#pragma once

#include "dockerfile/syntax/source.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Parser directives: `# name=value` on the first lines.
struct Directives {
  char escape = '\\';
  std::optional<std::string> syntax; ///< A frontend image.
  std::optional<std::string> check;  ///< Rules for the linter, unparsed.
  int check_line = 0;                ///< Where that stands; 0 without one.

  bool operator==(const Directives&) const = default;
};

/// One directive.
struct Directive {
  std::string name; ///< "escape", "syntax" or "check".
  std::string value;
};

/// A line without its end as a directive behind `comment`; nothing when it is none.
std::optional<Directive> parse_directive(std::string_view line, std::string_view comment);

/// An instruction's text: continuation lines joined without their escape characters, comment
/// lines and empty lines among them dropped.
struct LogicalLine {
  std::string text;
  SourceRange range;
  std::vector<std::string> comments; ///< The comment lines right above, without "#" and blanks.
  int empty_continuation = 0; ///< Its last line when there are empty ones among them, else 0.
};

/// Reads a Dockerfile line by line. Both forms of line end, a byte order mark, directives,
/// comments and continuations are dealt with here. Borrows the source.
class DockerfileLines {
public:
  explicit DockerfileLines(const SourceFile& source) : source_(source) {}

  /// Nothing at the end of the file. The directives are complete after the first call.
  /// @throws Error on a line longer than 65535 bytes, a bad directive.
  std::optional<LogicalLine> next();

  /// The next physical line with its line end: the body of a heredoc. Nothing at the end.
  /// @throws Error
  std::optional<std::string_view> next_raw();

  const Directives& directives() const noexcept { return directives_; }
  int line_number() const noexcept { return line_number_; } ///< Of the line read last.

private:
  bool take_directive(std::string_view comment);
  void note_comment(std::string_view line);
  bool append(std::string_view line, std::string& text) const;
  void read_continuation(LogicalLine& line);

  const SourceFile& source_;
  std::size_t position_ = 0;
  int line_number_ = 0;
  bool directives_done_ = false;
  Directives directives_;
  bool escape_seen_ = false;
  std::vector<std::string> comments_;
};

} // namespace cairn
