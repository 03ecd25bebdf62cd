#include "builder/outputs/image_index.hpp"

#include "oci/image_config.hpp"
#include "registry/resolve.hpp"
#include "util/error.hpp"

#include <algorithm>
#include <set>

namespace cairn {

namespace {

ManifestBytes fetch(RegistryClient& registry, const ImageRef& ref) {
  RegistryDocuments documents(registry);
  return require_manifest(documents, ref);
}

Manifest read_manifest(const ImageRef& ref, const ManifestBytes& bytes) {
  return within([&] { return Manifest::parse(bytes.raw, bytes.media_type); }, "{}", ref.str());
}

Index read_index(const ImageRef& ref, const ManifestBytes& bytes) {
  return within([&] { return Index::parse(bytes.raw, bytes.media_type); }, "{}", ref.str());
}

/// A member of an index, which must be an image. `what` cannot be done to others.
Manifest fetch_member(RegistryClient& registry, const ImageRef& ref, std::string_view what) {
  const auto found = fetch(registry, ref);
  if (is_index(found.media_type))
    throw Error("{}: an index in an index cannot be {}", ref.str(), what);
  return read_manifest(ref, found);
}

void add_image(RemoteImages& to, const ImageRef& ref, const Manifest& manifest) {
  for (const auto& blob : manifest.layers)
    to.origins.emplace(blob.digest, ref);
  to.origins.emplace(manifest.config.digest, ref);
  to.documents.push_back(document_of(manifest));
}

class ImageJoiner {
public:
  explicit ImageJoiner(RegistryClient& registry) : registry_(registry) {}

  void add(const ImageRef& image) {
    const auto bytes = fetch(registry_, image);
    if (!is_index(bytes.media_type)) {
      const auto manifest = read_manifest(image, bytes);
      auto descriptor = manifest.descriptor();
      descriptor.platform = platform_of(image, manifest);
      return take(image, std::move(descriptor), manifest);
    }
    const auto index =
        within([&] { return Index::parse(bytes.raw, bytes.media_type); }, "{}", image.str());
    for (const auto& member : index.manifests) {
      const auto ref = image.with_digest(member.digest);
      take(ref, member, fetch_member(registry_, ref, "joined"));
    }
  }

  RemoteImages join(const Annotations& annotations) && {
    const bool all_docker = std::all_of(members_.begin(), members_.end(), [](const auto& member) {
      return member.media_type == media_type::docker_manifest && member.annotations.empty();
    });
    auto index =
        Index::make(all_docker && annotations.empty() ? ImageFormat::docker : ImageFormat::oci,
                    std::move(members_), annotations);
    images_.documents.push_back(document_of(index));
    return std::move(images_);
  }

private:
  Platform platform_of(const ImageRef& ref, const Manifest& manifest) {
    return ImageConfig::parse(registry_.blob_text(ref, manifest.config)).platform;
  }

  void take(const ImageRef& ref, Descriptor descriptor, const Manifest& manifest) {
    if (!digests_.insert(descriptor.digest).second)
      return;
    refuse_second(ref, descriptor);
    add_image(images_, ref, manifest);
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
  RemoteImages images_;
  std::map<std::string, std::string> platforms_;
  std::set<Digest> digests_;
};

std::vector<Descriptor> members_for(const Index& index, const std::vector<Platform>& platforms) {
  std::vector<Descriptor> members;
  for (const auto& platform : platforms) {
    const auto* found = index.select(platform);
    if (found == nullptr)
      throw Error("no image for {}, only for {}", platform.str(), index.platforms());
    members.push_back(*found);
  }
  return members;
}

} // namespace

RemoteImages join_images(RegistryClient& registry, const std::vector<ImageRef>& images,
                         const Annotations& annotations) {
  ImageJoiner joiner(registry);
  for (const auto& image : images)
    joiner.add(image);
  return std::move(joiner).join(annotations);
}

RemoteImages gather_image(RegistryClient& registry, const ImageRef& image,
                          const std::vector<Platform>& platforms) {
  RemoteImages gathered;
  const auto bytes = fetch(registry, image);
  if (!is_index(bytes.media_type)) {
    add_image(gathered, image, read_manifest(image, bytes));
    return gathered;
  }
  auto index = read_index(image, bytes);
  if (!platforms.empty())
    index = Index::make(index.media_type == media_type::docker_index ? ImageFormat::docker
                                                                     : ImageFormat::oci,
                        members_for(index, platforms), index.annotations);
  for (const auto& member : index.manifests) {
    const auto ref = image.with_digest(member.digest);
    add_image(gathered, ref, fetch_member(registry, ref, "copied"));
  }
  gathered.documents.push_back(document_of(index));
  return gathered;
}

} // namespace cairn
