#pragma once

#include "fs/archive/entry.hpp"
#include "util/fd.hpp"

#include <sys/stat.h>

#include <optional>
#include <string>

namespace cairn {

/// What statx(2) says about `name` in a directory, no link followed. Nothing when it does not
/// exist. @throws SysError
std::optional<struct statx> try_statx(FdRef directory, const std::string& name);

/// The type that a mode of stat(2) says; nothing for a socket, which no layer can hold.
std::optional<FileType> file_type_of(std::uint32_t mode);

/// All that `info` knows; link target and xattrs are left to read. @pre it is no socket
Metadata metadata_from(const struct statx& info);

/// Of a directory that no layer holds an entry for: 0755 0:0.
Metadata implied_metadata();

/// The target of a symbolic link. @throws SysError
std::string read_link(FdRef directory, const std::string& name);
/// Nothing when `name` is no symbolic link or does not exist.
std::optional<std::string> try_read_link(FdRef directory, const std::string& name);

/// Sets owner, then mode (a chown clears setuid), then xattrs (it clears capabilities too) of an
/// open file. Attributes "user." that the file system cannot hold are left out. @throws SysError
void set_metadata(FdRef file, const Metadata& meta);
/// Removes those attributes of an open file that belong in a layer and are not in `meta`.
void remove_other_xattrs(FdRef file, const Metadata& meta);
void set_xattr(FdRef file, const std::string& name, const std::string& value);

/// As utimensat(2), the time of access being set to the same. No link is followed.
void set_time(FdRef directory, const std::string& name, Time mtime);
void set_time(FdRef file, Time mtime);

} // namespace cairn
