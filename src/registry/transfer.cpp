#include "registry/transfer.hpp"

#include "util/parallel.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <set>

namespace cairn {

namespace {

constexpr int max_index_depth = 4;

ManifestBytes require_manifest(ImageDocuments& from, const ImageRef& ref) {
  if (auto found = from.manifest(ref))
    return *std::move(found);
  throw NotInRegistry("{}: not in the registry", ref.str());
}

/// The member of an index that fits, as the index describes it.
Descriptor choose(const ManifestBytes& bytes, const ImageRef& ref, const Platform& platform) {
  const auto index =
      within([&] { return Index::parse(bytes.raw, bytes.media_type); }, "{}", ref.str());
  const auto* chosen = index.select(platform);
  if (chosen == nullptr)
    throw Error("{}: no image for {}, only for {}", ref.str(), platform.str(),
                printable(index.platforms()));
  return *chosen;
}

bool is_foreign(const Descriptor& blob) {
  return blob.media_type.find(".nondistributable.") != std::string::npos ||
         blob.media_type.find(".foreign.") != std::string::npos;
}

/// Every blob of the manifest once. Large ones first: the last to finish is then a small one.
std::vector<Descriptor> blobs_of(const Manifest& manifest) {
  std::vector<Descriptor> blobs;
  std::set<Digest> seen;
  const auto add = [&](const Descriptor& blob) {
    if (seen.insert(blob.digest).second)
      blobs.push_back(blob);
  };
  for (const auto& layer : manifest.layers)
    add(layer);
  add(manifest.config);
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

/// Pushes blobs to one repository after the other, and remembers where they are.
class BlobPusher {
public:
  BlobPusher(RegistryClient& client, const Push& push, Progress& progress)
      : client_(client), push_(push), progress_(progress), blobs_(blobs_of(push.manifest)) {}

  void push_to(const ImageRef& repository) {
    parallel_for(blobs_.size(), push_.parallel,
                 [&](std::size_t i) { push_blob(repository, blobs_[i]); });
    done_.push_back(repository);
  }

private:
  void push_blob(const ImageRef& repository, const Descriptor& blob) {
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
  const std::vector<Descriptor> blobs_;
  std::vector<ImageRef> done_; ///< Repositories that have everything.
};

void put_tag(RegistryClient& client, const Push& push, const ImageRef& destination,
             Progress& progress) {
  try {
    client.put_manifest(destination, push.manifest.raw, push.manifest.media_type);
  } catch (const ImmutableTag& error) {
    if (push.immutable_tags == ImmutableTags::fail)
      throw;
    progress.warn("{}; the tag stays as it is", error.what());
  }
}

} // namespace

std::optional<ManifestBytes> RegistryDocuments::manifest(const ImageRef& ref) {
  return client_.get_manifest(ref);
}

std::string RegistryDocuments::config(const ImageRef& repository, const Descriptor& blob) {
  return client_.blob_text(repository, blob);
}

ResolvedImage resolve_image(ImageDocuments& from, const ImageRef& ref, const Platform& platform) {
  auto bytes = require_manifest(from, ref);
  std::optional<Digest> index;
  std::optional<Platform> found_platform;
  for (int depth = 0; is_index(bytes.media_type); ++depth) {
    if (depth == max_index_depth)
      throw Error("{}: indexes are nested deeper than {} levels", ref.str(), max_index_depth);
    if (!index)
      index = bytes.digest;
    const auto chosen = choose(bytes, ref, platform);
    if (chosen.platform)
      found_platform = chosen.platform;
    bytes = require_manifest(from, ref.with_digest(chosen.digest));
  }
  auto manifest = within([&] { return Manifest::parse(std::move(bytes.raw), bytes.media_type); },
                         "{}", ref.str());
  auto descriptor = manifest.descriptor();
  descriptor.platform = found_platform;
  auto config = from.config(ref, manifest.config);
  return {ref, std::move(manifest), std::move(config), std::move(descriptor), index};
}

ResolvedImage resolve_image(ImageDocuments& from, const std::vector<ImageRef>& candidates,
                            const Platform& platform, Progress& progress) {
  for (std::size_t i = 0; i + 1 < candidates.size(); ++i) {
    try {
      return resolve_image(from, candidates[i], platform);
    } catch (const Cancelled&) {
      throw;
    } catch (const Error& error) {
      progress.warn("{}; trying {}", error.what(), candidates[i + 1].name());
    }
  }
  if (candidates.empty())
    throw Error("resolve image: there is no place to look for it");
  return resolve_image(from, candidates.back(), platform);
}

ResolvedImage resolve_image(RegistryClient& client, const ImageRef& ref, const Platform& platform) {
  RegistryDocuments documents(client);
  return resolve_image(documents, ref, platform);
}

ResolvedImage resolve_image(RegistryClient& client, const std::vector<ImageRef>& candidates,
                            const Platform& platform, Progress& progress) {
  RegistryDocuments documents(client);
  return resolve_image(documents, candidates, platform, progress);
}

void push_image(RegistryClient& client, const Push& push, Progress& progress) {
  BlobPusher blobs(client, push, progress);
  std::set<std::string> repositories;
  for (const auto& destination : push.destinations)
    if (repositories.insert(destination.name()).second)
      blobs.push_to(destination);
  for (const auto& destination : push.destinations)
    put_tag(client, push, destination, progress);
}

} // namespace cairn
