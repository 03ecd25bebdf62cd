#pragma once

#include "context/git/git_repository.hpp"
#include "util/fd.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// A place in a checkout where another repository belongs; the directory is there, and empty.
struct GitLink {
  std::string path; ///< Relative, of directories alone.
  GitId commit;
};

/// What a checkout with all its submodules may come to. A repository is small when it repeats
/// itself, and says nothing of how large its files are together.
struct GitBudget {
  std::uint64_t entries = 5'000'000;
  std::uint64_t bytes = std::uint64_t{1} << 40;
};

struct GitWriteOptions {
  std::optional<Time> times; ///< Of everything written; nothing: when it is written.
  const std::function<bool()>& is_cancelled;
  GitBudget& budget;
};

/// Writes the files of a commit into an empty directory, as `git checkout` does: files 0644 or
/// 0755, links, what .gitattributes say. Everything is made by name in a directory that was made
/// before, none of it through a link; a name that git would not check out (".git", "..", one twice)
/// is an Error. What is written belongs to this process.
std::vector<GitLink> write_git_tree(const GitRepository& repository, const GitCommit& commit,
                                    FdRef directory, const GitWriteOptions& options);

} // namespace cairn
