#pragma once

#include "fs/archive/text_pool.hpp"
#include "util/rooted_path.hpp"

#include <string_view>
#include <vector>

namespace cairn {

/// Many paths, each in 8 bytes and the text of its name. What is above names is kept once, as long
/// as the paths come directory by directory, as those of a walk do; otherwise more often.
class PathPool {
public:
  /// Means something to the pool that it is from, and its copies.
  struct Packed {
    TextPool::Position directory = 0; ///< The path above, without a slash at its end.
    TextPool::Position name = 0;
  };

  Packed add(const RootedPath& path);
  RootedPath get(const Packed& packed) const;

  /// The last component; "" for the root. Valid as long as the pool or a copy of it.
  std::string_view name(const Packed& packed) const noexcept { return texts_.at(packed.name); }

private:
  TextPool::Position directory(std::string_view path);

  TextPool texts_;
  std::vector<TextPool::Position> ways_; ///< The directories that the last path lies in.
};

} // namespace cairn
