#pragma once

#include "builder/layers/layer_content.hpp"
#include "builder/options/build_options.hpp"
#include "fs/archive/layer.hpp"
#include "fs/tree/layer_writer.hpp"
#include "oci/blob_store.hpp"
#include "util/progress.hpp"
#include "util/shared_result.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>

namespace cairn {

/// How a layer is written.
enum class LayerForm {
  of_the_image, ///< Compressed as the options say.
  plain,        ///< As it is: to be read again by this build alone.
};

/// Writes layers beside the build: the next step does not wait for the compressor. Few at a time,
/// so that memory stays bounded. Thread-safe.
class LayerFactory {
public:
  struct Options {
    CompressionChoice compression;
    TimeRule times;
    std::size_t parallel = 2;     ///< How many are written at the same time.
    Progress* progress = nullptr; ///< Told of what was written; may be null.
  };

  /// `store` must outlive it, and so must `cancel`, which ends what is being written when it
  /// becomes true.
  LayerFactory(const BlobStore& store, Options options, const std::atomic<bool>& cancel);
  LayerFactory(const LayerFactory&) = delete;
  LayerFactory& operator=(const LayerFactory&) = delete;

  /// Waits while too many layers are being written. Errors come out of the result.
  /// @throws SysError when there can be no further thread
  SharedResult<Layer> start(std::shared_ptr<const LayerContent> content,
                            LayerForm form = LayerForm::of_the_image);

  const BlobStore& store() const noexcept { return store_; }

private:
  class Slot;

  Layer write(const LayerContent& content, LayerForm form);

  const BlobStore& store_;
  Options options_;
  const std::atomic<bool>& cancel_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t active_ = 0;
};

/// The rule for times in new layers.
TimeRule time_rule(const TimeOptions& options);

} // namespace cairn
