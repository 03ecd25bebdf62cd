#include "run/chroot/read_only_places.hpp"

#include "run/chroot/kernel_paths.hpp"
#include "run/chroot/link_text.hpp"
#include "util/error.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

ReadOnlyPlaces::ReadOnlyPlaces(const std::vector<std::string>& paths) {
  for (const auto& path : paths) {
    auto& place = places_.emplace_back();
    place.file = Fd(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!place.file || ::fstat(place.file.get(), &place.info) != 0)
      throw SysError(errno, "open '{}'", path);
    place.name = last_name_of(path);
  }
}

bool ReadOnlyPlaces::are_files() const noexcept {
  return std::none_of(places_.begin(), places_.end(),
                      [](const Place& place) { return S_ISDIR(place.info.st_mode); });
}

bool ReadOnlyPlaces::have_name(std::string_view name) const noexcept {
  return std::any_of(places_.begin(), places_.end(),
                     [&](const Place& place) { return place.name == name; });
}

bool ReadOnlyPlaces::have_file(const struct stat& info) const noexcept {
  return std::any_of(places_.begin(), places_.end(), [&](const Place& place) {
    return place.info.st_ino == info.st_ino && place.info.st_dev == info.st_dev;
  });
}

std::optional<ReadOnlyPlaces::Found> ReadOnlyPlaces::find(std::string_view path) const {
  // Of two that contain each other the inner one was mounted last.
  for (std::size_t i = places_.size(); i > 0; --i) {
    const auto place = path_text(places_[i - 1].file);
    if (is_below(path, place))
      return Found{i - 1, path.size() == place.size()};
  }
  return std::nullopt;
}

std::optional<ReadOnlyPlaces::Found> ReadOnlyPlaces::find(FdRef file) const {
  return places_.empty() ? std::nullopt : find(path_text(file));
}

} // namespace cairn
