#include "creds/docker/config_store.hpp"

#include "util/cache_locks.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <span>

namespace cairn {

namespace {

constexpr mode_t folder_mode = 0700;
constexpr mode_t file_mode = 0600;

/// A file without its final name, gone unless it gets that one: at the latest when somebody else
/// writes such a file, who finds it unlocked.
class Unfinished {
public:
  Unfinished(FdRef directory, const std::string& name) : directory_(directory) {
    constexpr int tries = 5;
    const auto prefix = "." + name + "-";
    remove_abandoned(directory, prefix);
    for (int i = 0; i < tries; ++i) {
      name_ = prefix + random_hex(8);
      fd_ = open_at(directory, name_, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, file_mode);
      if (lock_shared(fd_) && is_entry(fd_, directory, name_))
        return;
    }
    throw SysError(EBUSY, "lock '{}'", name_);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() {
    if (!name_.empty())
      ::unlinkat(directory_.get(), name_.c_str(), 0);
  }

  void write(std::string_view text, const std::optional<FileOwner>& owner) {
    write_all(fd_, std::as_bytes(std::span(text)));
    // The umask may have taken more away than there was to take.
    if (::fchmod(fd_.get(), file_mode) != 0)
      throw SysError(errno, "set mode");
    if (owner && ::fchown(fd_.get(), owner->uid, owner->gid) != 0)
      throw SysError(errno, "give to {}:{}", owner->uid, owner->gid);
    if (::fsync(fd_.get()) != 0)
      throw SysError(errno, "fsync");
  }

  void rename_to(const std::string& name) {
    if (::renameat(directory_.get(), name_.c_str(), directory_.get(), name.c_str()) != 0)
      throw SysError(errno, "rename");
    name_.clear();
    // Not every file system can; the file is there all the same.
    (void)::fsync(directory_.get());
  }

private:
  static void remove_abandoned(FdRef directory, const std::string& prefix) {
    for (const auto& name : list_directory(directory))
      if (name.starts_with(prefix)) {
        try {
          if (const auto claim = try_lock_exclusive(directory, name))
            ::unlinkat(directory.get(), name.c_str(), 0);
        } catch (const SysError&) {
          // It is nothing that was written here.
          continue;
        }
      }
  }

  FdRef directory_;
  std::string name_;
  Fd fd_;
};

void check_disk(const ConfigFolder& folder, FdRef directory, Progress& progress) {
  if (folder.disk == DiskRule::allow || is_in_memory(directory))
    return;
  if (folder.disk == DiskRule::refuse)
    throw with_hint(Error("it is not in memory"),
                    "in Kubernetes an emptyDir with medium: Memory is");
  progress.warn("{} is not in memory: the credentials stay on that disk until `erase`, or as long "
                "as the container does",
                folder.path);
}

/// Mode of the folder, as far as it is ours.
void protect(const ConfigFolder& folder, FdRef directory, Progress& progress) {
  struct stat status {};
  if (::fstat(directory.get(), &status) != 0)
    throw SysError(errno, "look at it");
  const bool is_private = (status.st_mode & 0777) == folder_mode;
  if (!is_private && ::fchmod(directory.get(), folder_mode) != 0) {
    if (errno != EPERM && errno != EROFS)
      throw SysError(errno, "set mode");
    if ((status.st_mode & 0022) != 0)
      progress.warn("{} belongs to another user, and others can write there: a folder below it "
                    "would be safe from them",
                    folder.path);
  }
}

void write_beneath(const ConfigFolder& folder, const std::string& name, std::string_view text,
                   Progress& progress) {
  make_directories(folder.path, folder_mode);
  const auto directory = open_at(current_directory(), folder.path, O_RDONLY | O_DIRECTORY);
  check_disk(folder, directory, progress);
  protect(folder, directory, progress);
  Unfinished file(directory, name);
  file.write(text, folder.owner);
  file.rename_to(name);
  // Last, because what is another's may be closed to us.
  if (folder.owner && ::fchown(directory.get(), folder.owner->uid, folder.owner->gid) != 0)
    throw SysError(errno, "give to {}:{}", folder.owner->uid, folder.owner->gid);
}

} // namespace

bool is_in_memory(FdRef directory) {
  constexpr auto ramfs_magic = 0x858458f6;
  struct statfs info {};
  if (::fstatfs(directory.get(), &info) != 0)
    throw SysError(errno, "look at the file system");
  const auto type = static_cast<unsigned long>(info.f_type);
  return type == TMPFS_MAGIC || type == ramfs_magic;
}

void write_credential_file(const ConfigFolder& folder, const std::string& name,
                           std::string_view text, Progress& progress) {
  within(
      [&] {
        try {
          write_beneath(folder, name, text, progress);
        } catch (SysError& error) {
          if (error.is(std::errc::read_only_file_system))
            error.add_hint("volumes of Secrets are read-only: write elsewhere with --dir, and let "
                           "DOCKER_CONFIG name that place");
          throw;
        }
      },
      "write '{}/{}'", folder.path, name);
}

bool erase_credential_file(const std::string& directory, const std::string& name) {
  const auto path = directory + "/" + name;
  if (::unlink(path.c_str()) == 0)
    return true;
  if (errno == ENOENT || errno == ENOTDIR)
    return false;
  throw SysError(errno, "remove '{}'", path);
}

} // namespace cairn
