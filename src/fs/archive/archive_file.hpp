#pragma once

#include "fs/archive/read_layer.hpp"
#include "util/stream.hpp"

#include <functional>
#include <memory>

namespace cairn {

/// Whether a file is a tar archive, compressed or not: told by its content alone (its first block,
/// decompressed, is a tar header).
bool is_archive(const std::function<std::unique_ptr<Source>()>& open);

/// Shows the entries of a file if it is_archive(), as ADD unpacks it. False when it is something
/// else; then nothing was shown. `open` gives the file from its start each time it is called.
/// @throws Error when the archive is damaged behind its first block, or is unpacked to more than
/// `limit` allows
bool read_archive(const std::function<std::unique_ptr<Source>()>& open, const EntryVisitor& visit,
                  ExpansionLimit limit = {});

} // namespace cairn
