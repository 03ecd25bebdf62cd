#include "util/locked_dir.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace cairn {

namespace {

/// Not everything that is called like a build's directory in /tmp is one.
constexpr const char* lock_name = ".cairn-lock";
constexpr const char* new_lock_name = ".cairn-lock.new";

/// Locks a new directory. Who looks for abandoned ones never finds the lock without its holder.
Fd make_lock(const std::string& path) {
  const auto directory = open_directory(path);
  auto lock = open_at(directory, new_lock_name, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
  // On a file system without locks nobody removes anything either.
  while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EINTR) {
  }
  if (::renameat(directory.get(), new_lock_name, directory.get(), lock_name) != 0)
    throw SysError(errno, "create '{}/{}'", path, lock_name);
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

LockedDir::LockedDir(const std::string& parent, std::string_view prefix)
    : path_(fmt::format("{}/{}XXXXXX", parent, prefix)) {
  if (::mkdtemp(path_.data()) == nullptr)
    throw SysError(errno, "create temporary directory in '{}'", parent);
  try {
    lock_ = make_lock(path_);
  } catch (const Error&) {
    remove_tree(current_directory(), path_);
    throw;
  }
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
