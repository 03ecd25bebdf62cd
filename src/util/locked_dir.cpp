#include "util/locked_dir.hpp"

#include "util/cache_locks.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <optional>

namespace cairn {

namespace {

/// Not everything that is called like a build's directory in /tmp is one.
constexpr const char* lock_name = ".cairn-lock";

/// Nothing when somebody has removed the directory, who found it before it was locked.
std::optional<Fd> try_lock(const std::string& path) {
  const auto directory = try_open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
  if (!directory)
    return std::nullopt;
  Fd lock(::openat(directory->get(), lock_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!lock && errno == ENOENT)
    return std::nullopt;
  if (!lock)
    throw SysError(errno, "create '{}/{}'", path, lock_name);
  // On a file system without locks nobody removes anything either.
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return std::nullopt;
  if (!is_entry(*directory, current_directory(), path))
    return std::nullopt;
  return lock;
}

/// The lock goes last: so half a directory is known for what it is.
void remove_all(FdRef parent, const std::string& name) {
  {
    const auto directory = open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    for (const auto& child : list_directory(directory))
      if (child != lock_name)
        remove_tree(directory, child);
  }
  remove_tree(parent, name);
}

bool belongs_to_us(FdRef directory) {
  struct stat info {};
  return ::fstat(directory.get(), &info) == 0 && info.st_uid == ::geteuid();
}

void remove_if_abandoned(FdRef parent, const std::string& name) {
  const auto directory = try_open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (!directory || !belongs_to_us(*directory))
    return;
  const auto lock = try_open_at(*directory, lock_name, O_RDWR | O_NOFOLLOW);
  if (!lock || ::flock(lock->get(), LOCK_EX | LOCK_NB) != 0)
    return;
  remove_all(parent, name);
}

} // namespace

LockedDir::LockedDir(const std::string& parent, std::string_view prefix) {
  constexpr int tries = 5;
  for (int i = 0; i < tries; ++i) {
    path_ = fmt::format("{}/{}XXXXXX", parent, prefix);
    if (::mkdtemp(path_.data()) == nullptr)
      throw SysError(errno, "create temporary directory in '{}'", parent);
    if (auto lock = try_lock(path_)) {
      lock_ = *std::move(lock);
      return;
    }
  }
  throw SysError(EBUSY, "lock '{}'", path_);
}

LockedDir::~LockedDir() {
  try {
    remove_all(current_directory(), path_);
  } catch (const std::exception&) {
    // A destructor cannot report; remove_abandoned() tries again.
    return;
  }
}

void remove_abandoned(const std::string& parent, std::string_view prefix) noexcept {
  try {
    const auto directory = try_open_at(current_directory(), parent, O_RDONLY | O_DIRECTORY);
    if (!directory)
      return;
    for (const auto& name : list_directory(*directory)) {
      if (!name.starts_with(prefix))
        continue;
      try {
        remove_if_abandoned(*directory, name);
      } catch (const Error&) {
        // The next one may have more luck with it.
        continue;
      }
    }
  } catch (const std::exception&) {
    return;
  }
}

} // namespace cairn
