#include "builder/layers/image_layer.hpp"

#include "builder/store/verified_blob.hpp"
#include "fs/archive/read_layer.hpp"
#include "util/cache_failure.hpp"
#include "util/error.hpp"
#include "util/interruptible.hpp"

#include <exception>
#include <optional>
#include <utility>

namespace cairn {

namespace {

/// Copies what is read into a store and commits it at the end. A store without room gets nothing;
/// if it is that of a cache, that is told.
class KeepingSource final : public Source {
public:
  KeepingSource(std::unique_ptr<Source> from, const BlobStore& store, const Descriptor& blob,
                const CacheDirectory* cache)
      : from_(std::move(from)), blob_(blob), cache_(cache) {
    keep([&] { writer_.emplace(store); });
  }

  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = from_->read(buffer);
    if (writer_)
      keep([&] {
        if (count != 0)
          return writer_->write(buffer.first(count));
        writer_->commit(blob_.digest, blob_.size);
        writer_.reset();
      });
    return count;
  }

private:
  template<class Body>
  void keep(const Body& body) {
    try {
      in_cache(body);
    } catch (const CacheFailure& failure) {
      writer_.reset();
      if (cache_ != nullptr)
        cache_->tell(failure);
    }
  }

  std::unique_ptr<Source> from_;
  std::optional<BlobStore::Writer> writer_;
  Descriptor blob_;
  const CacheDirectory* cache_; ///< Null when the store belongs to the build alone.
};

} // namespace

ImageLayer::ImageLayer(std::shared_ptr<const BaseImage> image, std::size_t number,
                       LayerCachePolicy keep)
    : image_(std::move(image)), number_(number), keep_(std::move(keep)) {}

Digest ImageLayer::diff_id() const {
  return image_->config.diff_ids.at(number_);
}

Descriptor ImageLayer::blob() const {
  return image_->manifest.layers.at(number_);
}

Compression ImageLayer::compression() const {
  return compression_of(blob().media_type);
}

std::unique_ptr<Source> ImageLayer::open() const {
  const auto descriptor = blob();
  const auto* store = keep_.blobs;
  const auto* cache = keep_.cache;
  if (cache != nullptr)
    if (auto kept = cache->open_blob(descriptor))
      return kept;
  const bool is_own_store = cache == nullptr || store != &cache->blobs();
  if (store != nullptr && is_own_store && store->has(descriptor.digest))
    return verify_blob(store->read(descriptor.digest), descriptor);
  auto source = image_->open(descriptor);
  if (store != nullptr && (!keep_.is_wanted || keep_.is_wanted(descriptor)))
    source = std::make_unique<KeepingSource>(std::move(source), *store, descriptor,
                                             is_own_store ? nullptr : cache);
  return source;
}

const TableLayer* ImageLayer::table() const {
  std::call_once(table_known_, [this] {
    if (keep_.tables == nullptr)
      return;
    // What is here needs no registry.
    const bool is_here = keep_.cache != nullptr && (keep_.cache->blobs().has(blob().digest) ||
                                                    keep_.cache->has_index(diff_id()));
    if (!is_here)
      table_ = TableLayer::open(
          *image_, number_, [this] { return open(); }, *keep_.tables);
  });
  return table_.get();
}

void ImageLayer::read(const LayerVisitor& visit) const {
  within(
      [&] {
        auto comparison =
            keep_.indexes != nullptr ? keep_.indexes->comparison(diff_id()) : std::nullopt;
        if (!comparison)
          return show(visit);
        // Whoever expected something else may fail first: that is to be known.
        std::exception_ptr failure;
        show([&](const LayerEntry& entry, EntryContent& content) {
          comparison->add(entry);
          try {
            if (!failure)
              visit(entry, content);
          } catch (const Error&) {
            failure = std::current_exception();
          }
        });
        comparison->finish();
        if (failure)
          std::rethrow_exception(failure);
      },
      "layer {}", blob().digest.str());
}

void ImageLayer::show(const LayerVisitor& visit) const {
  try {
    auto source = open();
    if (keep_.stopped)
      source = std::make_unique<InterruptibleSource>(std::move(source), *keep_.stopped);
    read_layer(
        *source, diff_id(),
        [&](const LayerEntry& entry, TarReader& tar) {
          EntryContent content(tar);
          visit(entry, content);
        },
        image_->limit);
  } catch (const Error&) {
    if (keep_.cache != nullptr)
      keep_.cache->doubt(blob());
    throw;
  }
}

} // namespace cairn
