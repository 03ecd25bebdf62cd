#include "util/file.hpp"

#include "util/error.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <memory>

namespace cairn {

Fd open_at(FdRef directory, const std::string& name, int flags, mode_t mode) {
  const int fd = ::openat(directory.get(), name.c_str(), flags | O_CLOEXEC, mode);
  if (fd < 0)
    throw SysError(errno, "open '{}'", name);
  return Fd(fd);
}

std::optional<Fd> try_open_at(FdRef directory, const std::string& name, int flags) {
  const int fd = ::openat(directory.get(), name.c_str(), flags | O_CLOEXEC);
  if (fd >= 0)
    return Fd(fd);
  if (errno == ENOENT || errno == ENOTDIR)
    return std::nullopt;
  throw SysError(errno, "open '{}'", name);
}

std::optional<Fd> open_in_root(FdRef root, const RootedPath& path, int flags, FinalLink last) {
  struct open_how how {};
  how.flags =
      static_cast<std::uint64_t>(flags | O_CLOEXEC | (last == FinalLink::keep ? O_NOFOLLOW : 0));
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const auto fd = ::syscall(SYS_openat2, root.get(), path.relative(), &how, sizeof how);
    if (fd >= 0)
      return Fd(static_cast<int>(fd));
    if (errno == ENOENT || errno == ENOTDIR)
      return std::nullopt;
    if (errno != EINTR && errno != EAGAIN)
      throw SysError(errno, "open '{}'", path.str());
  }
}

Fd open_directory(const std::string& path) {
  return open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
}

std::string real_path(const std::string& path) {
  char real[PATH_MAX];
  if (::realpath(path.c_str(), real) == nullptr)
    throw SysError(errno, "find '{}'", path);
  return real;
}

std::optional<std::string> try_real_path(const std::string& path) {
  char real[PATH_MAX];
  return ::realpath(path.c_str(), real) != nullptr ? std::optional<std::string>(real)
                                                   : std::nullopt;
}

std::string read_file(FdRef file, std::uint64_t limit) {
  std::string text;
  std::byte buffer[1 << 16];
  while (const auto count = read_some(file, buffer)) {
    if (text.size() + count > limit)
      throw Error("file is larger than {} bytes", limit);
    text.append(reinterpret_cast<const char*>(buffer), count);
  }
  return text;
}

std::string read_file(FdRef directory, const std::string& name, std::uint64_t limit) {
  const auto fd = open_at(directory, name, O_RDONLY);
  return within([&] { return read_file(fd, limit); }, "read '{}'", name);
}

void make_directories(const std::string& path, mode_t mode) {
  std::string done;
  for (std::size_t at = 0; at != std::string::npos;) {
    at = path.find('/', at + 1);
    done = path.substr(0, at);
    if (::mkdir(done.c_str(), mode) == 0 || errno == EEXIST)
      continue;
    const int error = errno;
    struct stat info {};
    if (::stat(done.c_str(), &info) != 0 || !S_ISDIR(info.st_mode))
      throw SysError(error, "create directory '{}'", done);
  }
}

std::vector<std::string> list_directory(FdRef directory) {
  Fd own = open_at(directory, ".", O_RDONLY | O_DIRECTORY);
  const std::unique_ptr<DIR, decltype([](DIR* d) { ::closedir(d); })> stream(
      ::fdopendir(own.get()));
  if (!stream)
    throw SysError(errno, "list directory");
  own.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..")
      names.emplace_back(name);
  }
  if (errno != 0)
    throw SysError(errno, "list directory");
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

/// Empties a directory. What lies deep in it is moved up first: trees of others are deeper than a
/// process may have files open.
class Emptying {
public:
  explicit Emptying(FdRef directory) : directory_(directory) {}

  void run() {
    for (auto names = list_directory(directory_); !names.empty();
         names = list_directory(directory_))
      remove_all(directory_, names, 0);
  }

private:
  static constexpr int max_open = 64;

  void remove_all(FdRef from, const std::vector<std::string>& names, int depth) {
    for (const auto& name : names)
      remove(from, name, depth);
  }

  void remove(FdRef from, const std::string& name, int depth) {
    if (::unlinkat(from.get(), name.c_str(), 0) == 0 || errno == ENOENT)
      return;
    if (errno != EISDIR && errno != EPERM && errno != ENOTEMPTY)
      throw SysError(errno, "remove '{}'", name);
    if (depth == max_open && move_up(from, name))
      return;
    const auto fd = open_at(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    remove_all(fd, list_directory(fd), depth + 1);
    if (::unlinkat(from.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
      throw SysError(errno, "remove '{}'", name);
  }

  bool move_up(FdRef from, const std::string& name) {
    for (;;) {
      const auto above = fmt::format(".deep-{}", moved_++);
      if (::renameat2(from.get(), name.c_str(), directory_.get(), above.c_str(),
                      RENAME_NOREPLACE) == 0)
        return true;
      if (errno != EEXIST)
        return false;
    }
  }

  FdRef directory_;
  unsigned moved_ = 0;
};

} // namespace

void remove_tree(FdRef directory, const std::string& name) {
  if (::unlinkat(directory.get(), name.c_str(), 0) == 0 || errno == ENOENT)
    return;
  if (errno != EISDIR && errno != EPERM && errno != ENOTEMPTY)
    throw SysError(errno, "remove '{}'", name);
  Emptying(open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)).run();
  if (::unlinkat(directory.get(), name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)
    throw SysError(errno, "remove '{}'", name);
}

AtomicFile::AtomicFile(std::string path, mode_t mode)
    : path_(std::move(path)), temporary_(path_ + ".tmp-XXXXXX") {
  fd_ = Fd(::mkostemp(temporary_.data(), O_CLOEXEC));
  if (!fd_)
    throw SysError(errno, "create '{}'", path_);
  if (::fchmod(fd_.get(), mode) != 0) {
    const int error = errno;
    ::unlink(temporary_.c_str());
    throw SysError(error, "set mode of '{}'", path_);
  }
}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty())
    ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view text) {
  within([&] { write_all(fd_, std::as_bytes(std::span(text))); }, "write '{}'", path_);
}

void AtomicFile::commit() {
  if (::rename(temporary_.c_str(), path_.c_str()) != 0)
    throw SysError(errno, "rename '{}' to '{}'", temporary_, path_);
  temporary_.clear();
  fd_.reset();
}

TempDir::TempDir(const std::string& parent, std::string_view prefix)
    : path_(parent + "/" + std::string(prefix) + "XXXXXX") {
  if (::mkdtemp(path_.data()) == nullptr)
    throw SysError(errno, "create temporary directory in '{}'", parent);
  try {
    fd_ = open_at(current_directory(), path_, O_RDONLY | O_DIRECTORY);
  } catch (const Error&) {
    ::rmdir(path_.c_str());
    throw;
  }
}

TempDir::TempDir(TempDir&& other) noexcept
    : path_(std::exchange(other.path_, {})), fd_(std::move(other.fd_)) {}

TempDir::~TempDir() {
  if (path_.empty())
    return;
  try {
    remove_tree(current_directory(), path_);
  } catch (const std::exception&) {
    // A destructor cannot report; what is left lies in a directory of temporary files.
    return;
  }
}

} // namespace cairn
