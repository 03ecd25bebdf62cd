#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/entry_content.hpp"
#include "fs/archive/layer_entries.hpp"
#include "fs/tree/file_stamp.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace cairn {

/// The files of a layer that a step has made, and where they lie. Cheap to keep: what is read from
/// is opened by whoever reads.
struct LayerContent {
  std::string step = {}; ///< What the layer is of, for messages.
  LayerEntries entries;
  /// Begins to read the contents of such entries, which outlive the opener. Thread-safe: several
  /// may read at the same time. Not asked when no entry has content.
  std::function<ContentOpener(const LayerEntries& entries)> begin;
  /// What tells whether such content has changed since, by position; may be empty.
  std::function<std::optional<FileStamp>(std::size_t)> stamp = {};

  ContentOpener reader() const { return begin ? begin(entries) : ContentOpener(); }
};

/// An opener by position alone, for any reader. It must be thread-safe.
inline auto shared_opener(ContentOpener open) {
  return [open = std::move(open)](const LayerEntries&) { return open; };
}

} // namespace cairn
