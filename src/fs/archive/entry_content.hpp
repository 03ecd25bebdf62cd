#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/tar.hpp"
#include "util/stream.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace cairn {

/// Gives the content of entry number `n`, a regular file that is no hard link and not empty. For
/// one thread; asked in any order, and for what is written in that of the entries.
using ContentOpener = std::function<std::unique_ptr<Source>(std::size_t n)>;

/// The content of the entry that somebody is shown: of a tar stream, or of a file that is opened
/// when it is asked for. Read at most once.
class EntryContent {
public:
  /// Of the entry that `tar` has come to.
  explicit EntryContent(TarReader& tar) : tar_(&tar) {}
  EntryContent(const ContentOpener& open, std::size_t number) : open_(&open), number_(number) {}

  void copy_to(Sink& to);
  /// Null when it is that of a file.
  TarReader* tar() const noexcept { return tar_; }
  /// @pre tar() == nullptr
  std::unique_ptr<Source> open() const { return (*open_)(number_); }

private:
  TarReader* tar_ = nullptr;
  const ContentOpener* open_ = nullptr;
  std::size_t number_ = 0;
};

/// Sees an entry and its content.
using LayerVisitor = std::function<void(const LayerEntry&, EntryContent&)>;

} // namespace cairn
