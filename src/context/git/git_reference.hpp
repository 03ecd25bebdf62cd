#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// What the files of a checkout say when they were changed.
enum class GitTimes { checkout, commit };

/// What `ADD https://host/repo.git?query#ref:directory` and git build contexts name.
struct GitReference {
  std::string remote;     ///< The repository: as written, without query and fragment.
  std::string short_name; ///< The last part of its path, without ".git".
  /// A branch, a tag, "refs/…" or a commit; empty: the branch that the remote's HEAD is.
  std::string ref;
  std::string subdirectory; ///< The part of the repository that is wanted; empty: all of it.
  std::string checksum;     ///< What the commit's name must begin with.
  std::optional<bool> keep_git_dir;
  std::optional<bool> submodules;
  GitTimes times = GitTimes::checkout;
  bool fetch_by_commit = false; ///< The commit is `checksum`, wherever `ref` points to now.
  bool unencrypted = false;     ///< http:// or git://
  /// "github.com/owner/repo", which could be a path as well: a repository for contexts alone.
  bool looks_local = false;

  /// Of the repository, as GitAddress::parse() takes it. With the password, if there is one.
  std::string url() const;
};

/// By the rules of BuildKit's frontend: https and http URLs whose path ends with ".git", ssh:// and
/// git:// URLs, user@host:path, github.com/owner/repo. Nothing when `text` is none of them.
/// @throws Error when it is one, and its query makes no sense
std::optional<GitReference> parse_git_reference(std::string_view text);

/// @throws Error when `checksum` cannot begin the name of a commit
void check_git_checksum(const std::string& checksum);

/// The words that mean true or false in a query (Go's strconv.ParseBool).
std::optional<bool> parse_go_flag(std::string_view text);

/// A reference as it may be shown: without the password of a URL.
std::string redact_git_reference(std::string_view text);

} // namespace cairn
