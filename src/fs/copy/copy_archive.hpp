#pragma once

#include "fs/copy/copy_request.hpp"
#include "fs/copy/layer_changes.hpp"

namespace cairn {

/// Merges the entries of an archive into a directory of the changes, which is their root: links in
/// the middle of a name are followed inside it. Files replace whatever they meet, directories
/// merge with directories. `content` says where the archive is; its member is set for each entry.
/// @throws Error naming the entry
void merge_archive(LayerChanges& changes, const CopyRequest& request, const GivenArchive& archive,
                   const RootedPath& directory, const CopyContent& content);

} // namespace cairn
