#include "run/chroot/read_only_places.hpp"

#include "run/chroot/kernel_paths.hpp"
#include "run/chroot/link_text.hpp"
#include "util/error.hpp"

#include <fcntl.h>

#include <cerrno>

namespace cairn {

ReadOnlyPlaces::ReadOnlyPlaces(const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    places_.emplace_back(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!places_.back())
      throw SysError(errno, "open '{}'", path);
  }
}

std::optional<ReadOnlyPlaces::Found> ReadOnlyPlaces::find(std::string_view path) const {
  // Of two that contain each other the inner one was mounted last.
  for (std::size_t i = places_.size(); i > 0; --i) {
    const auto place = path_text(places_[i - 1]);
    if (is_below(path, place))
      return Found{i - 1, path.size() == place.size()};
  }
  return std::nullopt;
}

std::optional<ReadOnlyPlaces::Found> ReadOnlyPlaces::find(FdRef file) const {
  return places_.empty() ? std::nullopt : find(path_text(file));
}

} // namespace cairn
