#pragma once

#include "builder/roots/root_filesystem.hpp"
#include "fs/tree/unpack.hpp"
#include "util/fd.hpp"

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cairn {

/// All layers in one directory that commands change; what they changed is found by comparing
/// snapshots. The directory is one of the build's own, or the container's "/".
class DirectoryRootFilesystem final : public RootFilesystem {
public:
  DirectoryRootFilesystem(const RootServices& services, CommandRoot root, std::string path);

  void apply_layers(LayerStack& stack) override;
  Outcome run(const Invocation& invocation, const LayerStack& stack) override;
  LayerContent changes(const LayerStack& stack) override;
  void commit(const std::shared_ptr<const StageLayer>& layer) override;
  std::optional<std::string> changed_text(const RootedPath& path,
                                          std::uint64_t limit) const override;
  std::string path() const override { return path_; }
  CommandReach reach() const noexcept override {
    return services_.foreign_files != nullptr ? CommandReach::everything : CommandReach::own_root;
  }
  void admit(const LayerEntries& entries) override;
  std::string visible_hint() const override;

private:
  class Loader;

  void unpack(const StageLayer& layer);
  Unpacker::Options unpack_options(LayerOrigin origin) const;
  Snapshot look() const;
  bool same_content(const RootedPath& path, const Tree::Node& before, const LayerStack& stack);
  bool was_out_of_reach(const RootedPath& path) const;

  RootServices services_;
  CommandRoot command_root_;
  std::string path_;
  Fd root_;
  std::size_t applied_ = 0; ///< How many layers of the stack are in the directory.
  std::optional<Snapshot> before_;
  std::set<RootedPath> covered_; ///< Where something was mounted for the last command.
  /// SHA-256 of the files of layers that were asked about, by layer and entry.
  std::map<std::uint32_t, std::map<std::uint32_t, std::string>> hashes_;
};

/// Removes everything below `root` but what is protected, mount points, and the way to them.
void clear_root(FdRef root, const PathFilter& protect);

} // namespace cairn
