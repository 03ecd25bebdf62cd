#include "run/emulated_mounts.hpp"

#include "run/chroot/link_text.hpp"
#include "run/mounts/mtime_guard.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cairn {

namespace {

Fd open_parent(const std::string& path) {
  const auto slash = path.rfind('/');
  return open_at(current_directory(), slash == 0 ? "/" : path.substr(0, slash),
                 O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

} // namespace

EmulatedMounts::EmulatedMounts(const std::vector<CommandMount>& mounts, Where where)
    : where_(std::move(where)), points_(open_directory(where_.root), open_directory(where_.root)) {
  try {
    for (const auto& mount : mounts)
      std::visit([this](const auto& any) { add(any); }, mount);
  } catch (const Error&) {
    remove();
    throw;
  }
  points_.settle();
}

std::string EmulatedMounts::absolute(const std::string& relative) const {
  return where_.root == "/" ? "/" + relative : where_.root + "/" + relative;
}

std::string EmulatedMounts::place_aside(const std::string& path) const {
  if (!where_.aside.empty())
    return fmt::format("{}/{}", where_.aside, places_.size());
  const auto slash = path.rfind('/') + 1;
  return fmt::format("{}.cairn-{}-{}-{}", path.substr(0, slash), ::getpid(), places_.size(),
                     path.substr(slash));
}

EmulatedMounts::~EmulatedMounts() {
  try {
    remove();
  } catch (const Error&) {
    // Only an error that is already on its way out leads here with something left to remove.
  }
}

void EmulatedMounts::add(const BindMount& mount) {
  struct stat info {};
  if (::lstat(mount.source.c_str(), &info) != 0)
    throw SysError(errno, "mount '{}' on '{}'", mount.source, mount.target.str());
  const auto kind = S_ISDIR(info.st_mode) ? MountPoints::Kind::directory : MountPoints::Kind::file;
  auto& place = take(mount.target, kind);
  if (mount.access == MountAccess::read_only)
    read_only_.push_back(place.path);
  const MtimeGuard kept(open_parent(place.path));
  if (::renameat2(AT_FDCWD, mount.source.c_str(), AT_FDCWD, place.path.c_str(), RENAME_NOREPLACE) ==
      0) {
    place.source = mount.source;
    place.device = info.st_dev;
    place.inode = info.st_ino;
    return;
  }
  if (where_.root != "/")
    throw SysError(errno, "move '{}' to '{}' for a mount", mount.source, place.path);
  // EXDEV, or what else kept it from moving: it can be seen from where it is.
  if (::symlink(mount.source.c_str(), place.path.c_str()) != 0)
    throw SysError(errno, "link '{}' to '{}'", place.path, mount.source);
}

void EmulatedMounts::add(const TmpfsMount& mount) {
  constexpr mode_t permissions = 07777;
  const auto& place = take(mount.target, MountPoints::Kind::open_directory);
  const MtimeGuard kept(open_parent(place.path));
  struct stat covered {};
  if (::lstat(place.aside.c_str(), &covered) != 0 || !S_ISDIR(covered.st_mode))
    throw SysError(ENOTDIR, "mount a tmpfs on '{}'", place.path);
  if (::mkdir(place.path.c_str(), 0700) != 0 ||
      ::chmod(place.path.c_str(), covered.st_mode & permissions) != 0)
    throw SysError(errno, "create '{}'", place.path);
}

void EmulatedMounts::add(const FileMount& mount) {
  auto& place = take(mount.target, MountPoints::Kind::file);
  read_only_.push_back(place.path);
  const MtimeGuard kept(open_parent(place.path));
  const auto file = open_at(current_directory(), place.path, O_WRONLY | O_CREAT | O_EXCL, 0600);
  write_all(file, std::as_bytes(std::span(mount.content)));
  if (::fchown(file.get(), mount.uid, mount.gid) != 0 || ::fchmod(file.get(), mount.mode) != 0)
    throw SysError(errno, "change owner and mode of '{}'", place.path);
  place.file = open_at(current_directory(), place.path, O_PATH | O_NOFOLLOW);
}

EmulatedMounts::Place& EmulatedMounts::take(const RootedPath& target, MountPoints::Kind kind) {
  const auto relative = points_.prepare(target, kind);
  if (relative == ".")
    throw Error("mount on '/': not possible");
  const auto path = absolute(relative);
  const auto aside = place_aside(path);
  const MtimeGuard kept(open_parent(path));
  if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, aside.c_str(), RENAME_NOREPLACE) != 0)
    throw SysError(errno, "move '{}' aside for a mount", path);
  return places_.emplace_back(Place{path, aside, {}, 0, 0, {}});
}

/// A secret that got another name is a secret no more.
void EmulatedMounts::empty(const Place& place) {
  if (place.file)
    const Fd emptied(::open(own_path(place.file).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
}

/// Unless the command has put something else in its place.
void EmulatedMounts::give_back(const Place& place) {
  struct stat info {};
  if (!place.source.empty() && ::lstat(place.path.c_str(), &info) == 0 &&
      info.st_dev == place.device && info.st_ino == place.inode)
    ::rename(place.path.c_str(), place.source.c_str());
}

void EmulatedMounts::remove() {
  auto places = std::exchange(places_, {});
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    const MtimeGuard kept(open_parent(place->path));
    empty(*place);
    give_back(*place);
    remove_tree(current_directory(), place->path);
    if (::rename(place->aside.c_str(), place->path.c_str()) != 0)
      throw SysError(errno, "move '{}' back", place->path);
  }
  points_.remove();
}

} // namespace cairn
