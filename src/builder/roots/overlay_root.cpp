#include "builder/roots/overlay_root.hpp"

#include "builder/layers/files_below.hpp"
#include "builder/roots/layer_unpacker.hpp"
#include "builder/roots/same_bytes.hpp"
#include "fs/archive/metadata.hpp"
#include "util/beneath.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>

namespace cairn {

namespace {

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
  // All layers of a base image may lie in one directory, which a mount takes once.
  std::unique_copy(directories_.rbegin(), directories_.rend(), std::back_inserter(root.lower));
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
  content.entries = with_known_times(
      changes_of_overlay(*upper_, stack.loaded_tree(), services_.ignored, same).entries,
      stack.loaded_tree());
  content.begin = files_below(upper_path_);
  return content;
}

/// Where somebody else has unpacked a base, its directories have other times than its layers say. A
/// directory that still has such a time, being above something that was changed, gets that of the
/// layers, as it has everywhere else.
LayerEntries OverlayRootFilesystem::with_known_times(LayerEntries entries,
                                                     const Tree& before) const {
  LayerEntries result;
  for (auto entry : entries) {
    const auto node = before.find(entry.path);
    if (is_directory(entry.meta) && node && node->is_directory() &&
        node->meta().mtime != entry.meta.mtime) {
      const auto lower = open_beneath(open_directory(directories_.at(node->layer())), entry.path,
                                      O_PATH | O_DIRECTORY);
      const auto info = lower ? try_statx(*lower, ".") : std::nullopt;
      if (info && metadata_from(*info).mtime == entry.meta.mtime)
        entry.meta.mtime = node->meta().mtime;
    }
    result.push_back(entry);
  }
  return result;
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
