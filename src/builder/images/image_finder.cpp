#include "builder/images/image_finder.hpp"

#include "registry/error.hpp"
#include "util/error.hpp"

#include <mutex>
#include <utility>

namespace cairn {

namespace {

/// What is remembered, and registries for the rest. For one image: not thread-safe.
class RememberedDocuments final : public ImageDocuments {
public:
  RememberedDocuments(RegistryClient& registry, const ImageResolutionCache& memory,
                      const ImageRef& asked, Asking asking)
      : registry_(registry), memory_(memory), asked_(asked), asking_(asking) {}

  std::optional<ManifestBytes> manifest(const ImageRef& ref) override {
    auto found = ref.digest() ? by_digest(ref) : by_tag(ref);
    if (found)
      last_ = found->digest;
    return found;
  }

  std::string config(const ImageRef& repository, const Descriptor& blob) override {
    if (asking_ != Asking::always)
      if (auto known = memory_.config(*last_, blob))
        return *std::move(known);
    if (asking_ == Asking::never)
      throw NotInRegistry("{}: its configuration is not kept", repository.str());
    auto text = registry_.blob_text(repository, blob);
    memory_.keep_text(text);
    return text;
  }

private:
  std::optional<ManifestBytes> by_digest(const ImageRef& ref) {
    if (asking_ != Asking::always)
      if (auto known = memory_.manifest(*ref.digest()))
        return known;
    return asking_ == Asking::never ? std::nullopt : fetch(ref);
  }

  std::optional<ManifestBytes> by_tag(const ImageRef& ref) {
    auto found = unchanged(ref);
    if (!found)
      found = fetch(ref);
    if (found)
      memory_.remember(asked_, found->digest);
    return found;
  }

  /// What is known, when the tag leads to it.
  std::optional<ManifestBytes> unchanged(const ImageRef& ref) {
    if (asking_ == Asking::always)
      return std::nullopt;
    try {
      const auto head = registry_.head_manifest(ref);
      return head ? memory_.manifest(head->digest) : std::nullopt;
    } catch (const TemporaryError&) {
      throw;
    } catch (const Error&) {
      // The answer to a GET says why; and not every registry knows HEAD.
      return std::nullopt;
    }
  }

  std::optional<ManifestBytes> fetch(const ImageRef& ref) {
    auto found = registry_.get_manifest(ref);
    if (found)
      memory_.keep(*found);
    return found;
  }

  RegistryClient& registry_;
  const ImageResolutionCache& memory_;
  const ImageRef& asked_;
  Asking asking_;
  std::optional<Digest> last_;
};

/// The place that has an image's blobs. What was remembered may be at any of the candidates; those
/// before the one where the image was found do not count.
class BlobPlace {
public:
  BlobPlace(RegistryClient& registry, const ImageRef& found,
            const std::vector<ImageRef>& candidates)
      : registry_(registry) {
    for (const auto& candidate : candidates)
      if (!candidates_.empty() || candidate.name() == found.name())
        candidates_.push_back(candidate);
  }

  std::unique_ptr<Source> open(const Descriptor& blob) {
    return registry_.read_blob(find(blob), blob);
  }

  std::unique_ptr<Source> open_range(const Descriptor& blob, ByteRange range) {
    return registry_.read_blob_range(find(blob), blob, range);
  }

private:
  ImageRef find(const Descriptor& blob) {
    const std::lock_guard lock(mutex_);
    while (candidates_.size() > 1 && !is_known_)
      if (has(candidates_.front(), blob))
        is_known_ = true;
      else
        candidates_.erase(candidates_.begin());
    return candidates_.front();
  }

  bool has(const ImageRef& place, const Descriptor& blob) {
    try {
      return registry_.has_blob(place, blob.digest, Direction::pull);
    } catch (const Error&) {
      return false;
    }
  }

  RegistryClient& registry_;
  std::mutex mutex_;
  std::vector<ImageRef> candidates_; ///< At least one.
  bool is_known_ = false;            ///< It is the first of them.
};

} // namespace

FoundImage ImageFinder::find(const ImageRef& ref, const std::vector<ImageRef>& candidates,
                             const Platform& platform) const {
  if (memory_ == nullptr) {
    auto image = resolve_image(registry_, candidates, platform, progress_);
    auto open = [&registry = registry_, from = image.ref](const Descriptor& blob) {
      return registry.read_blob(from, blob);
    };
    auto open_range = [&registry = registry_, from = image.ref](const Descriptor& blob,
                                                                ByteRange range) {
      return registry.read_blob_range(from, blob, range);
    };
    return {std::move(image), std::move(open), std::move(open_range)};
  }
  auto image = resolve(ref, candidates, platform);
  const auto place = std::make_shared<BlobPlace>(registry_, image.ref, candidates);
  auto open = [memory = memory_, place, manifest = image.manifest.digest(),
               asking = asking_](const Descriptor& blob) {
    if (asking != Asking::always)
      if (auto kept = memory->open_layer(manifest, blob))
        return kept;
    return place->open(blob);
  };
  auto open_range = [memory = memory_, place, manifest = image.manifest.digest(),
                     asking = asking_](const Descriptor& blob, ByteRange range) {
    if (asking != Asking::always && memory->open_layer(manifest, blob))
      throw RangeRefused("it is kept as a whole");
    return place->open_range(blob, range);
  };
  return {std::move(image), std::move(open), std::move(open_range)};
}

ResolvedImage ImageFinder::resolve(const ImageRef& ref, const std::vector<ImageRef>& candidates,
                                   const Platform& platform) const {
  RememberedDocuments documents(registry_, *memory_, ref, asking_);
  try {
    return resolve_image(documents, candidates, platform, progress_);
  } catch (const TemporaryError& error) {
    if (ref.digest() || asking_ != Asking::when_needed)
      throw;
    return resolve_known(ref, candidates, platform, error);
  }
}

/// What `ref` led to last. @throws `error` when that is not known, or not all of it
ResolvedImage ImageFinder::resolve_known(const ImageRef& ref,
                                         const std::vector<ImageRef>& candidates,
                                         const Platform& platform,
                                         const TemporaryError& error) const {
  const auto known = memory_->find(ref);
  if (!known)
    throw TemporaryError(error);
  RememberedDocuments documents(registry_, *memory_, ref, Asking::never);
  try {
    auto image = resolve_image(documents, candidates.front().with_digest(known->digest), platform);
    progress_.warn("{}; {} is used, which {} was {} ago", error.what(), known->digest.str(),
                   ref.str(), memory_->age(*known));
    return image;
  } catch (const Error&) {
    throw TemporaryError(error);
  }
}

} // namespace cairn
