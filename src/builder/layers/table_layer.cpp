#include "builder/layers/table_layer.hpp"

#include "builder/store/spool.hpp"
#include "fs/chunked/table_of_contents.hpp"
#include "registry/error.hpp"
#include "util/error.hpp"

#include <mutex>
#include <utility>

namespace cairn {

namespace {

/// Parts of a layer: from the registry, and from a copy of all of it once that has refused one, as
/// a mirror behind the same name may. Thread-safe.
class LayerParts {
public:
  LayerParts(RangeOpener remote, TableLayer::WholeOpener whole, std::string temporary)
      : remote_(std::move(remote)), whole_(std::move(whole)), temporary_(std::move(temporary)) {}

  std::unique_ptr<Source> open(ByteRange range) {
    if (auto here = from_copy(range))
      return here;
    try {
      return remote_(range);
    } catch (const RangeRefused&) {
      make_copy();
      return from_copy(range);
    }
  }

private:
  std::unique_ptr<Source> from_copy(ByteRange range) {
    const std::lock_guard lock(mutex_);
    return copy_ ? copy_->open_part(number_, range.offset, range.size) : nullptr;
  }

  void make_copy() {
    const std::lock_guard lock(mutex_);
    if (copy_)
      return;
    auto copy = std::make_unique<Spool>(temporary_);
    number_ = copy->add(*whole_());
    copy->close();
    copy_ = std::move(copy);
  }

  RangeOpener remote_;
  TableLayer::WholeOpener whole_;
  std::string temporary_;
  std::mutex mutex_;
  std::unique_ptr<Spool> copy_;
  std::size_t number_ = 0;
};

} // namespace

std::unique_ptr<TableLayer> TableLayer::open(const BaseImage& base, std::size_t number,
                                             WholeOpener whole, const TableReading& reading) {
  const auto& layer = base.manifest.layers.at(number);
  const auto hint = find_table(layer);
  if (!hint || !base.open_range)
    return nullptr;
  RangeOpener remote = [open = base.open_range, layer](ByteRange range) {
    return open(layer, range);
  };
  TableLimits limits;
  limits.blob_size = layer.size;
  limits.expansion = base.limit;
  try {
    auto table = std::make_shared<const LayerTable>(read_table(*hint, remote, limits));
    reading.progress.debug("Layer {} is read by its table of contents: {} entries",
                           layer.digest.str(), table->index.entries.size());
    auto parts =
        std::make_shared<LayerParts>(std::move(remote), std::move(whole), reading.temporary);
    return std::unique_ptr<TableLayer>(new TableLayer(ChunkReader(
        std::move(table), [parts](ByteRange range) { return parts->open(range); },
        "layer " + layer.digest.str())));
  } catch (const TableUnusable& error) {
    reading.progress.debug("Layer {} is read whole: {}", layer.digest.str(), error.what());
  } catch (const RangeRefused& error) {
    reading.progress.debug("Layer {} is read whole: {}", layer.digest.str(), error.what());
  }
  return nullptr;
}

} // namespace cairn
