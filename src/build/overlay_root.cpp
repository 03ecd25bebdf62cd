#include "build/overlay_root.hpp"

#include "fs/unpack.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

Fd open_directory(const std::string& path) {
  return open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
}

bool same_bytes(FdRef a, FdRef b) {
  std::vector<std::byte> left(stream_block);
  std::vector<std::byte> right(stream_block);
  for (;;) {
    const auto count = read_full(a, left);
    if (read_full(b, right) != count ||
        !std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(count), right.begin()))
      return false;
    if (count == 0)
      return true;
  }
}

using Layers = std::vector<std::shared_ptr<const StageLayer>>;

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
    return read_content(layers, node.content);
  };
  return options;
}

Unpacker::Options alone() {
  Unpacker::Options options;
  options.whiteouts = Unpacker::Whiteouts::overlay;
  return options;
}

/// Unpacks a layer and returns where, and what it holds.
std::pair<std::string, LayerIndex> unpack_layer(const StageLayer& layer, std::string directory,
                                                Unpacker::Options options) {
  OneLayer target(std::move(directory), std::move(options));
  LayerIndex index;
  layer.read([&](const LayerEntry& entry, TarReader& reader) {
    target.unpacker.add(entry, reader);
    index.entries.push_back(entry);
  });
  target.unpacker.finish();
  return {target.path, std::move(index)};
}

/// The chain ids of layers from the bottom up (OCI image configuration, Layer ChainID), as far as
/// they can be kept from build to build.
std::vector<Digest> chain_ids(const Layers& layers) {
  std::vector<Digest> chain;
  for (const auto& layer : layers) {
    if (layer->cache() == nullptr || !layer->cache()->can_use_unpacked())
      break;
    chain.push_back(chain.empty() ? layer->diff_id()
                                  : Digest::of(chain.back().str() + " " + layer->diff_id().str()));
  }
  return chain;
}

/// Unpacks all layers of a base image at the same time, while they are read for the Tree. The few
/// that turn out to rely on what is below them are unpacked again.
class BaseLoader final : public LayerStack::Loader {
public:
  /// `known` has the directories of layers that are unpacked already.
  BaseLoader(Workspace& workspace, const Layers& layers, const LayerDirectories& known)
      : workspace_(workspace), layers_(layers), known_(known), unpacked_(layers.size()),
        chain_(chain_ids(layers)), kept_(layers.size()) {}

  bool wants(std::size_t layer) const override {
    return !known_.find(layers_[layer].get()).has_value();
  }

  void begin(std::size_t layer) override {
    unpacked_[layer] = std::make_unique<OneLayer>(new_place(layer), alone());
  }
  void entry(std::size_t layer, const LayerEntry& entry, TarReader& content) override {
    unpacked_[layer]->unpacker.add(entry, content);
  }
  void end(std::size_t layer) override { unpacked_[layer]->unpacker.finish(); }
  std::size_t parallel() const override { return 2; }

  void settle(std::size_t layer, const Tree& below) override {
    if (const auto known = known_.find(layers_[layer].get())) {
      paths_.push_back(*known);
      return;
    }
    auto path = unpacked_[layer]->path;
    if (layer > 0 && !unpacked_[layer]->unpacker.fits(below)) {
      remove_tree(current_directory(), path);
      path = unpack_layer(*layers_[layer], new_place(layer), over(below, layers_)).first;
    }
    if (kept_[layer])
      path = kept_[layer]->commit(chain_[layer]);
    unpacked_[layer].reset();
    paths_.push_back(std::move(path));
  }

  std::string text(std::size_t layer, const RootedPath& path) override {
    const auto file = open_in_root(unpacked_[layer]->root, path, O_RDONLY);
    return file ? read_file(*file, std::uint64_t{1} << 20) : std::string();
  }

  const std::vector<std::string>& paths() const { return paths_; }

private:
  /// An empty directory for a layer, where it can stay if possible.
  std::string new_place(std::size_t layer) {
    if (layer >= chain_.size() || !layers_[layer]->cache()->can_unpack())
      return workspace_.new_directory("l");
    kept_[layer].emplace(*layers_[layer]->cache());
    return kept_[layer]->path();
  }

  Workspace& workspace_;
  const Layers& layers_;
  const LayerDirectories& known_;
  std::vector<std::unique_ptr<OneLayer>> unpacked_;
  std::vector<Digest> chain_;
  std::vector<std::optional<CacheDirectory::Unpacking>> kept_;
  std::vector<std::string> paths_;
};

/// The root directory of an overlay takes its attributes from the upper one.
void give_root_attributes(const std::string& directory, const Metadata& meta) {
  if (::chown(directory.c_str(), meta.uid, meta.gid) != 0)
    throw SysError(errno, "change owner of '{}'", directory);
  if (::chmod(directory.c_str(), meta.mode) != 0)
    throw SysError(errno, "change mode of '{}'", directory);
}

} // namespace

OverlayStageRoot::OverlayStageRoot(const RootServices& services) : services_(services) {}

void OverlayStageRoot::catch_up(LayerStack& stack) {
  const auto& layers = stack.layers();
  auto& known = services_.directories;
  if (!stack.loaded()) {
    const auto chain = chain_ids(layers);
    for (std::size_t i = 0; i < chain.size(); ++i)
      if (const auto path = layers[i]->cache()->unpacked(chain[i]))
        known.add(layers[i].get(), *path);
  }
  const auto all_known = std::all_of(layers.begin(), layers.end(), [&](const auto& layer) {
    return known.find(layer.get()).has_value();
  });
  if (!stack.loaded() && !all_known) {
    BaseLoader loader(services_.workspace, layers, known);
    stack.load(&loader);
    for (std::size_t i = 0; i < layers.size(); ++i)
      known.add(layers[i].get(), loader.paths()[i]);
  }
  stack.tree();
  // The Tree of the layers below, as long as all of them are unpacked here. Those made by steps
  // stand alone and do not need it.
  std::optional<Tree> below;
  if (directories_.empty())
    below.emplace();
  for (auto i = directories_.size(); i < layers.size(); ++i) {
    auto directory = known.find(layers[i].get());
    if (directory) {
      below.reset();
    } else {
      auto [path, index] = unpack_layer(*layers[i], services_.workspace.new_directory("l"),
                                        below ? over(*below, layers) : alone());
      if (below)
        below->apply(index);
      directory = std::move(path);
      known.add(layers[i].get(), *directory);
    }
    directories_.push_back(*directory);
  }
}

Outcome OverlayStageRoot::run(const Invocation& invocation, const LayerStack& stack) {
  OverlayRoot root;
  root.lower.assign(directories_.rbegin(), directories_.rend());
  root.upper = services_.workspace.new_directory("u");
  root.work = services_.workspace.new_directory("w");
  give_root_attributes(root.upper, stack.loaded_tree().find(RootedPath())->meta);
  upper_path_ = root.upper;
  upper_ = std::make_shared<Fd>(open_directory(root.upper));
  auto outcome = services_.runner.run(root, invocation);
  remove_tree(current_directory(), root.work);
  return outcome;
}

LayerContent OverlayStageRoot::changes(const LayerStack& stack) {
  const ContentCheck same = [&](const RootedPath& path, const Tree::Node& before) {
    const auto now = open_in_root(*upper_, path, O_RDONLY);
    const auto lower = open_directory(directories_.at(before.content.layer));
    const auto then = open_in_root(lower, path, O_RDONLY);
    return now && then && same_bytes(*now, *then);
  };
  LayerContent content;
  content.entries =
      changes_of_overlay(*upper_, stack.loaded_tree(), services_.ignored, same).entries;
  content.open = files_of(upper_, content.entries);
  return content;
}

void OverlayStageRoot::accept(const std::shared_ptr<const StageLayer>& layer) {
  services_.directories.add(layer.get(), upper_path_);
  directories_.push_back(upper_path_);
}

std::optional<std::string> OverlayStageRoot::changed_text(const RootedPath& path,
                                                          std::uint64_t limit) const {
  const auto file = open_in_root(*upper_, path, O_RDONLY);
  return file ? std::optional(read_file(*file, limit)) : std::nullopt;
}

ContentOpener files_of(std::shared_ptr<const Fd> root, const std::vector<LayerEntry>& entries) {
  auto paths = std::make_shared<std::vector<RootedPath>>();
  for (const auto& entry : entries)
    paths->push_back(entry.path);
  return [root = std::move(root), paths](std::size_t n) -> std::unique_ptr<Source> {
    auto file = open_in_root(*root, paths->at(n), O_RDONLY);
    if (!file)
      throw Error("'{}' is gone", paths->at(n).str());
    return std::make_unique<FileSource>(std::move(*file));
  };
}

} // namespace cairn
