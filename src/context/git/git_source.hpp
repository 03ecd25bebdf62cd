#pragma once

#include "context/git/git_reference.hpp"
#include "context/git/git_repository.hpp"
#include "context/git/git_services.hpp"
#include "util/fd.hpp"
#include "util/file.hpp"

#include <optional>
#include <string>

namespace cairn {

/// The files of a repository, removed with this value.
struct GitCheckout {
  TempDir directory; ///< With nothing but the checkout in it.
  Fd files;          ///< What was asked for: the checkout, or a directory of it.
  std::string path;  ///< Of `files`.
  GitCommit commit;
};

/// The commit that `reference` names now: what its server says, or what the reference itself does.
/// Nothing is fetched. Nothing when that takes the commits themselves. Thread-safe. @throws Error
std::optional<GitId> resolve_git(const GitReference& reference, const GitServices& services);

/// Fetches what `reference` names and checks it out below `services.temporary`: with its submodules
/// unless it says otherwise, without ".git" unless it asks for it, as BuildKit does. Nothing is
/// written anywhere else, whatever the repository holds. `commit` is what resolve_git() said; other
/// than the reference it does not move. Thread-safe. @throws Error
GitCheckout check_out_git(const GitReference& reference, const std::optional<GitId>& commit,
                          const GitServices& services);

} // namespace cairn
