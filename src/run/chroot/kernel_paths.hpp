#pragma once

#include "util/file.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Whether a clean absolute path is `directory` or something below it.
bool is_below(std::string_view path, std::string_view directory) noexcept;

/// A path as the executor sees it, as it is seen inside `root`; nothing when it lies elsewhere.
std::optional<std::string> inside_of(std::string_view root, std::string_view path);

/// The directory in which the last name of a path lies, as the path says it; empty when it ends in
/// none that could be made.
std::string parent_of(std::string_view path);
/// That name. Slashes at the end of a path are not part of it.
std::string_view last_name_of(std::string_view path) noexcept;

/// Which paths of a root lead to what the kernel shows: /proc, /sys, and parts of /dev. By the text
/// of paths alone.
class KernelPaths {
public:
  /// A link of the root that leads there: /etc/mtab, say.
  struct Link {
    std::string path;   ///< Absolute and clean.
    std::string target; ///< The same.
  };

  KernelPaths() = default;
  KernelPaths(std::vector<Link> links, std::vector<std::string> devices)
      : links_(std::move(links)), devices_(std::move(devices)) {}

  /// False for most paths, at once: those of which find() says nothing, whatever they are relative
  /// to.
  bool may_lead_there(std::string_view path) const noexcept;

  /// The path below /proc, /sys or /dev for which a clean absolute path stands; nothing for all
  /// others. With FinalLink::keep the links themselves are none of them.
  std::optional<std::string> find(const std::string& path, FinalLink last) const;

private:
  std::vector<Link> links_;
  std::vector<std::string> devices_; ///< Names in /dev that only the executor can open.
};

} // namespace cairn
