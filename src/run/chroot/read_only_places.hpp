#pragma once

#include "util/fd.hpp"

#include <sys/stat.h>

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
  /// Whether none of them is a directory.
  bool are_files() const noexcept;
  /// Whether this is what one of them is called where it lies, which nothing but the executor
  /// changes while the calls that do are refused.
  bool have_name(std::string_view name) const noexcept;
  /// Whether one of them is this file.
  bool have_file(const struct stat& info) const noexcept;

  struct Found {
    std::size_t place = 0;
    bool is_place = false; ///< Not something below it.
    friend bool operator==(const Found&, const Found&) = default;
  };
  /// The place in which a path lies; nothing for most.
  std::optional<Found> find(std::string_view path) const;
  std::optional<Found> find(FdRef file) const;

private:
  struct Place {
    Fd file; ///< Of the path that it has now, whatever was renamed around it.
    std::string name;
    struct stat info {};
  };

  std::vector<Place> places_;
};

} // namespace cairn
