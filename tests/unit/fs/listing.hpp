#pragma once

#include "fs/copy/copy.hpp"
#include "fs/tree/tree.hpp"

#include <string>
#include <string_view>

namespace cairn::test {

/// Entries written one to a line:
///   d /a 0755 5:6          a directory; mode and owner may be left out (0755 or 0644, 0:0)
///   f /a/b 4755 5:6 12     a file, with its size
///   h /a/c /a/b            another name for a file
///   l /l -> target         a symbolic link
///   c /dev/null 0666 1:3   a device, with its numbers instead of an owner
///   p /fifo                a pipe
std::vector<LayerEntry> entries_of(std::string_view lines);

Tree tree_of(std::string_view lines);

/// A plan in the same form, but for files " <- /from" instead of the size. Directories come
/// without a time but for " *" behind those that were made at `now`.
std::string listing(const CopyPlan& plan, Time now);

/// The message of a COPY, by form: `copy` is everything that is not a source.
struct Copying {
  std::string from;  ///< The view's entries.
  std::string stage; ///< Those of the stage.
  CopyRequest request;
};

/// The plan of copying `sources` to `destination`, or "error: ..." with its hints.
std::string copied(const Copying& copying, const std::vector<std::string>& sources,
                   const std::string& destination);

} // namespace cairn::test
