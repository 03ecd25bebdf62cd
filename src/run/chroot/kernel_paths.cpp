#include "run/chroot/kernel_paths.hpp"

#include <algorithm>

namespace cairn {

namespace {

struct DeviceLink {
  const char* path;
  const char* target;
};

constexpr DeviceLink device_links[] = {
    {"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
    {"/dev/ptmx", "/dev/pts/ptmx"},     {"/dev/core", "/proc/kcore"},
};

/// What `path` is when `link`, or what is above it, is replaced.
std::optional<std::string> replaced(const std::string& path, std::string_view link,
                                    std::string_view target, FinalLink last) {
  if (!is_below(path, link) || (last == FinalLink::keep && path.size() == link.size()))
    return std::nullopt;
  return std::string(target).append(path, link.size());
}

} // namespace

bool is_below(std::string_view path, std::string_view directory) noexcept {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

std::optional<std::string> inside_of(std::string_view root, std::string_view path) {
  if (!is_below(path, root))
    return std::nullopt;
  return path.size() == root.size() ? "/" : std::string(path.substr(root.size()));
}

std::string parent_of(std::string_view path) {
  const auto name = last_name_of(path);
  if (name.empty() || name == "." || name == "..")
    return {};
  const auto parent = path.substr(0, static_cast<std::size_t>(name.data() - path.data()));
  return parent.empty() ? "." : std::string(parent);
}

std::string_view last_name_of(std::string_view path) noexcept {
  while (path.ends_with('/'))
    path.remove_suffix(1);
  return path.substr(path.rfind('/') + 1);
}

bool KernelPaths::may_lead_there(std::string_view path) const noexcept {
  if (path.find("..") != std::string_view::npos)
    return true;
  if (std::any_of(links_.begin(), links_.end(), [&](const Link& link) {
        return path.find(last_name_of(link.path)) != std::string_view::npos;
      }))
    return true;
  std::size_t at = 0;
  while (at < path.size() &&
         (path[at] == '/' || (path[at] == '.' && (at + 1 == path.size() || path[at + 1] == '/'))))
    ++at;
  const auto first = path.substr(at, path.find('/', at) - at);
  // Of one that is relative to /proc or /dev/pts.
  if (std::all_of(first.begin(), first.end(), [](char c) { return c >= '0' && c <= '9'; }) ||
      first == "proc" || first == "sys" || first == "dev" || first == "pts" || first == "fd")
    return true;
  // Of a path that is relative to /dev.
  const auto last = last_name_of(path);
  return std::any_of(std::begin(device_links), std::end(device_links),
                     [&](const DeviceLink& link) {
                       return last_name_of(link.path) == last || last_name_of(link.path) == first;
                     }) ||
         std::find(devices_.begin(), devices_.end(), last) != devices_.end();
}

std::optional<std::string> KernelPaths::find(const std::string& path, FinalLink last) const {
  if (is_below(path, "/proc") || is_below(path, "/sys") || is_below(path, "/dev/pts"))
    return path;
  for (const auto& link : device_links)
    if (auto found = replaced(path, link.path, link.target, last))
      return found;
  for (const auto& link : links_)
    if (auto found = replaced(path, link.path, link.target, last))
      return found;
  for (const auto& device : devices_)
    if (path == "/dev/" + device)
      return path;
  return std::nullopt;
}

} // namespace cairn
