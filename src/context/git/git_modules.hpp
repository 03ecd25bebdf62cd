#pragma once

#include "context/git/git_repository.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// A section of .gitmodules (gitmodules(5)).
struct GitModule {
  std::string name;
  std::string path;
  std::string url;    ///< As written.
  std::string update; ///< "none" leaves it out.
};

/// What .gitmodules says in a commit; nothing when there is none. @throws Error
std::vector<GitModule> read_git_modules(const GitRepository& repository, const GitCommit& commit);

/// Whether a directory of the repository's own may be called like a submodule: "a/b", not "../x".
bool is_safe_module_name(std::string_view name);

} // namespace cairn
