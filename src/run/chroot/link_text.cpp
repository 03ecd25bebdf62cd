#include "run/chroot/link_text.hpp"

#include <fmt/format.h>

#include <unistd.h>

#include <climits>

namespace cairn {

std::string link_text(const std::string& path) {
  char text[PATH_MAX];
  const auto size = ::readlink(path.c_str(), text, sizeof text);
  return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

std::string link_text(FdRef link) {
  char text[PATH_MAX];
  const auto size = ::readlinkat(link.get(), "", text, sizeof text);
  return size < 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

std::string own_path(FdRef file) {
  return fmt::format("/proc/self/fd/{}", file.get());
}

std::string path_text(FdRef file) {
  return link_text(own_path(file));
}

} // namespace cairn
