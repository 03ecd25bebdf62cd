#include "build/images.hpp"

#include "build/image_finder.hpp"
#include "oci/layout.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"
#include "util/text.hpp"

#include <utility>

namespace cairn {

namespace {

constexpr std::size_t parallel_lookups = 8;
constexpr std::uint64_t max_document = std::uint64_t{8} << 20;
constexpr int max_index_depth = 4;

class VerifiedSource final : public Source {
public:
  VerifiedSource(std::unique_ptr<Source> from, Descriptor blob)
      : from_(std::move(from)), blob_(std::move(blob)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (ended_)
      return 0;
    const auto count = from_->read(buffer);
    if (count != 0) {
      hash_.write(buffer.first(count));
      total_ += count;
      if (total_ > blob_.size)
        throw Error("blob {} is larger than the {} bytes it should have", blob_.digest.str(),
                    blob_.size);
      return count;
    }
    ended_ = true;
    const auto digest = Digest::from_hex(hash_.hex());
    if (digest != blob_.digest || total_ != blob_.size)
      throw Error("blob {}: got {} bytes with digest {}, expected {} bytes", blob_.digest.str(),
                  total_, digest.str(), blob_.size);
    return 0;
  }

private:
  std::unique_ptr<Source> from_;
  Descriptor blob_;
  Sha256 hash_;
  std::uint64_t total_ = 0;
  bool ended_ = false;
};

/// The manifest that `found` leads to, through indexes.
Manifest layout_manifest(const Layout& layout, Descriptor found, const Platform& platform) {
  for (int depth = 0; depth < max_index_depth; ++depth) {
    auto raw = stored_text(layout.blobs(), found);
    if (!is_index(found.media_type))
      return Manifest::parse(std::move(raw), found.media_type);
    const auto index = Index::parse(std::move(raw), found.media_type);
    const auto* chosen = index.select(platform);
    if (chosen == nullptr)
      throw Error("no image for {}, only for {}", platform.str(), index.platforms());
    found = *chosen;
  }
  throw Error("indexes are nested deeper than {} levels", max_index_depth);
}

void check_layers(const BaseImage& image) {
  if (image.config.diff_ids.size() != image.manifest.layers.size())
    throw Error("the manifest has {} layers, the config has {}", image.manifest.layers.size(),
                image.config.diff_ids.size());
}

} // namespace

std::string stored_text(const BlobStore& blobs, const Descriptor& blob) {
  const auto source = verify_blob(blobs.read(blob.digest), blob);
  return read_all(*source, max_document);
}

std::unique_ptr<Source> verify_blob(std::unique_ptr<Source> from, const Descriptor& blob) {
  return std::make_unique<VerifiedSource>(std::move(from), blob);
}

std::shared_ptr<const BaseImage> make_base_image(const ImageSource& source, FoundImage found,
                                                 ExpansionLimit limit) {
  const auto base = std::make_shared<BaseImage>(
      BaseImage{source, std::move(found.image.manifest), ImageConfig::parse(found.image.config),
                found.image.ref, std::move(found.open), limit});
  check_layers(*base);
  return base;
}

void ImageLibrary::prefetch(const std::vector<ImageSource>& images) {
  parallel_for(images.size(), parallel_lookups, [&](std::size_t i) {
    std::shared_ptr<const BaseImage> found;
    std::exception_ptr failure;
    try {
      found = resolve(images[i]);
    } catch (const Error&) {
      // Kept for the stage that needs the image, which knows the line.
      failure = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    if (found)
      known_.emplace(images[i].key(), std::move(found));
    else
      failed_.emplace(images[i].key(), failure);
  });
}

std::shared_ptr<const BaseImage> ImageLibrary::get(const ImageSource& image) {
  const std::lock_guard lock(mutex_);
  if (auto failure = failed_.extract(image.key()))
    std::rethrow_exception(failure.mapped());
  auto& entry = known_[image.key()];
  if (!entry)
    entry = resolve(image);
  return entry;
}

std::shared_ptr<const BaseImage> ImageLibrary::resolve(const ImageSource& image) {
  try {
    return within([&] { return image.reference ? from_registry(image) : from_layout(image); }, "{}",
                  printable(image.name));
  } catch (Error& error) {
    if (!image.hint.empty())
      error.add_hint(image.hint);
    throw;
  }
}

std::shared_ptr<const BaseImage> ImageLibrary::from_registry(const ImageSource& image) {
  const auto& reference = *image.reference;
  services_.progress.info("Retrieving image manifest {}", image.name);
  return make_base_image(
      image,
      ImageFinder(services_.registry, services_.memory, services_.progress)
          .find(reference, services_.mirrors.candidates(reference), image.platform),
      services_.limit);
}

std::shared_ptr<const BaseImage> ImageLibrary::from_layout(const ImageSource& image) {
  const auto layout = std::make_shared<Layout>(Layout::open(image.layout_path));
  auto manifest =
      layout_manifest(*layout, layout->find(image.layout_tag, image.layout_digest), image.platform);
  auto config = ImageConfig::parse(stored_text(layout->blobs(), manifest.config));
  auto open = [layout](const Descriptor& blob) {
    return verify_blob(layout->blobs().read(blob.digest), blob);
  };
  const auto base =
      std::make_shared<BaseImage>(BaseImage{image, std::move(manifest), std::move(config),
                                            std::nullopt, std::move(open), services_.limit});
  check_layers(*base);
  return base;
}

} // namespace cairn
