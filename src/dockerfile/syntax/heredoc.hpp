#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// A here-document: `<<EOF`, `<<-EOF`, `<<"EOF"`, `3<<EOF`.
struct Heredoc {
  std::string name;             ///< The terminator, without quotes.
  std::string content;          ///< The body as written, each line with its line end.
  bool expand = true;           ///< False when any part of the terminator was quoted.
  bool chomp = false;           ///< `<<-`: leading tabs of each line do not count.
  unsigned file_descriptor = 0; ///< The digits in front, 0 when there are none.

  bool operator==(const Heredoc&) const = default;
};

/// The start of a heredoc if `word` as a whole is one.
std::optional<Heredoc> parse_heredoc_word(std::string_view word);

/// The starts of all heredocs in a logical line, in order.
std::vector<Heredoc> find_heredocs(std::string_view line);

/// Removes the tabs at the start of every line.
std::string without_leading_tabs(std::string_view content);

/// The body as its reader is to get it: without leading tabs when it is a `<<-`.
std::string heredoc_body(const Heredoc& heredoc);

} // namespace cairn
