#pragma once

#include "builder/layers/stage_layer.hpp"
#include "fs/archive/entry_content.hpp"
#include "fs/tree/changes.hpp"
#include "fs/tree/layer_index.hpp"
#include "fs/tree/tree.hpp"
#include "util/rooted_path.hpp"
#include "util/stream.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// The text of small files that later steps look up, captured as layers stream past.
using SmallFiles = std::map<ContentRef, std::string>;

/// The layers of a stage from the bottom up, and the Tree they add up to. The Tree is made when it
/// is first asked for: a stage that only configures never reads a layer. Not thread-safe.
class LayerStack {
public:
  using Layers = std::vector<std::shared_ptr<const StageLayer>>;

  /// Told about every entry of a base layer while it is read for the Tree, to unpack it at the
  /// same time. Layer numbers count from the bottom.
  class Loader {
  public:
    virtual ~Loader() = default;
    /// Called for layers 0, 1, … each before its entries; several layers may be loaded at once.
    virtual void begin(std::size_t layer) = 0;
    virtual void entry(std::size_t layer, const LayerEntry& entry, EntryContent& content) = 0;
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

  /// What several stacks have as their lowest layers, loaded once for all. Thread-safe.
  class Base {
  public:
    virtual ~Base() = default;
    virtual const Layers& layers() const noexcept = 0;

    struct Loaded {
      Tree tree;
      SmallFiles small;
      bool shown = false; ///< Whether this call has shown all layers to the loader.
    };
    /// The first who asks loads, others wait and are told of the same failure. `loader` may be
    /// null.
    virtual Loaded load(Loader* loader) = 0;
  };

  LayerStack() = default;
  /// `base_image_layers`: how many of `layers`, the lowest ones, are those of a base image. When
  /// there is no loader, `parallel` of them are read at the same time.
  LayerStack(Layers layers, std::size_t base_image_layers, std::size_t parallel = 2)
      : layers_(std::move(layers)), base_image_layers_(base_image_layers), parallel_(parallel) {}
  /// A stack of base image layers that begins with those of `base`.
  LayerStack(std::shared_ptr<Base> base, const Layers& more, std::size_t parallel = 2);

  std::size_t base_image_layers() const noexcept { return base_image_layers_; }
  /// How many of the lowest layers are loaded by a Base, which knows where they are to lie.
  std::size_t shared_layers() const noexcept { return base_ ? base_->layers().size() : 0; }
  /// How many layers are read at the same time.
  std::size_t parallel() const noexcept { return parallel_; }

  const Layers& layers() const noexcept { return layers_; }
  /// The lowest `count` layers, which are not fewer than those of the base image.
  LayerStack lowest(std::size_t count) const;

  /// Reads all layers once, for the Tree and for `loader`. When that fails there is no Tree. Layers
  /// of a Base that is loaded already are shown without all_read().
  /// @pre !loaded()
  void load(Loader* loader);
  bool loaded() const noexcept { return tree_.has_value(); }
  /// Loads when that has not happened.
  const Tree& tree();
  /// @pre loaded()
  const Tree& loaded_tree() const { return *tree_; }

  const SmallFiles& small_files() const noexcept { return small_; }

  /// A directory with the files of all layers in it, which nobody changes any more.
  struct Root {
    std::string path;
    PathFilter ignored; ///< Paths that may have something else.
  };
  /// Null when there is none.
  const Root* root() const noexcept { return root_.get(); }
  void lies_in(Root root) { root_ = std::make_shared<const Root>(std::move(root)); }

  /// Adds a layer on top, with the entries it holds. Loads first.
  void push(std::shared_ptr<const StageLayer> layer, const LayerEntries& entries);
  /// Adds a layer whose entries are read when the Tree is needed, or at once if there is one.
  void push(std::shared_ptr<const StageLayer> layer);
  /// Keeps the text of a file of the topmost layer.
  void remember(const ContentRef& content, std::string text);

  /// The text of a regular file, links followed; nothing when there is none. For small files:
  /// @throws Error above `limit` bytes
  std::optional<std::string> text(const RootedPath& path, std::uint64_t limit);

private:
  Tree load_base(Loader* loader);
  void apply(const StageLayer& from, IndexedLayer&& layer, Tree& tree);

  Layers layers_;
  std::size_t base_image_layers_ = 0;
  std::size_t parallel_ = 2;
  std::shared_ptr<const Root> root_;
  std::shared_ptr<Base> base_; ///< Of the lowest layers; may be null.
  std::optional<Tree> tree_;
  SmallFiles small_;
};

/// The content of a file of some layers. They must outlive the Source.
std::unique_ptr<Source> read_content(const LayerStack::Layers& layers, const ContentRef& content);

/// True for the files that LayerStack captures: the user databases.
bool is_captured(const RootedPath& path);

} // namespace cairn
