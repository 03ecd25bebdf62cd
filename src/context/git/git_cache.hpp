#pragma once

#include "context/git/git_address.hpp"
#include "context/git/git_fetch.hpp"

#include <memory>
#include <string>

namespace cairn {

/// Objects that are kept from build to build in an entry of `cache` for each repository: a
/// directory with `lock`, which is held while the store lives, and `repository`. An entry that
/// nobody has locked may be removed at any time. @throws Error
std::unique_ptr<GitStore> make_cached_store(const std::string& cache, const GitAddress& address);

} // namespace cairn
