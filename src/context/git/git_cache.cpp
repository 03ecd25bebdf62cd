#include "context/git/git_cache.hpp"

#include "util/cache_locks.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace cairn {

namespace {

/// What could change how files look, beside the configuration, and is of no use here: attributes,
/// and the name of another repository that this one would be a part of.
constexpr std::array settings = {"info", "commondir"};

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

/// Makes way for an entry where something else has its name.
void remove_other(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != EISDIR)
    throw SysError(errno, "remove '{}'", path);
}

/// An entry, which is made where it is missing. Who makes room may remove it in the meantime.
Hold enter(const std::string& path) {
  for (;;) {
    make_directories(path, private_directory);
    auto entry = try_open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
    if (!entry)
      remove_other(path);
    if (!entry || !lock_shared(*entry) || !is_entry(*entry, current_directory(), path))
      continue;
    return {*std::move(entry), wait_for_lock(path + "/lock")};
  }
}

/// Whether there is nothing but files and directories: whoever opens a pipe waits for ever.
bool is_plain(FdRef directory) {
  for (const auto& name : list_directory(directory)) {
    struct stat info {};
    if (::fstatat(directory.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
      return false;
    if (S_ISDIR(info.st_mode)
            ? !is_plain(open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
            : !S_ISREG(info.st_mode))
      return false;
  }
  return true;
}

class CachedStore final : public GitStore {
public:
  explicit CachedStore(const std::string& entry)
      : hold_(enter(entry)), path_(entry + "/repository") {}

  std::optional<GitRepository> open() override {
    const auto directory = try_open_at(current_directory(), path_, O_RDONLY | O_DIRECTORY);
    if (!directory)
      return std::nullopt;
    try {
      if (!is_plain(*directory))
        return std::nullopt;
      for (const auto* part : settings)
        remove_tree(*directory, part);
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
