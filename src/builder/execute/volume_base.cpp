#include "builder/execute/volume_base.hpp"

#include "builder/roots/base_copy.hpp"
#include "builder/roots/base_directories.hpp"
#include "builder/roots/directory_root.hpp"
#include "builder/roots/layer_unpacker.hpp"
#include "fs/tree/tree_difference.hpp"
#include "util/clock.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/threads.hpp"

#include <chrono>
#include <optional>
#include <utility>

namespace cairn {

namespace {

void unpack_as_usual(LayerStack& stack, const VolumeBase& base) {
  if (!base.directories.empty())
    unpack_into(stack, 0, base.directories);
  else if (base.mode == IsolationMode::namespace_overlay)
    unpack_base(stack, base.workspace);
}

/// Why the volume cannot be the base; nothing when everything that is needed is done.
std::optional<std::string> use_volume(const Tree& tree, const VolumeBase& base) {
  try {
    if (auto difference = find_difference(tree, open_directory(base.path), useful_threads()))
      return difference;
    if (base.mode == IsolationMode::namespace_overlay)
      base.try_lower(base.path, base.workspace.path());
    for (const auto& directory : base.directories)
      copy_base(tree, base.path, directory, useful_threads());
    return std::nullopt;
  } catch (const Error& error) {
    for (const auto& directory : base.directories)
      clear_root(open_directory(directory), [](const RootedPath&) { return false; });
    return error.what();
  }
}

} // namespace

void load_mounted(LayerStack& stack, const VolumeBase& base) {
  const auto begin = std::chrono::steady_clock::now();
  auto indexed = stack;
  if (const auto why = use_volume(indexed.tree(), base)) {
    base.progress.warn("--base-volume: {} is not used, and '{}' is pulled as usual: {}", base.path,
                       base.name, *why);
    unpack_as_usual(stack, base);
    if (!stack.loaded())
      stack = std::move(indexed);
    return;
  }
  for (const auto& layer : indexed.layers())
    layer->lies_in(base.path);
  base.progress.debug("--base-volume: '{}' is used from {}, looked at in {}", base.name, base.path,
                      human_duration(std::chrono::steady_clock::now() - begin));
  stack = std::move(indexed);
}

} // namespace cairn
