#include "context/git_cache.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/held_entries.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

namespace cairn {

namespace {

constexpr mode_t private_directory = 0700; // what is in it may be nobody else's business

Fd wait_for_lock(const std::string& path) {
  constexpr mode_t mode = 0600;
  auto lock = open_at(current_directory(), path, O_RDWR | O_CREAT | O_NOFOLLOW, mode);
  while (::flock(lock.get(), LOCK_EX) != 0)
    if (errno != EINTR)
      throw SysError(errno, "lock '{}'", path);
  return lock;
}

/// The lock of an entry, which is made where it is missing. Who makes room removes the lock with
/// the entry, perhaps while somebody waits for it.
Fd enter(const std::string& entry) {
  const auto path = entry + "/lock";
  for (;;) {
    make_directories(entry, private_directory);
    auto lock = wait_for_lock(path);
    if (!is_entry(lock, current_directory(), path))
      continue;
    touch_entry(entry);
    return lock;
  }
}

class CachedStore final : public GitStore {
public:
  explicit CachedStore(const std::string& entry)
      : lock_(enter(entry)), path_(entry + "/repository") {}

  std::optional<GitRepository> open() override {
    if (!try_open_at(current_directory(), path_, O_RDONLY | O_DIRECTORY))
      return std::nullopt;
    try {
      return GitRepository::open(path_);
    } catch (const Error&) {
      return std::nullopt; // damaged: made anew
    }
  }

  bool is_kept() const noexcept override { return true; }

  GitRepository create(GitHash hash) override {
    const auto fresh = path_ + ".new";
    remove_tree(current_directory(), fresh);
    { const auto made = GitRepository::create(fresh, hash, GitRepository::Layout::bare); }
    remove_tree(current_directory(), path_);
    // Under its name it is whole.
    if (std::rename(fresh.c_str(), path_.c_str()) != 0)
      throw SysError(errno, "rename '{}'", fresh);
    return GitRepository::open(path_);
  }

private:
  Fd lock_; ///< Held while the store lives.
  std::string path_;
};

} // namespace

std::unique_ptr<GitStore> make_cached_store(const std::string& cache, const GitAddress& address) {
  return std::make_unique<CachedStore>(cache + "/" + sha256_hex(address.url()));
}

} // namespace cairn
