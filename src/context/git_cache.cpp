#include "context/git_cache.hpp"

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

/// Held while the store lives.
Fd lock(const std::string& path) {
  constexpr mode_t mode = 0600;
  auto fd = open_at(current_directory(), path, O_RDWR | O_CREAT | O_NOFOLLOW, mode);
  while (::flock(fd.get(), LOCK_EX) != 0)
    if (errno != EINTR)
      throw SysError(errno, "lock '{}'", path);
  return fd;
}

class CachedStore final : public GitStore {
public:
  explicit CachedStore(std::string path) : path_(std::move(path)), lock_(lock(path_ + ".lock")) {}

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
  std::string path_;
  Fd lock_;
};

} // namespace

std::unique_ptr<GitStore> make_cached_store(const std::string& cache, const GitAddress& address) {
  constexpr mode_t mode = 0700; // what is in it may be nobody else's business
  make_directories(cache, mode);
  return std::make_unique<CachedStore>(cache + "/" + sha256_hex(address.url()));
}

} // namespace cairn
