#include "registry/resolve.hpp"

#include "util/text.hpp"

namespace cairn {

namespace {

constexpr int max_index_depth = 4;

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

} // namespace

std::optional<ManifestBytes> RegistryDocuments::manifest(const ImageRef& ref) {
  return client_.get_manifest(ref);
}

std::string RegistryDocuments::config(const ImageRef& repository, const Descriptor& blob) {
  return client_.blob_text(repository, blob);
}

ManifestBytes require_manifest(ImageDocuments& from, const ImageRef& ref) {
  if (auto found = from.manifest(ref))
    return *std::move(found);
  throw NotInRegistry("{}: not in the registry", ref.str());
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

} // namespace cairn
