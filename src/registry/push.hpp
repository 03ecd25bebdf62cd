#pragma once

#include "oci/manifest.hpp"
#include "registry/client.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cairn {

enum class ImmutableTags { fail, accept };

/// A manifest or an index as it will be put, and the blobs that have to be there before it.
struct PushDocument {
  std::string raw;
  std::string media_type;
  std::vector<Descriptor> blobs; ///< Layers and configuration; an index has none.
};

PushDocument document_of(const Manifest& manifest);
PushDocument document_of(const Index& index);

/// An image, or several under an index, and where it goes.
struct Push {
  std::vector<ImageRef> destinations; ///< With tags. Blobs travel once per repository.
  /// What an index names comes before it. The last document gets the tags.
  std::vector<PushDocument> documents;
  /// The bytes of any blob that a document names. Called from several threads.
  std::function<std::unique_ptr<Source>(const Descriptor&)> open;
  /// Repositories that may have a blob already, as "registry/repository" references: those on the
  /// destination's registry are mounted from. May be empty.
  std::function<std::vector<ImageRef>(const Digest&)> known_in = {};
  /// What a repository is known to have and is not asked for. May be empty.
  std::function<bool(const ImageRef& repository, const Digest&)> is_there = {};
  ImmutableTags immutable_tags = ImmutableTags::fail;
  unsigned parallel = 4; ///< Blobs at once.
};

/// Pushes blobs, then documents, the last under each tag. Nothing is tagged unless all that it
/// names is there. What a repository has already is not sent again. @throws Error
void push_image(RegistryClient& client, const Push& push, Progress& progress);

} // namespace cairn
