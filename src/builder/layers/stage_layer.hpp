#pragma once

#include "builder/images/base_image.hpp"
#include "builder/layers/layer_content.hpp"
#include "builder/layers/table_layer.hpp"
#include "builder/store/cache_directory.hpp"
#include "builder/store/layer_index_caches.hpp"
#include "fs/archive/entry_content.hpp"
#include "oci/digest.hpp"
#include "oci/manifest.hpp"
#include "oci/media_type.hpp"
#include "util/stream.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace cairn {

/// One layer of a stage: of its base image (ImageLayer), or made by one of its steps (MadeLayer).
/// Shared by the stages built on it. Thread-safe.
class StageLayer {
public:
  StageLayer() = default;
  StageLayer(const StageLayer&) = delete;
  StageLayer& operator=(const StageLayer&) = delete;
  virtual ~StageLayer() = default;

  /// What an image says of it. For a layer that is still being written these wait until it is.
  /// @throws what stopped it
  virtual Digest diff_id() const = 0;
  virtual Compression compression() const = 0;
  Descriptor descriptor(ImageFormat format) const;

  /// The bytes of its blob, verified.
  virtual std::unique_ptr<Source> open() const = 0;

  /// Shows all entries, in their order. What comes from a blob is verified.
  virtual void read(const LayerVisitor& visit) const = 0;

  /// Its files where they lie, to be opened one by one; null when the layer has to be read.
  virtual std::shared_ptr<const LayerContent> files() const { return nullptr; }

  /// What it is read by instead, if that was asked for and can be; else null. Positions in its
  /// index are not those in read(). The first call reads the table. @throws Error
  virtual const TableLayer* table() const { return nullptr; }

  /// The directory that it is unpacked in as a layer of an overlay, under the names of its entries;
  /// nothing before lies_in() has said so.
  std::optional<std::string> directory() const;
  void lies_in(std::string directory) const;

  /// Where what is derived from it may be kept; null for new layers and without --cache-dir.
  virtual const CacheDirectory* cache() const noexcept { return nullptr; }

  /// Where what it holds may be known from; null for new layers.
  virtual LayerIndexCaches* indexes() const noexcept { return nullptr; }

  /// The base image that it belongs to; null for a new layer.
  virtual std::shared_ptr<const BaseImage> base() const noexcept { return nullptr; }

private:
  /// Without a media type.
  virtual Descriptor blob() const = 0;

  mutable std::mutex mutex_;
  mutable std::optional<std::string> directory_;
};

} // namespace cairn
