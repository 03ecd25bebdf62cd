#include "builder/layers/write_layout.hpp"

#include "oci/image_config.hpp"
#include "oci/layout.hpp"

namespace cairn {

namespace {

void store_blob(const BuiltImage& image, const BlobStore& store, const Descriptor& blob) {
  if (store.size(blob.digest) == blob.size)
    return;
  BlobStore::Writer writer(store);
  const auto source = image.open(blob);
  copy(*source, writer);
  writer.commit(blob.digest, blob.size);
}

} // namespace

void write_layout(const BuiltImage& image, const std::string& path,
                  const std::optional<std::string>& tag) {
  const auto layout = Layout::create(path);
  for (const auto& layer : image.manifest.layers)
    store_blob(image, layout.blobs(), layer);
  layout.blobs().put(image.config);
  layout.blobs().put(image.manifest.raw);
  auto descriptor = image.manifest.descriptor();
  descriptor.platform = ImageConfig::parse(image.config).platform;
  if (tag)
    descriptor.annotations["org.opencontainers.image.ref.name"] = *tag;
  layout.set_index(Index::make(ImageFormat::oci, {std::move(descriptor)}, {}));
}

} // namespace cairn
