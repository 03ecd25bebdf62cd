#include "build/cache_mounts.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/held_entries.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <cstdlib>
#include <optional>
#include <thread>

namespace cairn {

namespace {

/// Commands in place may reach a cache through its path, as any user.
constexpr mode_t passable = 0711;

enum class Hold { shared, alone };

std::string real_path(const std::string& path) {
  char real[PATH_MAX];
  if (::realpath(path.c_str(), real) == nullptr)
    throw SysError(errno, "find '{}'", path);
  return real;
}

Fd open_lock(const std::string& path) {
  return open_at(current_directory(), path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

bool try_lock(const Fd& file, Hold hold) {
  while (::flock(file.get(), (hold == Hold::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return false;
    if (errno != EINTR)
      throw SysError(errno, "lock a cache mount");
  }
  return true;
}

void wait_for_lock(const Fd& file, Hold hold, const std::function<bool()>& stopped) {
  constexpr auto pause = std::chrono::milliseconds(50);
  while (!try_lock(file, hold)) {
    if (stopped())
      throw Error("the build was told to stop");
    std::this_thread::sleep_for(pause);
  }
}

/// What a cache is, one property a line. Caches that differ in it are different ones.
std::string describe(const CachePlan& plan, const std::string& origin) {
  auto text = fmt::format("id {}\nnamespace {}\nfrom {}\n", sha256_hex(plan.id),
                          sha256_hex(plan.name_space), origin);
  // Of another file system only this part is there.
  if (!std::holds_alternative<EmptyFilesystem>(plan.from))
    text += fmt::format("part {}\n", sha256_hex(plan.source));
  if (plan.owner)
    text += fmt::format("owner {}:{} {:o}\n", plan.owner->uid, plan.owner->gid, plan.owner->mode);
  return text;
}

/// A path below `directory`, links being followed as if that were "/".
std::string part_of(const std::string& directory, const std::string& part) {
  const auto root = open_at(current_directory(), directory, O_RDONLY | O_DIRECTORY);
  const auto found = open_in_root(root, RootedPath::parse(part), O_PATH, FinalLink::follow);
  if (!found)
    throw Error("\"{}\" is not in the cache", part);
  return real_path(fmt::format("/proc/self/fd/{}", found->get()));
}

/// One cache: all instances of it.
class Cache {
public:
  explicit Cache(std::string path) : path_(std::move(path)) {}

  /// Makes the cache where it is missing, and takes the lock of an instance: that of `instance`, or
  /// of a later one that nobody uses.
  Fd enter(const CachePlan& plan, const std::string& about, unsigned& instance,
           const std::function<bool()>& stopped) const {
    constexpr int tries = 5;
    for (int i = 0; i < tries; ++i) {
      try {
        describe_at(path_, plan, about);
        auto lock = lock_instance(plan, instance, stopped);
        touch_entry(path_);
        if (is_entry(lock, current_directory(), lock_path(instance)))
          return lock;
      } catch (const SysError& error) {
        if (!error.is(std::errc::no_such_file_or_directory))
          throw;
      }
      // Somebody who makes room has removed it in the meantime.
      instance = 0;
    }
    throw TemporaryError("cache mount '{}' is removed again and again", path_);
  }

  /// The path of an instance that is in use by the caller; made when there is none yet.
  std::string find(unsigned instance, const CachePlan& plan, const CacheMounts::Fill& fill,
                   const std::function<bool()>& stopped) const {
    auto path = fmt::format("{}/{}", path_, instance);
    const auto making = open_lock(path_ + "/lock");
    wait_for_lock(making, Hold::alone, stopped);
    struct stat info {};
    if (::lstat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
      return path;
    const auto half = path + ".new";
    remove_tree(current_directory(), half);
    if (::mkdir(half.c_str(), 0755) != 0)
      throw SysError(errno, "create '{}'", half);
    fill(half);
    give(half, plan);
    if (::rename(half.c_str(), path.c_str()) != 0)
      throw SysError(errno, "rename '{}'", half);
    return path;
  }

private:
  std::string lock_path(unsigned instance) const {
    return fmt::format("{}/{}.lock", path_, instance);
  }

  Fd lock_instance(const CachePlan& plan, unsigned& instance,
                   const std::function<bool()>& stopped) const {
    const auto hold =
        plan.sharing == instruction::CacheSharing::shared ? Hold::shared : Hold::alone;
    auto lock = open_lock(lock_path(instance));
    if (plan.sharing == instruction::CacheSharing::private_copy)
      while (!try_lock(lock, hold))
        lock = open_lock(lock_path(++instance));
    else
      wait_for_lock(lock, hold, stopped);
    return lock;
  }

  static void describe_at(const std::string& path, const CachePlan& plan,
                          const std::string& about) {
    make_directories(path, passable);
    if (::access((path + "/about").c_str(), F_OK) == 0)
      return;
    AtomicFile file(path + "/about", 0600);
    file.write(fmt::format("id={}\nnamespace={}\n{}", plan.id, plan.name_space, about));
    file.commit();
  }

  static void give(const std::string& path, const CachePlan& plan) {
    if (!plan.owner)
      return;
    if (::chown(path.c_str(), plan.owner->uid, plan.owner->gid) != 0 ||
        ::chmod(path.c_str(), plan.owner->mode) != 0)
      throw SysError(errno, "change owner and mode of '{}'", path);
  }

  std::string path_;
};

} // namespace

CacheMounts::Lease CacheMounts::take(const CachePlan& plan, const std::string& origin,
                                     const Fill& fill, const std::function<bool()>& stopped) const {
  const auto about = describe(plan, origin);
  make_directories(directory_, passable);
  const auto key = sha256_hex(about).substr(0, 32);
  const Cache cache(fmt::format("{}/{}", real_path(directory_), key));
  unsigned instance = 0;
  auto lock = cache.enter(plan, about, instance, stopped);
  const auto begin = [&](const std::string& half) {
    if (!import_ || !import_(key, half))
      fill(half);
  };
  const auto found = cache.find(instance, plan, begin, stopped);
  if (instance == 0) {
    const std::lock_guard guard(mutex_);
    used_[key] = found;
  }
  return {part_of(found, plan.source), std::move(lock)};
}

std::map<std::string, std::string> CacheMounts::used() const {
  const std::lock_guard guard(mutex_);
  return used_;
}

} // namespace cairn
