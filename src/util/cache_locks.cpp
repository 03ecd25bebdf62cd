#include "util/cache_locks.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <thread>

namespace cairn {

namespace {

/// Descriptors are scarce. Files beyond that many are only touched: whoever makes room comes to
/// them last, and who needs one that is gone gets it from where it came from.
constexpr std::size_t most_held_files = 384;

enum class Lock { taken, refused };

/// A file system without locks lets everybody have one.
Lock lock_now(FdRef file, int kind) {
  while (::flock(file.get(), kind | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return Lock::refused;
    if (errno != EINTR)
      return Lock::taken;
  }
  return Lock::taken;
}

bool is_directory(FdRef file) {
  struct stat info {};
  return ::fstat(file.get(), &info) == 0 && S_ISDIR(info.st_mode);
}

constexpr timespec now_and_unchanged[] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};

} // namespace

bool lock_shared(FdRef entry) {
  // Whoever removes an entry has it for a moment; nobody else has it alone.
  constexpr int patience = 20;
  constexpr auto pause = std::chrono::milliseconds(10);
  for (int i = 0; i < patience; ++i) {
    if (lock_now(entry, LOCK_SH) == Lock::taken) {
      // Not everybody who reads an entry may say so.
      static_cast<void>(::futimens(entry.get(), now_and_unchanged));
      return true;
    }
    std::this_thread::sleep_for(pause);
  }
  return false;
}

void touch_entry(const std::string& path) noexcept {
  static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), now_and_unchanged, 0));
}

std::optional<Fd> try_lock_exclusive(FdRef directory, const std::string& name) {
  auto file = try_open_at(directory, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!file || lock_now(*file, LOCK_EX) == Lock::refused || !is_entry(*file, directory, name))
    return std::nullopt;
  return file;
}

bool is_entry(FdRef file, FdRef directory, const std::string& name) noexcept {
  struct stat own {};
  struct stat there {};
  return ::fstat(file.get(), &own) == 0 &&
         ::fstatat(directory.get(), name.c_str(), &there, 0) == 0 && own.st_ino == there.st_ino &&
         own.st_dev == there.st_dev;
}

bool CacheLocks::hold(const std::string& path) {
  const std::lock_guard guard(mutex_);
  if (held_.contains(path))
    return true;
  Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file || !lock_shared(file) || !is_entry(file, current_directory(), path))
    return false;
  if (held_.size() < most_held_files || is_directory(file))
    held_.emplace(path, std::move(file));
  return true;
}

void CacheLocks::drop(const std::string& path) {
  const std::lock_guard guard(mutex_);
  held_.erase(path);
}

void CacheLocks::release() {
  const std::lock_guard guard(mutex_);
  held_.clear();
}

} // namespace cairn
