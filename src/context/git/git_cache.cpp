#include "context/git/git_cache.hpp"

#include "util/cache_locks.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

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

/// What says that an entry is in use, for whoever makes room, and the right to be the one.
struct Hold {
  Fd entry;
  Fd lock;
};

/// An entry, which is made where it is missing. Who makes room may remove it in the meantime.
Hold enter(const std::string& path) {
  for (;;) {
    make_directories(path, private_directory);
    auto entry = try_open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
    if (!entry || !lock_shared(*entry) || !is_entry(*entry, current_directory(), path))
      continue;
    return {*std::move(entry), wait_for_lock(path + "/lock")};
  }
}

class CachedStore final : public GitStore {
public:
  explicit CachedStore(const std::string& entry)
      : hold_(enter(entry)), path_(entry + "/repository") {}

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
  Hold hold_; ///< While the store lives.
  std::string path_;
};

} // namespace

std::unique_ptr<GitStore> make_cached_store(const std::string& cache, const GitAddress& address) {
  return std::make_unique<CachedStore>(cache + "/" + sha256_hex(address.url()));
}

} // namespace cairn
