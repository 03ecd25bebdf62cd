#include "build/image_index.hpp"

#include "oci/image_config.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <set>

namespace cairn {

namespace {

class ImageJoiner {
public:
  explicit ImageJoiner(RegistryClient& registry) : registry_(registry) {}

  void add(const ImageRef& image) {
    const auto bytes = fetch(image);
    if (!is_index(bytes.media_type)) {
      const auto manifest = read(image, bytes);
      auto descriptor = manifest.descriptor();
      descriptor.platform = platform_of(image, manifest);
      return take(image, std::move(descriptor), manifest);
    }
    const auto index =
        within([&] { return Index::parse(bytes.raw, bytes.media_type); }, "{}", image.str());
    for (const auto& member : index.manifests) {
      const auto ref = image.with_digest(member.digest);
      const auto found = fetch(ref);
      if (is_index(found.media_type))
        throw Error("{}: an index in an index cannot be joined", ref.str());
      take(ref, member, read(ref, found));
    }
  }

  JoinedImages join(const Annotations& annotations) && {
    const bool all_docker = std::all_of(members_.begin(), members_.end(), [](const auto& member) {
      return member.media_type == media_type::docker_manifest && member.annotations.empty();
    });
    auto index =
        Index::make(all_docker && annotations.empty() ? ImageFormat::docker : ImageFormat::oci,
                    std::move(members_), annotations);
    documents_.push_back(document_of(index));
    return {std::move(index), std::move(documents_), std::move(origins_)};
  }

private:
  ManifestBytes fetch(const ImageRef& ref) {
    if (auto found = registry_.get_manifest(ref))
      return *std::move(found);
    throw NotInRegistry("{}: not in the registry", ref.str());
  }

  static Manifest read(const ImageRef& ref, const ManifestBytes& bytes) {
    return within([&] { return Manifest::parse(bytes.raw, bytes.media_type); }, "{}", ref.str());
  }

  Platform platform_of(const ImageRef& ref, const Manifest& manifest) {
    return ImageConfig::parse(registry_.blob_text(ref, manifest.config)).platform;
  }

  void take(const ImageRef& ref, Descriptor descriptor, const Manifest& manifest) {
    if (!digests_.insert(descriptor.digest).second)
      return;
    refuse_second(ref, descriptor);
    for (const auto& blob : manifest.layers)
      origins_.emplace(blob.digest, ref);
    origins_.emplace(manifest.config.digest, ref);
    documents_.push_back(document_of(manifest));
    members_.push_back(std::move(descriptor));
  }

  /// Attestations, of which there may be several, are for "unknown/unknown".
  void refuse_second(const ImageRef& ref, const Descriptor& descriptor) {
    if (!descriptor.platform || descriptor.platform->os == "unknown")
      return;
    const auto platform = descriptor.platform->str() + " " + descriptor.platform->os_version;
    const auto [first, is_new] = platforms_.emplace(platform, ref.str());
    if (!is_new)
      throw Error("{} and {} are both for {}", first->second, ref.str(),
                  descriptor.platform->str());
  }

  RegistryClient& registry_;
  std::vector<Descriptor> members_;
  std::vector<PushDocument> documents_;
  std::map<Digest, ImageRef> origins_;
  std::map<std::string, std::string> platforms_;
  std::set<Digest> digests_;
};

} // namespace

JoinedImages join_images(RegistryClient& registry, const std::vector<ImageRef>& images,
                         const Annotations& annotations) {
  ImageJoiner joiner(registry);
  for (const auto& image : images)
    joiner.add(image);
  return std::move(joiner).join(annotations);
}

} // namespace cairn
