#pragma once

#include "context/git/git_id.hpp"
#include "util/clock.hpp"
#include "util/stream.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

struct GitCommit {
  GitId id;
  GitId tree;
  Time time; ///< When it was committed.
};

/// What is in a directory of a commit. Names are whatever the repository holds.
struct GitEntry {
  enum class Kind { directory, file, program, link, submodule };

  std::string name;
  Kind kind = Kind::file;
  GitId id;
};

/// Objects on disk. Names found in it are not to be trusted. Not thread-safe; several processes may
/// use one directory.
class GitRepository {
public:
  enum class Layout { bare, with_files };

  /// Makes an empty one in `path`, or in `path`/.git. @throws Error
  static GitRepository create(const std::string& path, GitHash hash, Layout layout);
  /// Makes an empty one in `directory` whose files are in `files`. @throws Error
  static GitRepository create_apart(const std::string& directory, const std::string& files,
                                    GitHash hash);
  /// One that is there, without its settings: it may be anybody's. @throws Error
  static GitRepository open(const std::string& path);
  GitRepository(GitRepository&&) noexcept;
  GitRepository& operator=(GitRepository&&) noexcept;
  ~GitRepository();

  /// The directory with the objects.
  std::string path() const;
  GitHash hash() const noexcept;
  bool has(const GitId& id) const;
  /// The commit of that name, or that a tag of that name is about. @throws Error
  GitCommit commit(const GitId& id) const;
  /// The one commit whose name begins with `prefix`. @throws Error when there are several
  std::optional<GitCommit> find_commit(std::string_view prefix) const;
  std::vector<GitEntry> list(const GitId& tree) const;
  /// @throws Error when it is larger than `limit`
  std::string text(const GitId& blob, std::size_t limit) const;

  /// A file as `git checkout` writes it, with what .gitattributes say of `path` at `commit`.
  struct Place {
    const GitCommit& commit;
    const std::string& path;
  };
  void write(const GitId& blob, Sink& to) const;
  void write(const GitId& blob, const Place& place, Sink& to) const;

  /// Makes `commit` what is checked out: HEAD is it and no branch, the index lists its files.
  void check_out(const GitCommit& commit);
  /// The names by which commits are found again: "refs/tags/v1".
  void set_ref(const std::string& name, const GitId& id);
  void set_config(const std::string& name, const std::string& value);

private:
  struct State;
  explicit GitRepository(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

} // namespace cairn
