#include "registry/push.hpp"

#include "util/parallel.hpp"

#include <algorithm>
#include <set>

namespace cairn {

namespace {

bool is_foreign(const Descriptor& blob) {
  return blob.media_type.find(".nondistributable.") != std::string::npos ||
         blob.media_type.find(".foreign.") != std::string::npos;
}

/// Every blob once. Large ones first: the last to finish is then a small one.
std::vector<Descriptor> blobs_of(const std::vector<const PushDocument*>& documents) {
  std::vector<Descriptor> blobs;
  std::set<Digest> seen;
  for (const auto* document : documents)
    for (const auto& blob : document->blobs)
      if (seen.insert(blob.digest).second)
        blobs.push_back(blob);
  std::stable_sort(blobs.begin(), blobs.end(),
                   [](const Descriptor& a, const Descriptor& b) { return a.size > b.size; });
  return blobs;
}

std::string_view word_for(BlobArrival arrival) {
  switch (arrival) {
  case BlobArrival::present:
    return "is there already";
  case BlobArrival::mounted:
    return "mounted";
  case BlobArrival::uploaded:
    break;
  }
  return "uploaded";
}

/// Fills one repository after the other, and remembers where things are.
class RepositoryPusher {
public:
  RepositoryPusher(RegistryClient& client, const Push& push, Progress& progress)
      : client_(client), push_(push), progress_(progress) {}

  /// Everything but what gets the tags.
  void push_to(const ImageRef& repository) {
    const auto& documents = push_.documents;
    std::vector<const PushDocument*> missing;
    for (std::size_t i = 0; i + 1 < documents.size(); ++i)
      if (!client_.head_manifest(by_digest(repository, documents[i]), Direction::push))
        missing.push_back(&documents[i]);
    auto with_blobs = missing;
    with_blobs.push_back(&documents.back());
    const auto blobs = blobs_of(with_blobs);
    parallel_for(blobs.size(), push_.parallel,
                 [&](std::size_t i) { push_blob(repository, blobs[i]); });
    for (const auto* document : missing)
      client_.put_manifest(by_digest(repository, *document), document->raw, document->media_type);
    done_.push_back(repository);
  }

private:
  static ImageRef by_digest(const ImageRef& repository, const PushDocument& document) {
    return repository.with_digest(Digest::of(document.raw));
  }

  void push_blob(const ImageRef& repository, const Descriptor& blob) {
    if (push_.is_there && push_.is_there(repository, blob.digest))
      return;
    if (is_foreign(blob) && !client_.has_blob(repository, blob.digest)) {
      progress_.warn("layer {} is not to be distributed: {} will not hold its bytes",
                     blob.digest.str(), repository.name());
      return;
    }
    const auto arrival = client_.push_blob(
        repository, blob, [&] { return push_.open(blob); }, sources(repository, blob.digest));
    progress_.debug("{}: blob {} {}", repository.name(), blob.digest.str(), word_for(arrival));
  }

  /// Other repositories of the same registry that may have the blob.
  std::vector<std::string> sources(const ImageRef& repository, const Digest& digest) const {
    std::vector<std::string> names;
    const auto add = [&](const ImageRef& from) {
      if (from.registry() == repository.registry() &&
          from.repository() != repository.repository() &&
          std::find(names.begin(), names.end(), from.repository()) == names.end())
        names.push_back(from.repository());
    };
    for (const auto& from : done_)
      add(from);
    if (push_.known_in)
      for (const auto& from : push_.known_in(digest))
        add(from);
    return names;
  }

  RegistryClient& client_;
  const Push& push_;
  Progress& progress_;
  std::vector<ImageRef> done_; ///< Repositories that have everything.
};

void put_tag(RegistryClient& client, const Push& push, const ImageRef& destination,
             Progress& progress) {
  try {
    client.put_manifest(destination, push.documents.back().raw, push.documents.back().media_type);
  } catch (const ImmutableTag& error) {
    if (push.immutable_tags == ImmutableTags::fail)
      throw;
    progress.warn("{}; the tag stays as it is", error.what());
  }
}

} // namespace

PushDocument document_of(const Manifest& manifest) {
  auto blobs = manifest.layers;
  blobs.push_back(manifest.config);
  return {manifest.raw, manifest.media_type, std::move(blobs)};
}

PushDocument document_of(const Index& index) {
  return {index.raw, index.media_type, {}};
}

void push_image(RegistryClient& client, const Push& push, Progress& progress) {
  RepositoryPusher pusher(client, push, progress);
  std::set<std::string> repositories;
  for (const auto& destination : push.destinations)
    if (repositories.insert(destination.name()).second)
      pusher.push_to(destination);
  for (const auto& destination : push.destinations)
    put_tag(client, push, destination, progress);
}

} // namespace cairn
