#pragma once

#include "util/error.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Lines of a source file: counted from 1, both ends included. {0, 0} is no place at all.
struct SourceRange {
  int first = 0;
  int last = 0;

  bool operator==(const SourceRange&) const = default;
};

/// The text that was parsed, kept to show the place of an error.
struct SourceFile {
  SourceFile() = default;
  SourceFile(std::string file_name, std::string file_text);

  std::string name;
  std::string text;
  std::vector<std::string> lines; ///< Without line ends.
};

/// The lines of `range` behind a ">", and up to two above them:
///
///       11 | ENV A=b
///     > 12 | COPY src/x /app/
///
/// A long range or line is cut short. Control characters are shown as \xNN. Empty when the range
/// is outside the file.
std::string excerpt(const SourceFile& source, SourceRange range);

/// "Dockerfile:12: message", with the excerpt as detail. A hint goes below it: with_hint().
Error error_at(const SourceFile& source, SourceRange range, std::string_view message);

/// Adds the place to an error that does not know it yet, for `throw;` afterwards.
void add_place(Error& error, const SourceFile& source, SourceRange range);

} // namespace cairn
