#pragma once

#include "builder/store/workspace.hpp"
#include "fs/archive/expansion.hpp"
#include "oci/layout.hpp"
#include "registry/push.hpp"
#include "util/stream.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// An image, or several under an index, that lies in a file or a directory.
struct SavedImage {
  std::vector<PushDocument> documents; ///< As Push wants them.
  /// The bytes of a blob that a document names, verified at their end. Thread-safe.
  std::function<std::unique_ptr<Source>(const Descriptor&)> open;
};

/// Reads an OCI image layout with one image, a directory or an archive of one, or an archive of
/// `docker save` with one image. Every blob is there and has the digest and size it should have;
/// layers of a docker archive have the diff ids of its configuration, and those without
/// compression are compressed. What an archive holds is put into `workspace`, which must outlive
/// the image. @throws Error naming `path`
SavedImage open_saved_image(const std::string& path, Workspace& workspace, ExpansionLimit limit);

} // namespace cairn
