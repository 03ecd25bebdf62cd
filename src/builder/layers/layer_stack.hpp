#pragma once

#include "builder/images/image_library.hpp"
#include "builder/store/cache_directory.hpp"
#include "builder/store/layer_index_caches.hpp"
#include "fs/archive/layer.hpp"
#include "fs/archive/read_layer.hpp"
#include "fs/tree/layer_index.hpp"
#include "fs/tree/layer_writer.hpp"
#include "fs/tree/tree.hpp"
#include "oci/blob_store.hpp"
#include "oci/manifest.hpp"
#include "util/shared_result.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Where layers that come from elsewhere are kept; all may be null.
struct LayerCachePolicy {
  const BlobStore* blobs = nullptr;      ///< Gets the blob when it is read for the first time.
  const CacheDirectory* cache = nullptr; ///< Asked first, for the blob and for what is made of it.
  LayerIndexCaches* indexes = nullptr;   ///< Asked before a layer is read for what it holds.
};

/// One layer of a stage: of its base image, or made by one of its steps, perhaps still being
/// written. Shared by the stages built on it. Thread-safe.
class StageLayer {
public:
  /// A layer of a base image.
  StageLayer(std::shared_ptr<const BaseImage> base, std::size_t number, LayerCachePolicy keep);
  /// A layer that a step makes into `store`.
  StageLayer(SharedResult<Layer> made, const BlobStore& store);

  /// Waits until the layer is complete. @throws what stopped it
  Digest diff_id() const;
  Descriptor descriptor(ImageFormat format) const;
  Compression compression() const;

  /// The compressed bytes, verified.
  std::unique_ptr<Source> open() const;

  /// Shows all entries, see read_layer(). What the diff id says is verified, and the index that
  /// stood for the layer before, if one did.
  void read(const EntryVisitor& visit) const;

  /// Where what is derived from it may be kept; null for new layers and without --cache-dir.
  const CacheDirectory* cache() const noexcept { return cache_; }
  /// Where what it holds may be known from; null for new layers.
  LayerIndexCaches* indexes() const noexcept { return indexes_; }

  /// The base image that it belongs to; null for a new layer.
  const std::shared_ptr<const BaseImage>& base() const noexcept { return base_; }

private:
  Descriptor blob() const;
  void show(const EntryVisitor& visit) const;

  std::shared_ptr<const BaseImage> base_;
  std::size_t number_ = 0;
  SharedResult<Layer> made_;
  const BlobStore* store_ = nullptr;
  const CacheDirectory* cache_ = nullptr;
  LayerIndexCaches* indexes_ = nullptr;
};

/// The text of small files that later steps look up, captured as layers stream past.
using SmallFiles = std::map<ContentRef, std::string>;

/// The layers of a stage from the bottom up, and the Tree they add up to. The Tree is made when it
/// is first asked for: a stage that only configures never reads a layer. Not thread-safe.
class LayerStack {
public:
  /// Told about every entry of a base layer while it is read for the Tree, to unpack it at the
  /// same time. Layer numbers count from the bottom.
  class Loader {
  public:
    virtual ~Loader() = default;
    /// Called for layers 0, 1, … each before its entries; several layers may be loaded at once.
    virtual void begin(std::size_t layer) = 0;
    virtual void entry(std::size_t layer, const LayerEntry& entry, TarReader& content) = 0;
    virtual void end(std::size_t layer) = 0;
    /// Called for layers 0, 1, … after all have been read, with the Tree of those below.
    virtual void all_read(std::size_t layer, const Tree& below) = 0;
    /// The text of a small file that entry() has just been given.
    virtual std::string text(std::size_t layer, const RootedPath& path) = 0;
    /// Layers that are not wanted are only indexed: begin(), entry() and end() are not called.
    virtual bool wants(std::size_t layer) const = 0;
    /// How many layers may be under way at the same time.
    virtual std::size_t parallel() const = 0;
  };

  LayerStack() = default;
  /// `base_image_layers`: how many of `layers`, the lowest ones, are those of a base image.
  LayerStack(std::vector<std::shared_ptr<const StageLayer>> layers, std::size_t base_image_layers)
      : layers_(std::move(layers)), base_image_layers_(base_image_layers) {}

  std::size_t base_image_layers() const noexcept { return base_image_layers_; }

  const std::vector<std::shared_ptr<const StageLayer>>& layers() const noexcept { return layers_; }

  /// Reads all layers once, for the Tree and for `loader`. When that fails there is no Tree.
  /// @pre !loaded()
  void load(Loader* loader);
  bool loaded() const noexcept { return tree_.has_value(); }
  /// Loads when that has not happened.
  const Tree& tree();
  /// @pre loaded()
  const Tree& loaded_tree() const { return *tree_; }

  /// Adds a layer on top, with the entries it holds. Loads first.
  void push(std::shared_ptr<const StageLayer> layer, const std::vector<LayerEntry>& entries);
  /// Adds a layer whose entries are read when the Tree is needed, or at once if there is one.
  void push(std::shared_ptr<const StageLayer> layer);
  /// Keeps the text of a file of the topmost layer.
  void remember(const ContentRef& content, std::string text);

  /// The text of a regular file, links followed; nothing when there is none. For small files:
  /// @throws Error above `limit` bytes
  std::optional<std::string> text(const RootedPath& path, std::uint64_t limit);

private:
  void apply(const StageLayer& from, IndexedLayer&& layer, Tree& tree);

  std::vector<std::shared_ptr<const StageLayer>> layers_;
  std::size_t base_image_layers_ = 0;
  std::optional<Tree> tree_;
  SmallFiles small_;
};

/// The content of a file of some layers. They must outlive the Source.
std::unique_ptr<Source> read_content(const std::vector<std::shared_ptr<const StageLayer>>& layers,
                                     const ContentRef& content);

/// True for the files that LayerStack captures: the user databases.
bool is_captured(const RootedPath& path);

} // namespace cairn
