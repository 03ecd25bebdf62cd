#pragma once

#include "builder/layers/stage_layer.hpp"
#include "oci/blob_store.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace cairn {

/// Where layers that come from elsewhere are kept; all may be null.
struct LayerCachePolicy {
  const BlobStore* blobs = nullptr;      ///< Gets the blob when it is read for the first time.
  const CacheDirectory* cache = nullptr; ///< Asked first, for the blob and for what is made of it.
  LayerIndexCaches* indexes = nullptr;   ///< Asked before a layer is read for what it holds.
  /// Null: layers are read whole, whatever tables of contents they have. So they must be where
  /// anything counts the entries of their streams: when commands are run on them.
  const TableReading* tables = nullptr;
  /// Becomes true when nobody wants to read any further; may be null.
  std::shared_ptr<const std::atomic<bool>> stopped = {};
  /// Whether `blobs` gets a blob; asked when that is fetched. Empty: it does.
  std::function<bool(const Descriptor&)> is_wanted = {};
};

/// A layer of an image that is there already: a base image, or what a cache has of a step.
class ImageLayer final : public StageLayer {
public:
  ImageLayer(std::shared_ptr<const BaseImage> image, std::size_t number, LayerCachePolicy keep);

  Digest diff_id() const override;
  Compression compression() const override;
  std::unique_ptr<Source> open() const override;
  /// As read_layer(). What the diff id says is verified, and the index that stood for the layer
  /// before, if one did.
  void read(const LayerVisitor& visit) const override;
  const TableLayer* table() const override;
  const CacheDirectory* cache() const noexcept override { return keep_.cache; }
  LayerIndexCaches* indexes() const noexcept override { return keep_.indexes; }
  std::shared_ptr<const BaseImage> base() const noexcept override { return image_; }

private:
  Descriptor blob() const override;
  void show(const LayerVisitor& visit) const;

  std::shared_ptr<const BaseImage> image_;
  std::size_t number_;
  LayerCachePolicy keep_;
  mutable std::once_flag table_known_;
  mutable std::unique_ptr<TableLayer> table_;
};

} // namespace cairn
