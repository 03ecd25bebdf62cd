#pragma once

#include "builder/options/build_options.hpp"
#include "fs/tree/file_stamp.hpp"
#include "fs/tree/layer_writer.hpp"
#include "oci/blob_store.hpp"
#include "util/shared_result.hpp"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

namespace cairn {

/// What a step hands over to be written as a layer.
struct LayerContent {
  std::string step = {}; ///< What the layer is of, for messages.
  LayerEntries entries;
  /// Content by position in `entries`; owns all that it reads from.
  ContentOpener open;
  /// What tells whether such content has changed since, by position; may be empty.
  std::function<std::optional<FileStamp>(std::size_t)> stamp = {};
};

/// Writes layers beside the build: the next step does not wait for the compressor. Few at a time,
/// so that memory stays bounded. Thread-safe.
class LayerFactory {
public:
  /// `store` must outlive it.
  /// `cancel`, which too must outlive it, ends what is being written when it becomes true.
  LayerFactory(const BlobStore& store, CompressionChoice choice, TimeRule times,
               const std::atomic<bool>& cancel);
  LayerFactory(const LayerFactory&) = delete;
  LayerFactory& operator=(const LayerFactory&) = delete;

  /// Waits while too many layers are being written. Errors come out of the result.
  /// @throws SysError when there can be no further thread
  SharedResult<Layer> start(LayerContent content);

  const BlobStore& store() const noexcept { return store_; }

private:
  class Slot;

  Layer write(const LayerContent& content);

  const BlobStore& store_;
  CompressionChoice choice_;
  TimeRule times_;
  const std::atomic<bool>& cancel_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t active_ = 0;
};

/// The rule for times in new layers.
TimeRule time_rule(const TimeOptions& options);

} // namespace cairn
