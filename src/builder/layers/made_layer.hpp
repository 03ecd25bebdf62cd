#pragma once

#include "builder/layers/layer_factory.hpp"
#include "builder/layers/stage_layer.hpp"
#include "fs/archive/layer.hpp"
#include "util/shared_result.hpp"

#include <memory>
#include <mutex>

namespace cairn {

/// A layer that a step has made. Its files are read from where they lie, and its blob is written
/// when somebody needs one: the image, or a cache. What serves later stages alone never has one.
class MadeLayer final : public StageLayer {
public:
  /// `factory` must outlive it.
  MadeLayer(LayerContent content, LayerFactory& factory);

  /// Begins to write the blob that an image holds, beside the build, unless that has begun.
  void write() const;
  /// Returns when the layer does not need its files any more: before somebody changes them.
  /// @throws what stopped the writing
  void set_aside() const;

  Digest diff_id() const override { return written().diff_id; }
  Compression compression() const override { return written().compression; }
  std::unique_ptr<Source> open() const override;
  void read(const LayerVisitor& visit) const override;
  std::shared_ptr<const LayerContent> files() const override;

private:
  Descriptor blob() const override;
  void begin(LayerForm form) const;
  const Layer& written() const;

  LayerFactory& factory_;
  mutable std::once_flag begun_;
  mutable SharedResult<Layer> written_; ///< Once begun.
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const LayerContent> content_; ///< Null when it was set aside.
};

} // namespace cairn
