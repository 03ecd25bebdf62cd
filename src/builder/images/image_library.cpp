#include "builder/images/image_library.hpp"

#include "builder/images/image_finder.hpp"
#include "builder/store/verified_blob.hpp"
#include "oci/layout.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"
#include "util/text.hpp"

#include <utility>

namespace cairn {

namespace {

constexpr std::size_t parallel_lookups = 8;
constexpr int max_index_depth = 4;

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

} // namespace

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
