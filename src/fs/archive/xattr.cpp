#include "fs/archive/xattr.hpp"

#include "util/error.hpp"

#include <fmt/core.h>

#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>

namespace cairn {

namespace {

bool is_of_overlayfs(std::string_view name) noexcept {
  return name.starts_with("user.overlay.") || name.starts_with("trusted.overlay.");
}

/// The names of all attributes, each ended by a NUL. `list` is called as listxattr(2) with no file.
template<class List>
std::string list_names(const List& list) {
  std::string names(256, '\0');
  for (;;) {
    const auto count = list(names.data(), names.size());
    if (count >= 0) {
      names.resize(static_cast<std::size_t>(count));
      return names;
    }
    if (errno == ENOTSUP)
      return {};
    if (errno != ERANGE || names.size() > (std::size_t{1} << 20))
      throw SysError(errno, "list extended attributes");
    names.resize(names.size() * 2);
  }
}

/// Nothing when the attribute has gone.
std::optional<std::string> read_value(FdRef file, const std::string& name) {
  std::string value(256, '\0');
  for (;;) {
    const auto count = ::fgetxattr(file.get(), name.c_str(), value.data(), value.size());
    if (count >= 0) {
      value.resize(static_cast<std::size_t>(count));
      return value;
    }
    if (errno == ENODATA)
      return std::nullopt;
    if (errno != ERANGE || value.size() > (std::size_t{1} << 20))
      throw SysError(errno, "read extended attribute '{}'", name);
    value.resize(value.size() * 2);
  }
}

/// File capabilities set inside a user namespace carry its root's user id (revision 3 of struct
/// vfs_ns_cap_data, linux/capability.h); an image has them without (revision 2).
std::string without_namespace(std::string capability) {
  constexpr std::size_t revision_3_size = 24;
  constexpr std::size_t revision_2_size = 20;
  constexpr std::size_t revision_at = 3; // The top byte of a little-endian word.
  if (capability.size() == revision_3_size && capability[revision_at] == 3) {
    capability[revision_at] = 2;
    capability.resize(revision_2_size);
  }
  return capability;
}

} // namespace

bool xattr_may_be_unpacked(std::string_view name) noexcept {
  return !name.empty() && !is_of_overlayfs(name) && !name.starts_with("system.") &&
         name != "security.selinux";
}

bool xattr_belongs_in_layer(std::string_view name) noexcept {
  return name == "security.capability" || (name.starts_with("user.") && !is_of_overlayfs(name));
}

std::vector<Xattr> read_xattrs(FdRef file) {
  std::vector<Xattr> xattrs;
  const std::string names =
      list_names([&](char* to, std::size_t size) { return ::flistxattr(file.get(), to, size); });
  for (std::size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (!xattr_belongs_in_layer(name))
      continue;
    auto value = read_value(file, name);
    if (!value)
      continue;
    if (name == "security.capability")
      value = without_namespace(*std::move(value));
    xattrs.push_back({name, *std::move(value)});
  }
  std::sort(xattrs.begin(), xattrs.end());
  return xattrs;
}

std::vector<std::string> list_xattrs(FdRef directory, const std::string& name) {
  // listxattrat(2) is younger than the kernels that there are.
  const auto path = fmt::format("/proc/self/fd/{}/{}", directory.get(), name);
  const std::string text =
      list_names([&](char* to, std::size_t size) { return ::llistxattr(path.c_str(), to, size); });
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size(); at += names.back().size() + 1)
    names.emplace_back(text.c_str() + at);
  return names;
}

} // namespace cairn
