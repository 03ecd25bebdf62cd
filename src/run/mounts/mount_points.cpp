#include "run/mounts/mount_points.hpp"

#include "run/mounts/mtime_guard.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <deque>
#include <optional>

namespace cairn {

namespace {

constexpr int most_links = 40;

std::string below(const std::string& directory, const std::string& name) {
  return directory == "." ? name : directory + "/" + name;
}

std::pair<std::string, std::string> parent_and_name(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos)
    return {".", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

std::string read_link(FdRef directory, const std::string& name) {
  std::string text(PATH_MAX, '\0');
  const auto size = ::readlinkat(directory.get(), name.c_str(), text.data(), text.size());
  if (size < 0)
    throw SysError(errno, "read link '{}'", name);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Fd open_directory(FdRef parent, const std::string& name) {
  return open_at(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

bool same_attributes(const struct stat& a, const struct stat& b) {
  const auto same_time = [](const timespec& x, const timespec& y) {
    return x.tv_sec == y.tv_sec && x.tv_nsec == y.tv_nsec;
  };
  return a.st_ino == b.st_ino && a.st_mode == b.st_mode && a.st_uid == b.st_uid &&
         a.st_gid == b.st_gid && same_time(a.st_mtim, b.st_mtim) && same_time(a.st_ctim, b.st_ctim);
}

/// `path` below `base` if it leads over directories alone: the command may have put links there.
std::optional<Fd> find_directory(FdRef base, const std::string& path) {
  Fd at = open_directory(base, ".");
  for (const auto& name : split(path, '/')) {
    const int next =
        ::openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (next < 0)
      return std::nullopt;
    at = Fd(next);
  }
  return at;
}

/// Removes an empty file or an empty directory; keeps anything else.
enum class Leave { nothing, whiteout };
void remove_stub(FdRef changes, const std::string& path, MountPoints::Kind kind, Leave leave) {
  const auto [parent, name] = parent_and_name(path);
  const auto directory = find_directory(changes, parent);
  struct stat info {};
  if (!directory || ::fstatat(directory->get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return;
  const bool is_directory = kind != MountPoints::Kind::file;
  if (is_directory ? !S_ISDIR(info.st_mode) : !S_ISREG(info.st_mode) || info.st_size != 0)
    return;
  const MtimeGuard kept(*directory);
  if (::unlinkat(directory->get(), name.c_str(), is_directory ? AT_REMOVEDIR : 0) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST)
      return;
    throw SysError(errno, "remove mount point '/{}'", path);
  }
  if (leave == Leave::whiteout &&
      ::mknodat(directory->get(), name.c_str(), S_IFCHR | 0600, makedev(0, 0)) != 0)
    throw SysError(errno, "put back whiteout '/{}'", path);
}

} // namespace

/// A position in the root that moves over names, and never above the root.
class MountPoints::Walk {
public:
  explicit Walk(FdRef root) : root_(root) {}

  FdRef directory() const noexcept { return open_.empty() ? root_ : open_.back().ref(); }
  std::string path() const { return names_.empty() ? "." : join(names_, "/"); }

  void enter(const std::string& name, Fd opened) {
    names_.push_back(name);
    open_.push_back(std::move(opened));
  }
  void up() {
    if (names_.empty())
      return;
    names_.pop_back();
    open_.pop_back();
  }
  void to_root() {
    names_.clear();
    open_.clear();
  }

private:
  FdRef root_;
  std::vector<std::string> names_;
  std::vector<Fd> open_;
};

MountPoints::~MountPoints() {
  try {
    remove();
  } catch (const Error&) {
    // Only an error that is already on its way out leads here with something left to remove.
  }
}

std::string MountPoints::prepare(const RootedPath& target, Kind kind) {
  Walk walk(root_);
  std::deque<std::string> todo;
  for (const auto name : target.components())
    todo.emplace_back(name);
  for (int links = 0; !todo.empty();) {
    const auto name = todo.front();
    todo.pop_front();
    if (name == "." || name.empty())
      continue;
    if (name == "..") {
      walk.up();
      continue;
    }
    struct stat info {};
    if (::fstatat(walk.directory().get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno != ENOENT)
        throw SysError(errno, "mount on '{}'", target.str());
      make(walk, name, todo.empty() ? kind : Kind::directory);
    } else if (S_ISLNK(info.st_mode)) {
      if (++links > most_links)
        throw SysError(ELOOP, "mount on '{}'", target.str());
      const auto text = read_link(walk.directory(), name);
      if (text.starts_with('/'))
        walk.to_root();
      const auto parts = split(text, '/');
      todo.insert(todo.begin(), parts.begin(), parts.end());
      continue;
    }
    if (todo.empty()) {
      covered_.push_back(below(walk.path(), name));
      return covered_.back();
    }
    walk.enter(name, open_directory(walk.directory(), name));
  }
  return walk.path();
}

bool MountPoints::is_covered(const std::string& path) const {
  return std::any_of(covered_.begin(), covered_.end(), [&](const std::string& mount) {
    return path.starts_with(mount) && path[mount.size()] == '/';
  });
}

void MountPoints::make(const Walk& walk, const std::string& name, Kind kind) {
  const auto parent = walk.path();
  const auto path = below(parent, name);
  // A directory that the upper one does not have yet is about to be copied there, with all above.
  for (auto above = parent; above != "."; above = parent_and_name(above).first) {
    struct stat info {};
    if (::fstatat(changes_.get(), above.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
      copied_up_.push_back({above, {}});
  }
  struct stat hidden {};
  const bool was_whiteout =
      ::fstatat(changes_.get(), path.c_str(), &hidden, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISCHR(hidden.st_mode) && hidden.st_rdev == 0;
  const MtimeGuard kept(walk.directory());
  if (kind == Kind::file)
    open_at(walk.directory(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644);
  else if (::mkdirat(walk.directory().get(), name.c_str(), 0755) != 0 ||
           (kind == Kind::open_directory &&
            ::fchmodat(walk.directory().get(), name.c_str(), 01777, 0) != 0))
    throw SysError(errno, "create mount point '/{}'", path);
  // What lies in a mount goes with it; the same path below it is not ours.
  if (!is_covered(path))
    made_.push_back({path, kind, was_whiteout});
}

void MountPoints::settle() {
  // Deepest first, the order in which they are removed.
  std::sort(copied_up_.begin(), copied_up_.end(),
            [](const auto& a, const auto& b) { return a.path.size() > b.path.size(); });
  for (auto& directory : copied_up_)
    ::fstatat(changes_.get(), directory.path.c_str(), &directory.info, AT_SYMLINK_NOFOLLOW);
}

void MountPoints::remove() {
  release_root();
  const auto made = std::exchange(made_, {});
  auto copied_up = std::exchange(copied_up_, {});
  // Looked at before anything is removed: the removal changes what tells them apart.
  std::erase_if(copied_up, [&](const CopiedUp& directory) {
    struct stat info {};
    return ::fstatat(changes_.get(), directory.path.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
           !same_attributes(info, directory.info);
  });
  for (auto entry = made.rbegin(); entry != made.rend(); ++entry)
    remove_stub(changes_, entry->path, entry->kind,
                entry->was_whiteout ? Leave::whiteout : Leave::nothing);
  for (const auto& directory : copied_up)
    remove_stub(changes_, directory.path, Kind::directory, Leave::nothing);
}

} // namespace cairn
