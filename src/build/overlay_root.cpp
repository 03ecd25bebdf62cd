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

/// Unpacks one layer into a directory of its own.
struct OneLayer {
  explicit OneLayer(std::string directory)
      : path(std::move(directory)), root(open_directory(path)),
        unpacker(root, {Unpacker::Whiteouts::overlay, {}}) {}

  std::string path;
  Fd root;
  Unpacker unpacker;
};

/// Unpacks all layers of a base image while they are read for the Tree.
class BaseLoader final : public LayerStack::Loader {
public:
  BaseLoader(Workspace& workspace, std::size_t count) : workspace_(workspace), layers_(count) {}

  void begin(std::size_t layer) override {
    layers_[layer] = std::make_unique<OneLayer>(workspace_.new_directory("l"));
  }
  void entry(std::size_t layer, const LayerEntry& entry, TarReader& content) override {
    layers_[layer]->unpacker.add(entry, content);
  }
  void end(std::size_t layer) override { layers_[layer]->unpacker.finish(); }
  std::size_t parallel() const override { return 2; }

  std::string text(std::size_t layer, const RootedPath& path) override {
    const auto file = open_in_root(layers_[layer]->root, path, O_RDONLY);
    return file ? read_file(*file, std::uint64_t{1} << 20) : std::string();
  }

  const std::string& path(std::size_t layer) const { return layers_[layer]->path; }

private:
  Workspace& workspace_;
  std::vector<std::unique_ptr<OneLayer>> layers_;
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
  const auto all_known = std::all_of(layers.begin(), layers.end(), [&](const auto& layer) {
    return services_.directories.find(layer.get()).has_value();
  });
  if (!stack.loaded() && !all_known) {
    BaseLoader loader(services_.workspace, layers.size());
    stack.load(&loader);
    for (std::size_t i = 0; i < layers.size(); ++i)
      services_.directories.add(layers[i].get(), loader.path(i));
  }
  stack.tree();
  for (auto i = directories_.size(); i < layers.size(); ++i) {
    auto known = services_.directories.find(layers[i].get());
    if (!known) {
      known = unpack(*layers[i]);
      services_.directories.add(layers[i].get(), *known);
    }
    directories_.push_back(*known);
  }
}

std::string OverlayStageRoot::unpack(const StageLayer& layer) {
  OneLayer target(services_.workspace.new_directory("l"));
  layer.read(
      [&](const LayerEntry& entry, TarReader& reader) { target.unpacker.add(entry, reader); });
  target.unpacker.finish();
  return target.path;
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
