#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/entry_content.hpp"
#include "fs/archive/tar.hpp"
#include "fs/tree/unpack_options.hpp"
#include "util/fd.hpp"

#include <functional>
#include <memory>

namespace cairn {

/// Writes the entries of one layer below a directory, so that nothing outside it is ever touched:
/// a name is walked from one directory descriptor to the next, and symbolic links in its middle are
/// read and followed by us, inside the root. Owner, then mode, then xattrs, then times;
/// directories' times last. The result is what Tree::apply says it is.
class Unpacker {
public:
  using Options = UnpackOptions;
  using Whiteouts = UnpackOptions::Whiteouts;

  /// `root` must outlive it.
  Unpacker(FdRef root, Options options);
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker();

  /// Writes one entry and its content from `reader`. A device node that may not be made here is
  /// left out: commands do not see it, the Tree and the layer have it all the same.
  /// @throws Error naming the entry: what may not be done here (owners), what cannot be (hard links
  /// to nothing), a damaged archive
  void add(const LayerEntry& entry, TarReader& reader);
  /// The same with content from elsewhere: exactly meta.size bytes; null when it has none.
  void add(const LayerEntry& entry, Source* content);
  void add(const LayerEntry& entry, EntryContent& content);
  /// Sets the times of directories. Call once, at the end.
  void finish();

  /// For Whiteouts::overlay without Options::below: whether what was written is right over these
  /// layers. If not, because the layer leads through their symbolic links, relies on directories
  /// of theirs or makes hard links to their files, it has to be unpacked once more, with `below`.
  bool fits(const Tree& below) const;

  /// Whether nothing was left out: device nodes, where this process may not make them.
  bool is_whole() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace cairn
