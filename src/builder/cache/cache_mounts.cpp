#include "builder/cache/cache_mounts.hpp"

#include "builder/store/boot_mark.hpp"
#include "util/cache_failure.hpp"
#include "util/cache_locks.hpp"
#include "util/cancelled.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <optional>
#include <thread>

namespace cairn {

namespace {

/// Commands in place may reach a cache through its path, as any user.
constexpr mode_t passable = 0711;

enum class LockKind { shared, alone };

Fd open_lock(const std::string& path) {
  return open_at(current_directory(), path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
}

bool try_lock(const Fd& file, LockKind kind) {
  while (::flock(file.get(), (kind == LockKind::shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK)
      return false;
    if (errno != EINTR)
      throw SysError(errno, "lock a cache mount");
  }
  return true;
}

void wait_for_lock(const Fd& file, LockKind kind, const std::function<bool()>& stopped) {
  constexpr auto pause = std::chrono::milliseconds(50);
  while (!try_lock(file, kind)) {
    if (stopped())
      throw Cancelled("the build was told to stop");
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

/// What is not on the disk yet goes there. @throws SysError
void write_to_disk(const std::string& directory) {
  const auto file = open_directory(directory);
  if (::syncfs(file.get()) != 0)
    throw SysError(errno, "write '{}' to the disk", directory);
}

/// One cache: all instances of it.
class Cache {
public:
  explicit Cache(std::string path) : path_(std::move(path)) {}

  struct Hold {
    Fd entry;
    Fd lock;
  };

  /// Makes the cache where it is missing, and takes the lock of an instance: that of `instance`, or
  /// of a later one that nobody uses. Nobody removes the cache from then on.
  Hold enter(const CachePlan& plan, const std::string& about, unsigned& instance,
             const std::function<bool()>& stopped) const {
    constexpr int tries = 5;
    for (int i = 0; i < tries; ++i) {
      try {
        describe_at(path_, plan, about);
        auto entry = open_at(current_directory(), path_, O_RDONLY | O_DIRECTORY);
        if (lock_shared(entry) && is_entry(entry, current_directory(), path_))
          return {std::move(entry), lock_instance(plan, instance, stopped)};
      } catch (const SysError& error) {
        if (!error.is(std::errc::no_such_file_or_directory))
          throw;
      }
      // Somebody who makes room has removed it in the meantime.
    }
    throw TemporaryError("cache mount '{}' is removed again and again", path_);
  }

  /// The path of an instance that is in use by the caller; made when there is none yet, or none
  /// that can be relied on.
  std::string find(unsigned instance, const CachePlan& plan, const CacheMounts::Fill& fill) const {
    auto path = instance_path(instance);
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

  /// The right to make, remove or mark instances.
  Fd lock_making(const std::function<bool()>& stopped) const {
    auto making = open_lock(path_ + "/lock");
    wait_for_lock(making, LockKind::alone, stopped);
    return making;
  }

  BootMark mark(unsigned instance) const { return BootMark(instance_path(instance) + ".boot"); }

  /// Removes an instance that cannot be relied on and that nobody else uses: `lock` is the
  /// caller's own on it, of the kind that `plan` wants. True when it was removed.
  bool remove_doubtful(unsigned instance, const CachePlan& plan, Fd& lock,
                       const std::function<bool()>& stopped) const {
    if (!mark(instance).is_from_elsewhere())
      return false;
    const bool alone = try_lock(lock, LockKind::alone);
    if (alone) {
      remove_tree(current_directory(), instance_path(instance));
      mark(instance).clear();
    }
    // Trying has given up what was held.
    wait_for_lock(lock, kind_for(plan), stopped);
    return alone;
  }

  /// Notes that an instance is on the disk, unless somebody uses it.
  void settle(unsigned instance) const {
    const auto making = open_lock(path_ + "/lock");
    const auto lock = open_lock(lock_path(instance));
    if (try_lock(making, LockKind::alone) && try_lock(lock, LockKind::alone))
      mark(instance).clear();
  }

private:
  std::string instance_path(unsigned instance) const {
    return fmt::format("{}/{}", path_, instance);
  }
  std::string lock_path(unsigned instance) const { return instance_path(instance) + ".lock"; }

  static LockKind kind_for(const CachePlan& plan) {
    return plan.sharing == instruction::CacheSharing::shared ? LockKind::shared : LockKind::alone;
  }

  Fd lock_instance(const CachePlan& plan, unsigned& instance,
                   const std::function<bool()>& stopped) const {
    const auto hold = kind_for(plan);
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
  for (;;) {
    std::size_t number = 0;
    {
      const std::lock_guard guard(mutex_);
      number = place_;
    }
    try {
      return in_cache([&] { return take_in(places_[number], plan, about, fill, stopped); });
    } catch (const CacheFailure& failure) {
      if (number + 1 == places_.size())
        throw;
      const std::lock_guard guard(mutex_);
      if (place_ == number)
        progress_.warn("Cache mounts are not kept in {}: {}", places_[place_++].directory,
                       failure.what());
    }
  }
}

CacheMounts::Lease CacheMounts::take_in(const Place& place, const CachePlan& plan,
                                        const std::string& about, const Fill& fill,
                                        const std::function<bool()>& stopped) const {
  make_directories(place.directory, passable);
  const auto key = sha256_hex(about).substr(0, 32);
  const auto path = fmt::format("{}/{}", real_path(place.directory), key);
  const Cache cache(path);
  unsigned instance = 0;
  auto hold = cache.enter(plan, about, instance, stopped);
  const auto begin = [&](const std::string& half) {
    if (!import_ || !import_(key, half))
      fill(half);
  };
  const auto making = cache.lock_making(stopped);
  if (place.lasts == Place::Lasts::yes) {
    if (cache.remove_doubtful(instance, plan, hold.lock, stopped))
      progress_.warn("The cache mount \"{}\" was in use when its machine went down: it begins anew",
                     printable(plan.id));
    cache.mark(instance).set();
  }
  const auto found = cache.find(instance, plan, begin);
  {
    const std::lock_guard guard(mutex_);
    if (instance == 0)
      used_[key] = found;
    if (place.lasts == Place::Lasts::yes)
      marked_.emplace(path, instance);
  }
  return {part_of(found, plan.source), std::move(hold.entry), std::move(hold.lock)};
}

CacheMounts::~CacheMounts() {
  if (marked_.empty())
    return;
  try {
    write_to_disk(marked_.begin()->first);
    for (const auto& [path, instance] : marked_)
      Cache(path).settle(instance);
  } catch (const std::exception& error) {
    // Without that the next run of the machine begins with empty ones.
    progress_.debug("cache mounts: {}", error.what());
  }
}

std::map<std::string, std::string> CacheMounts::used() const {
  const std::lock_guard guard(mutex_);
  return used_;
}

} // namespace cairn
