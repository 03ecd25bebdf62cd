#pragma once

#include "builder/layers/layer_stack.hpp"
#include "builder/roots/root_filesystem.hpp"
#include "builder/store/workspace.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

namespace cairn {

/// As many directories as stages will want, each with the same base image in it.
class BaseDirectories final : public BaseRoots {
public:
  /// Makes them, empty, in the workspace. @throws SysError
  BaseDirectories(Workspace& workspace, std::size_t count);

  /// @throws Error when all are taken
  std::string take() override;

  const std::vector<std::string>& paths() const noexcept { return paths_; }

private:
  std::vector<std::string> paths_;
  std::mutex mutex_;
  std::size_t taken_ = 0;
};

/// Loads a stack and unpacks its layers above the lowest `from` in each of these directories, which
/// have those below: one after the other, each read once.
/// @pre !stack.loaded() @throws Error
void unpack_into(LayerStack& stack, std::size_t from, const std::vector<std::string>& directories);

} // namespace cairn
