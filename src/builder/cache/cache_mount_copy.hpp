#pragma once

#include "fs/tree/changes.hpp"
#include "fs/tree/tree.hpp"
#include "util/fd.hpp"

#include <memory>
#include <string>

namespace cairn {

/// The directory of a cache as a copy elsewhere, for a command whose root it cannot be moved into.
/// What the command changes in the copy is brought back to the cache.
class CacheMountCopy {
public:
  /// Copies `cache` into the directory `copy`, which is made. @throws Error
  CacheMountCopy(const std::string& cache, const std::string& copy);

  /// To be called once, when nobody writes to the copy any more. @throws Error
  void bring_back() const;

private:
  std::string cache_;
  std::string copy_;
  Tree tree_;
  Snapshot before_;
};

} // namespace cairn
