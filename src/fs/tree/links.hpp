#pragma once

#include "util/rooted_path.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>

namespace cairn {

inline constexpr int max_links = 255;
/// Each link may lead through as many names as a path can have.
inline constexpr int max_names = 8192;
/// Through links a name can lead deeper than its own length; no file system goes on for ever.
inline constexpr std::size_t max_path = 4096;

/// What becomes of a symbolic link at the end of a path; those in its middle are always followed.
enum class LastLink { follow, keep };

/// The target of the symbolic link that has exactly this name; nothing when it is no link.
using LinkReader = std::function<std::optional<std::string>(const RootedPath&)>;

/// Where symbolic links in `path` lead: absolute targets start at the root, ".." stops there. What
/// does not exist is taken as it is written. `link_at` is asked once for each component.
/// @throws Error after 255 links or 8192 names
RootedPath resolve_links(const RootedPath& path, LastLink last, const LinkReader& link_at);

/// The same for directories of which each link must lead to something: `arrived` is told where one
/// does, and throws when it does not like that.
using LinkEnd = std::function<void(const RootedPath&)>;
RootedPath resolve_links(const RootedPath& path, const LinkReader& link_at, const LinkEnd& arrived);

} // namespace cairn
