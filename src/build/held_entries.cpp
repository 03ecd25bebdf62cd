#include "build/held_entries.hpp"

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

/// Descriptors are scarce. What is used beyond that many is only touched: whoever makes room comes
/// to it last.
constexpr std::size_t most_held = 384;
constexpr int patience = 20;
constexpr auto pause = std::chrono::milliseconds(10);

enum class Lock { taken, refused };

/// A file system without locks lets everybody have one.
Lock try_lock(FdRef file, int kind) {
  while (::flock(file.get(), kind | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return Lock::refused;
    if (errno != EINTR)
      return Lock::taken;
  }
  return Lock::taken;
}

/// Whoever removes an entry has it for a moment; nobody else has it alone.
bool share(FdRef file) {
  for (int i = 0; i < patience; ++i) {
    if (try_lock(file, LOCK_SH) == Lock::taken)
      return true;
    std::this_thread::sleep_for(pause);
  }
  return false;
}

bool is_at(FdRef file, const std::string& path) {
  struct stat own {};
  struct stat there {};
  return ::fstat(file.get(), &own) == 0 && ::stat(path.c_str(), &there) == 0 &&
         own.st_ino == there.st_ino && own.st_dev == there.st_dev;
}

constexpr timespec now_and_unchanged[] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};

} // namespace

bool HeldEntries::hold(const std::string& path) {
  const std::lock_guard guard(mutex_);
  if (held_.contains(path))
    return true;
  Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!file || !share(file) || !is_at(file, path))
    return false;
  // Not everybody who reads an entry may say so.
  static_cast<void>(::futimens(file.get(), now_and_unchanged));
  if (held_.size() < most_held)
    held_.emplace(path, std::move(file));
  return true;
}

void HeldEntries::touch(const std::string& path) noexcept {
  static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), now_and_unchanged, 0));
}

std::optional<Fd> claim_entry(FdRef directory, const std::string& name) {
  auto file = try_open_at(directory, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  if (!file || try_lock(*file, LOCK_EX) == Lock::refused)
    return std::nullopt;
  return file;
}

} // namespace cairn
