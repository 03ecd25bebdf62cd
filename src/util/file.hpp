#pragma once

#include "util/fd.hpp"
#include "util/rooted_path.hpp"

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Files are named relative to a directory descriptor. Every open is close-on-exec.

/// openat(2). @throws SysError "open 'name': ..."
Fd open_at(FdRef directory, const std::string& name, int flags, mode_t mode = 0);
/// As open_at; nothing when the name does not exist.
std::optional<Fd> try_open_at(FdRef directory, const std::string& name, int flags);

enum class FinalLink { follow, keep };

/// Opens a path inside `root` as if `root` were "/": no symbolic link or ".." leads out of it
/// (openat2 RESOLVE_IN_ROOT). With FinalLink::keep a link as last component is not followed.
/// Nothing when it does not exist. @throws SysError
std::optional<Fd> open_in_root(FdRef root, const RootedPath& path, int flags,
                               FinalLink last = FinalLink::keep);

/// A directory by its path, symbolic links followed. @throws SysError
Fd open_directory(const std::string& path);

/// realpath(3): absolute, without links. @throws SysError "find 'path': ..."
std::string real_path(const std::string& path);
/// The same; nothing when it leads to nothing.
std::optional<std::string> try_real_path(const std::string& path);

/// The whole file. @throws SysError; Error when it is larger than `limit` bytes.
std::string read_file(FdRef directory, const std::string& name, std::uint64_t limit);
std::string read_file(FdRef file, std::uint64_t limit);

/// mkdir -p. @throws SysError
void make_directories(const std::string& path, mode_t mode = 0755);

/// The names in a directory without "." and "..", bytewise sorted. @throws SysError
std::vector<std::string> list_directory(FdRef directory);

/// Removes a file or a whole directory, never following a link. Quiet when it does not exist.
/// @throws SysError
void remove_tree(FdRef directory, const std::string& name);

/// A file that appears under its name when it is complete, or not at all.
class AtomicFile {
public:
  /// Creates a temporary file beside `path`. @throws SysError
  explicit AtomicFile(std::string path, mode_t mode = 0644);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile(); ///< Without commit() the temporary file is removed.

  FdRef fd() const noexcept { return fd_; }
  void write(std::string_view text);
  /// Renames the file into place. @throws SysError
  void commit();

private:
  std::string path_;
  std::string temporary_;
  Fd fd_;
};

/// A directory of its own, removed with all that is in it.
class TempDir {
public:
  /// Below `parent`, e.g. "/tmp". @throws SysError
  explicit TempDir(const std::string& parent, std::string_view prefix = "cairn-");
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::string& path() const noexcept { return path_; }
  FdRef fd() const noexcept { return fd_; }

private:
  std::string path_;
  Fd fd_;
};

} // namespace cairn
