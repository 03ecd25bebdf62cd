#include "fs/archive/metadata.hpp"

#include "fs/archive/xattr.hpp"
#include "util/error.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace cairn {

namespace {

std::array<timespec, 2> both_times(Time mtime) {
  const timespec time{static_cast<time_t>(unix_seconds(mtime)), unix_nanoseconds(mtime)};
  return {time, time};
}

} // namespace

std::optional<struct statx> try_statx(FdRef directory, const std::string& name) {
  struct statx info {};
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT;
  if (::statx(directory.get(), name.c_str(), flags, STATX_BASIC_STATS, &info) == 0)
    return info;
  if (errno == ENOENT)
    return std::nullopt;
  throw SysError(errno, "stat '{}'", name);
}

std::optional<FileType> file_type_of(std::uint32_t mode) {
  switch (mode & S_IFMT) {
  case S_IFREG:
    return FileType::regular;
  case S_IFDIR:
    return FileType::directory;
  case S_IFLNK:
    return FileType::symlink;
  case S_IFCHR:
    return FileType::char_device;
  case S_IFBLK:
    return FileType::block_device;
  case S_IFIFO:
    return FileType::fifo;
  default:
    return std::nullopt;
  }
}

Metadata metadata_from(const struct statx& info) {
  Metadata meta;
  meta.type = file_type_of(info.stx_mode).value();
  meta.mode = info.stx_mode & 07777U;
  meta.uid = info.stx_uid;
  meta.gid = info.stx_gid;
  meta.mtime = from_unix(info.stx_mtime.tv_sec, info.stx_mtime.tv_nsec);
  if (meta.type == FileType::regular)
    meta.size = info.stx_size;
  if (meta.type == FileType::char_device || meta.type == FileType::block_device) {
    meta.device_major = info.stx_rdev_major;
    meta.device_minor = info.stx_rdev_minor;
  }
  return meta;
}

std::optional<std::string> try_read_link(FdRef directory, const std::string& name) {
  std::string target(256, '\0');
  for (;;) {
    const auto count = ::readlinkat(directory.get(), name.c_str(), target.data(), target.size());
    if (count < 0 && (errno == EINVAL || errno == ENOENT))
      return std::nullopt;
    if (count < 0)
      throw SysError(errno, "read symbolic link '{}'", name);
    if (static_cast<std::size_t>(count) < target.size()) {
      target.resize(static_cast<std::size_t>(count));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

Metadata implied_metadata() {
  Metadata meta;
  meta.type = FileType::directory;
  meta.mode = 0755;
  return meta;
}

std::string read_link(FdRef directory, const std::string& name) {
  if (auto target = try_read_link(directory, name))
    return *std::move(target);
  throw SysError(errno, "read symbolic link '{}'", name);
}

void set_xattr(FdRef file, const std::string& name, const std::string& value) {
  if (::fsetxattr(file.get(), name.c_str(), value.data(), value.size(), 0) != 0)
    throw SysError(errno, "set extended attribute '{}'", name);
}

void set_metadata(FdRef file, const Metadata& meta) {
  if (::fchown(file.get(), meta.uid, meta.gid) != 0)
    throw SysError(errno, "set owner {}:{}", meta.uid, meta.gid);
  if (::fchmod(file.get(), meta.mode) != 0)
    throw SysError(errno, "set mode {:o}", meta.mode);
  for (const auto& xattr : meta.xattrs) {
    try {
      set_xattr(file, xattr.name, xattr.value);
    } catch (const SysError& error) {
      if (!error.is(std::errc::not_supported) || !xattr.name.starts_with("user."))
        throw;
    }
  }
}

void remove_other_xattrs(FdRef file, const Metadata& meta) {
  for (const auto& found : read_xattrs(file)) {
    const auto same_name = [&](const Xattr& wanted) { return wanted.name == found.name; };
    if (std::any_of(meta.xattrs.begin(), meta.xattrs.end(), same_name))
      continue;
    if (::fremovexattr(file.get(), found.name.c_str()) != 0)
      throw SysError(errno, "remove extended attribute '{}'", found.name);
  }
}

void set_time(FdRef directory, const std::string& name, Time mtime) {
  const auto times = both_times(mtime);
  if (::utimensat(directory.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) != 0)
    throw SysError(errno, "set time of '{}'", name);
}

void set_time(FdRef file, Time mtime) {
  const auto times = both_times(mtime);
  if (::futimens(file.get(), times.data()) != 0)
    throw SysError(errno, "set time");
}

} // namespace cairn
