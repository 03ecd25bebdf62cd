#pragma once

#include "context/git/git_address.hpp"
#include "context/git/git_connection.hpp"
#include "context/git/git_repository.hpp"
#include "context/git/git_services.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// A commit of a repository, as it was asked for.
struct GitWanted {
  GitAddress address;
  GitAddress main; ///< The repository that the user named; another one for submodules.
  std::string ref; ///< As in GitReference.
  std::string checksum;
  bool fetch_by_commit = false;
  std::optional<GitId> commit; ///< What this means, if that is known already.
};

/// A commit that has arrived, with all its files.
struct GitFetched {
  GitRepository repository;
  GitCommit commit;
  std::string ref; ///< The full name of the branch or tag; empty for a bare commit.
  GitId head;      ///< What `ref` is: the commit, or an annotated tag about it.
};

/// How a repository for the objects is made when there is none, or one of the other hash.
class GitStore {
public:
  virtual ~GitStore() = default;
  /// The repository that is there already, if any.
  virtual std::optional<GitRepository> open() = 0;
  /// An empty one, instead of what is there. @throws Error
  virtual GitRepository create(GitHash hash) = 0;
  /// Whether what is there may be from earlier, and damaged since.
  virtual bool is_kept() const noexcept { return false; }
};

/// Finds what `wanted` means on the server and brings it into `store`, without its history where
/// the server can do that. What is there already is not fetched again. Failures in passing are
/// tried again. @throws Error naming the repository
GitFetched fetch_git(const GitWanted& wanted, GitStore& store, const GitServices& services);

/// The commit that `wanted` means on the server now, of which nothing is fetched. Nothing when only
/// its commits tell. `store` is for the conversation. @throws Error naming the repository
std::optional<GitId> find_git_commit(const GitWanted& wanted, GitStore& store,
                                     const GitServices& services);

/// The full name among `heads` that `ref` means to `git checkout`: as written, a branch, a tag.
/// Nothing when there is none.
std::optional<GitHead> find_git_head(const std::vector<GitHead>& heads, const std::string& ref);

} // namespace cairn
