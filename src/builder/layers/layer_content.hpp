#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/entry_content.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// The files of a layer that a step has made, and where they lie. Cheap to keep: what is read from
/// is opened by whoever reads.
struct LayerContent {
  std::string step = {}; ///< What the layer is of, for messages.
  std::vector<LayerEntry> entries;
  /// Begins to read the contents of such entries, which outlive the opener. Thread-safe: several
  /// may read at the same time. Not asked when no entry has content.
  std::function<ContentOpener(const std::vector<LayerEntry>& entries)> begin;

  ContentOpener reader() const { return begin ? begin(entries) : ContentOpener(); }
};

/// An opener by position alone, for any reader. It must be thread-safe.
inline auto shared_opener(ContentOpener open) {
  return [open = std::move(open)](const std::vector<LayerEntry>&) { return open; };
}

} // namespace cairn
