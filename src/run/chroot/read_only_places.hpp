#pragma once

#include "util/fd.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Directories and files of a root that a command must not change: read-only mounts.
class ReadOnlyPlaces {
public:
  ReadOnlyPlaces() = default;
  /// Absolute paths, as the executor sees them. @throws SysError
  explicit ReadOnlyPlaces(const std::vector<std::string>& paths);

  bool empty() const noexcept { return places_.empty(); }

  struct Found {
    std::size_t place = 0;
    bool is_place = false; ///< Not something below it.
    friend bool operator==(const Found&, const Found&) = default;
  };
  /// The place in which a path lies; nothing for most.
  std::optional<Found> find(std::string_view path) const;
  std::optional<Found> find(FdRef file) const;

private:
  std::vector<Fd> places_; ///< Of the paths that they have now, whatever was renamed around them.
};

} // namespace cairn
