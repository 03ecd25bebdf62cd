#include "builder/roots/layer_unpacker.hpp"

#include "fs/tree/unpack.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/parallel.hpp"

#include <fcntl.h>

#include <algorithm>

namespace cairn {

namespace {

using Layers = LayerStack::Layers;

/// A layer in a directory of its own.
struct OneLayer {
  OneLayer(std::string directory, Unpacker::Options options)
      : path(std::move(directory)), root(open_directory(path)), unpacker(root, std::move(options)) {
  }

  std::string path;
  Fd root;
  Unpacker unpacker;
};

/// A layer whose meaning depends on those below it.
Unpacker::Options over(const Tree& below, const Layers& layers) {
  Unpacker::Options options;
  options.whiteouts = Unpacker::Whiteouts::overlay;
  options.below = &below;
  options.open_below = [&layers](const Tree::Node& node) {
    return read_content(layers, node.content());
  };
  return options;
}

Unpacker::Options alone() {
  Unpacker::Options options;
  options.whiteouts = Unpacker::Whiteouts::overlay;
  return options;
}

std::pair<std::string, LayerIndex> unpack_with(const StageLayer& layer, std::string directory,
                                               Unpacker::Options options) {
  OneLayer target(std::move(directory), std::move(options));
  LayerIndex index;
  layer.read([&](const LayerEntry& entry, EntryContent& content) {
    target.unpacker.add(entry, content);
    index.entries.push_back(entry);
  });
  target.unpacker.finish();
  return {target.path, std::move(index)};
}

/// The chain ids of layers, as far as they can be kept from build to build.
std::vector<Digest> kept_chain(const Layers& layers) {
  std::vector<Digest> diff_ids;
  for (const auto& layer : layers) {
    if (layer->cache() == nullptr || !layer->cache()->unpacked().can_use())
      break;
    diff_ids.push_back(layer->diff_id());
  }
  return chain_ids(diff_ids);
}

/// Unpacks all layers of a base image at the same time, while they are read for the Tree. The few
/// that turn out to rely on what is below them are unpacked again.
class BaseLoader final : public LayerStack::Loader {
public:
  BaseLoader(Workspace& workspace, const Layers& layers, std::size_t parallel)
      : workspace_(workspace), layers_(layers), parallel_(parallel), unpacked_(layers.size()),
        chain_(kept_chain(layers)), kept_(layers.size()) {}

  bool wants(std::size_t layer) const override { return !layers_[layer]->directory(); }

  void begin(std::size_t layer) override {
    unpacked_[layer] = std::make_unique<OneLayer>(new_place(layer), alone());
  }
  void entry(std::size_t layer, const LayerEntry& entry, EntryContent& content) override {
    in_place_of(layer, [&] { unpacked_[layer]->unpacker.add(entry, content); });
  }
  void end(std::size_t layer) override {
    in_place_of(layer, [&] { unpacked_[layer]->unpacker.finish(); });
  }
  std::size_t parallel() const override { return parallel_; }

  void all_read(std::size_t layer, const Tree& below) override {
    if (!unpacked_[layer])
      return;
    auto path = unpacked_[layer]->path;
    if (layer > 0 && !unpacked_[layer]->unpacker.fits(below)) {
      in_place_of(layer, [&] { remove_tree(current_directory(), path); });
      path = new_place(layer);
      in_place_of(layer, [&] { unpack_with(*layers_[layer], path, over(below, layers_)); });
    }
    // A build that may make device nodes would miss them.
    if (kept_[layer])
      path = unpacked_[layer]->unpacker.is_whole() ? kept_[layer]->commit(chain_[layer])
                                                   : kept_[layer]->use_once();
    unpacked_[layer].reset();
    layers_[layer]->lies_in(path);
  }

  std::string text(std::size_t layer, const RootedPath& path) override {
    const auto file = open_in_root(unpacked_[layer]->root, path, O_RDONLY);
    return file ? read_file(*file, std::uint64_t{1} << 20) : std::string();
  }

private:
  /// An empty directory for a layer, where it can stay if possible.
  std::string new_place(std::size_t layer) {
    kept_[layer].reset();
    if (layer >= chain_.size() || !layers_[layer]->cache()->unpacked().can_make())
      return workspace_.new_directory("l");
    kept_[layer].emplace(layers_[layer]->cache()->unpacked());
    return kept_[layer]->path();
  }

  /// Runs `body`, which writes where a layer is unpacked.
  template<class Body>
  void in_place_of(std::size_t layer, Body&& body) {
    if (kept_[layer])
      layers_[layer]->cache()->unpacked().unpack(std::forward<Body>(body));
    else
      std::forward<Body>(body)();
  }

  Workspace& workspace_;
  const Layers& layers_;
  std::size_t parallel_;
  std::vector<std::unique_ptr<OneLayer>> unpacked_;
  std::vector<Digest> chain_;
  std::vector<std::optional<UnpackedLayers::Unpacking>> kept_;
};

} // namespace

std::pair<std::string, LayerIndex> unpack_layer(const StageLayer& layer, std::string directory,
                                                const Tree* below,
                                                const LayerStack::Layers& layers) {
  return unpack_with(layer, std::move(directory),
                     below != nullptr ? over(*below, layers) : alone());
}

void unpack_base(LayerStack& stack, Workspace& workspace) {
  const auto& layers = stack.layers();
  const auto chain = kept_chain(layers);
  parallel_for(chain.size(), stack.parallel(), [&](std::size_t i) {
    if (layers[i]->directory() || i < stack.shared_layers())
      return;
    if (const auto path = layers[i]->cache()->unpacked().find(chain[i]))
      layers[i]->lies_in(*path);
  });
  if (std::all_of(layers.begin(), layers.end(),
                  [](const auto& layer) { return layer->directory().has_value(); }))
    return;
  BaseLoader loader(workspace, layers, stack.parallel());
  stack.load(&loader);
}

} // namespace cairn
