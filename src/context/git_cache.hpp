#pragma once

#include "context/git_address.hpp"
#include "context/git_fetch.hpp"

#include <memory>
#include <string>

namespace cairn {

/// Objects that are kept from build to build in a directory of `cache` for each repository. While
/// the store lives no other process has that directory. @throws Error
std::unique_ptr<GitStore> make_cached_store(const std::string& cache, const GitAddress& address);

} // namespace cairn
