#include "builder/roots/overlay_root.hpp"

#include "builder/layers/files_below.hpp"
#include "builder/roots/layer_unpacker.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

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

/// The root directory of an overlay takes its attributes from the upper one.
void give_root_attributes(const std::string& directory, const Metadata& meta) {
  if (::chown(directory.c_str(), meta.uid, meta.gid) != 0)
    throw SysError(errno, "change owner of '{}'", directory);
  if (::chmod(directory.c_str(), meta.mode) != 0)
    throw SysError(errno, "change mode of '{}'", directory);
}

} // namespace

OverlayRootFilesystem::OverlayRootFilesystem(const RootServices& services) : services_(services) {}

void OverlayRootFilesystem::apply_layers(LayerStack& stack) {
  const auto& layers = stack.layers();
  if (!stack.loaded())
    unpack_base(stack, services_.workspace);
  stack.tree();
  // The Tree of the layers below, as long as all of them are unpacked here. Those made by steps
  // stand alone and do not need it.
  std::optional<Tree> below;
  if (directories_.empty())
    below.emplace();
  for (auto i = directories_.size(); i < layers.size(); ++i) {
    auto directory = layers[i]->directory();
    if (directory) {
      below.reset();
    } else {
      auto [path, index] = unpack_layer(*layers[i], services_.workspace.new_directory("l"),
                                        below ? &*below : nullptr, layers);
      if (below)
        below->apply(index);
      directory = std::move(path);
      layers[i]->lies_in(*directory);
    }
    directories_.push_back(*directory);
  }
}

Outcome OverlayRootFilesystem::run(const Invocation& invocation, const LayerStack& stack) {
  OverlayRoot root;
  root.lower.assign(directories_.rbegin(), directories_.rend());
  root.upper = services_.workspace.new_directory("u");
  root.work = services_.workspace.new_directory("w");
  give_root_attributes(root.upper, stack.loaded_tree().find(RootedPath())->meta());
  upper_path_ = root.upper;
  upper_ = std::make_shared<Fd>(open_directory(root.upper));
  auto outcome = services_.runner.run(root, invocation);
  remove_tree(current_directory(), root.work);
  return outcome;
}

LayerContent OverlayRootFilesystem::changes(const LayerStack& stack) {
  const ContentCheck same = [&](const RootedPath& path, const Tree::Node& before) {
    const auto now = open_in_root(*upper_, path, O_RDONLY);
    const auto lower = open_directory(directories_.at(before.content().layer));
    const auto then = open_in_root(lower, path, O_RDONLY);
    return now && then && same_bytes(*now, *then);
  };
  LayerContent content;
  content.entries =
      changes_of_overlay(*upper_, stack.loaded_tree(), services_.ignored, same).entries;
  content.begin = files_below(upper_path_);
  return content;
}

void OverlayRootFilesystem::commit(const std::shared_ptr<const StageLayer>& layer) {
  layer->lies_in(upper_path_);
  directories_.push_back(upper_path_);
}

std::optional<std::string> OverlayRootFilesystem::changed_text(const RootedPath& path,
                                                               std::uint64_t limit) const {
  const auto file = open_in_root(*upper_, path, O_RDONLY);
  return file ? std::optional(read_file(*file, limit)) : std::nullopt;
}

} // namespace cairn
