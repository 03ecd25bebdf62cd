#include "images.hpp"

namespace cairn::test {

StoredImage add_image(FakeRegistry& registry, const std::string& repository,
                      const std::vector<Files>& layers) {
  ImageConfig config;
  config.platform = Platform::host();
  std::vector<Descriptor> blobs;
  for (const auto& files : layers) {
    auto tar = tar_of(files);
    const auto digest = Digest::of(tar);
    config.diff_ids.push_back(digest);
    config.history.emplace_back().created_by = "made by hand";
    blobs.push_back({std::string(media_type::oci_layer), digest, tar.size()});
    registry.put_blob(repository, std::move(tar));
  }
  const auto text = config.serialise();
  registry.put_blob(repository, text);
  auto manifest = Manifest::make(
      ImageFormat::oci, {std::string(media_type::oci_config), Digest::of(text), text.size()}, blobs,
      {});
  registry.put_document(repository, "latest", {manifest.raw, manifest.media_type});
  return {std::move(manifest), std::move(config), layers};
}

StoredImage read_image(const FakeRegistry& registry, const std::string& repository,
                       const std::string& tag) {
  const auto document = registry.document(repository, tag);
  StoredImage image{Manifest::parse(document.raw, document.media_type), {}, {}};
  image.config = ImageConfig::parse(registry.blob(repository, image.manifest.config.digest));
  for (const auto& layer : image.manifest.layers)
    image.layers.push_back(files_of_layer(registry.blob(repository, layer.digest)));
  return image;
}

} // namespace cairn::test
