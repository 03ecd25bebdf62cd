#include "builder/store/cache_trim.hpp"

#include "util/cache_locks.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

namespace cairn {

namespace {

constexpr auto leftovers_after = std::chrono::hours(24);
constexpr std::uint64_t block = 512; // of st_blocks
constexpr int deepest = 512;

/// A folder whose members are entries.
struct Folder {
  std::string_view path;
  bool has_locks = false; ///< Who uses a member holds locks that are files inside it.
};

constexpr Folder folders[] = {{"blobs/sha256"},  {"names"},     {"steps"},
                              {"indexes"},       {"contexts"},  {"unpacked"},
                              {"mounts", true},  {"git", true}, {"downloads/blobs/sha256"},
                              {"downloads/urls"}};

struct Entry {
  std::shared_ptr<const Fd> folder;
  std::string name;
  Time used;
  std::uint64_t bytes = 0;
  bool has_locks = false;
};

std::optional<struct stat> look_at(FdRef folder, const std::string& name) {
  struct stat info {};
  if (::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return std::nullopt;
  return info;
}

/// What a file or a whole directory takes of the disk. A file with several names counts in part.
std::uint64_t bytes_of(FdRef folder, const std::string& name, int depth = 0) {
  const auto info = look_at(folder, name);
  if (!info || depth > deepest)
    return 0;
  auto bytes = static_cast<std::uint64_t>(info->st_blocks) * block;
  if (!S_ISDIR(info->st_mode))
    return bytes / std::max<std::uint64_t>(info->st_nlink, 1);
  if (const auto inside = try_open_at(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    for (const auto& child : list_directory(*inside))
      bytes += bytes_of(*inside, child, depth + 1);
  return bytes;
}

Time time_of(const timespec& time) {
  return from_unix(time.tv_sec, time.tv_nsec);
}

/// Files on their way to their name, and what is on its way out.
bool is_passing(const std::string& name) {
  return name.starts_with('.') || name.find(".tmp-") != std::string::npos;
}

/// Who is at work on such a directory has locked it, so that nobody need wait until it is old.
bool is_locked_while_passing(const std::string& name) {
  return name.starts_with(".partial-") || name.starts_with(".removed-");
}

/// The locks inside an entry, when nobody uses it.
std::optional<std::vector<Fd>> claim_locks(FdRef entry) {
  std::vector<Fd> locks;
  for (const auto& name : list_directory(entry)) {
    if (name != "lock" && !name.ends_with(".lock"))
      continue;
    auto lock = try_lock_exclusive(entry, name);
    if (!lock)
      return std::nullopt;
    locks.push_back(std::move(*lock));
  }
  return locks;
}

/// Under its own name nobody finds half of it.
void remove_directory(FdRef folder, const std::string& name) {
  const auto passing = ".removed-" + random_hex(8);
  if (::renameat(folder.get(), name.c_str(), folder.get(), passing.c_str()) != 0)
    throw SysError(errno, "rename '{}'", name);
  remove_tree(folder, passing);
}

/// False when it is in use.
bool remove_unused(const Entry& entry) {
  const auto info = look_at(*entry.folder, entry.name);
  if (!info)
    return true;
  if (!S_ISREG(info->st_mode) && !S_ISDIR(info->st_mode)) {
    remove_tree(*entry.folder, entry.name);
    return true;
  }
  const auto claim = try_lock_exclusive(*entry.folder, entry.name);
  if (!claim)
    return false;
  const auto locks = entry.has_locks && S_ISDIR(info->st_mode)
                         ? claim_locks(*claim)
                         : std::optional<std::vector<Fd>>(std::vector<Fd>());
  if (!locks)
    return false;
  if (S_ISDIR(info->st_mode))
    remove_directory(*entry.folder, entry.name);
  else
    remove_tree(*entry.folder, entry.name);
  return true;
}

class Trimmer {
public:
  Trimmer(const std::string& directory, Time now)
      : root_(open_at(current_directory(), directory, O_RDONLY | O_DIRECTORY)), now_(now) {}

  CacheTrim trim(std::uint64_t limit) {
    visit([this](const auto& folder, const std::string& name, bool has_locks) {
      add(folder, name, has_locks);
    });
    CacheTrim result;
    for (const auto& entry : entries_)
      result.before += entry.bytes;
    result.after = result.before;
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) { return a.used < b.used; });
    for (const auto& entry : entries_) {
      const auto info = look_at(*entry.folder, entry.name);
      if (info && (is_left(entry.name, *info) || (result.after > limit && !is_passing(entry.name))))
        remove(entry, result);
    }
    return result;
  }

  void remove_leftovers() {
    CacheTrim unlimited;
    visit([&](const auto& folder, const std::string& name, bool has_locks) {
      const auto info = look_at(*folder, name);
      if (info && is_left(name, *info))
        remove({folder, name, {}, 0, has_locks}, unlimited);
    });
  }

private:
  bool is_left(const std::string& name, const struct stat& info) const {
    if (!is_passing(name))
      return false;
    return (S_ISDIR(info.st_mode) && is_locked_while_passing(name)) ||
           std::max(time_of(info.st_atim), time_of(info.st_mtim)) + leftovers_after < now_;
  }

  template<class Body>
  void visit(const Body& body) {
    for (const auto& [path, has_locks] : folders)
      if (auto folder = open_folder(std::string(path)))
        for (const auto& name : list_directory(*folder))
          body(folder, name, has_locks);
    // What kaniko's warmer left.
    const auto root = std::make_shared<const Fd>(open_at(root_, ".", O_RDONLY | O_DIRECTORY));
    for (const auto& name : list_directory(*root))
      if (name.starts_with("sha256:"))
        body(root, name, false);
  }

  std::shared_ptr<const Fd> open_folder(const std::string& path) const {
    try {
      auto folder = open_in_root(root_, RootedPath::parse(path), O_RDONLY | O_DIRECTORY);
      return folder ? std::make_shared<const Fd>(std::move(*folder)) : nullptr;
    } catch (const SysError&) {
      // A link in its place: nobody keeps anything there.
      return nullptr;
    }
  }

  void add(const std::shared_ptr<const Fd>& folder, const std::string& name, bool has_locks) {
    const auto info = look_at(*folder, name);
    if (!info)
      return;
    // A download has the time of its server.
    auto used = time_of(info->st_atim);
    if (!S_ISREG(info->st_mode) || is_passing(name))
      used = std::max(used, time_of(info->st_mtim));
    entries_.push_back({folder, name, used, bytes_of(*folder, name), has_locks});
    // Having been looked into is no use.
    const timespec times[] = {info->st_atim, {0, UTIME_OMIT}};
    if (S_ISDIR(info->st_mode))
      static_cast<void>(::utimensat(folder->get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW));
  }

  static void remove(const Entry& entry, CacheTrim& result) {
    try {
      if (!remove_unused(entry))
        return;
      result.after -= std::min(entry.bytes, result.after);
      ++result.removed;
    } catch (const Error&) {
      // Somebody else's, perhaps. The next one will do.
      return;
    }
  }

  Fd root_;
  Time now_;
  std::vector<Entry> entries_;
};

} // namespace

CacheTrim trim_cache(const std::string& directory, std::uint64_t limit, Time now) {
  const auto lock =
      open_at(current_directory(), directory + "/.trim.lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0666);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
    return {};
  return Trimmer(directory, now).trim(limit);
}

void remove_leftovers(const std::string& directory, Time now) noexcept {
  try {
    Trimmer(directory, now).remove_leftovers();
  } catch (const std::exception&) {
    // There is no such directory yet, perhaps. It is the next build's then.
    return;
  }
}

void keep_cache_small(const std::string& directory, std::uint64_t limit, Time now,
                      Progress& progress) noexcept {
  if (limit == 0)
    return;
  try {
    const auto done = trim_cache(directory, limit, now);
    if (done.removed > 0)
      progress.info("Removed {} entries from {} that were not used for the longest time: {} of {} "
                    "are left",
                    done.removed, directory, human_size(done.after), human_size(done.before));
    if (done.after > limit)
      progress.warn("{} holds {} that are in use or cannot be removed, which is more than the {} "
                    "it may hold",
                    directory, human_size(done.after), human_size(limit));
  } catch (const std::exception& error) {
    progress.warn("{} is not kept small: {}", directory, error.what());
  }
}

} // namespace cairn
