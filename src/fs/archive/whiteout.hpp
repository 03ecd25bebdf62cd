#pragma once

#include "util/rooted_path.hpp"

#include <optional>
#include <string_view>

namespace cairn {

/// Names that say what is gone (OCI image specification, Layer, Whiteouts).
inline constexpr std::string_view whiteout_prefix = ".wh.";
inline constexpr std::string_view opaque_whiteout = ".wh..wh..opq";

struct Whiteout {
  enum class Kind {
    remove, ///< `name` in the same directory is gone.
    opaque, ///< So is all that lower layers hold in the directory.
    none,   ///< Notes of AUFS, which nobody needs.
  };
  Kind kind = Kind::none;
  std::string_view name; ///< Points into the path.
};

/// What `path` says if it is the name of a whiteout. @throws Error when it names nothing
std::optional<Whiteout> parse_whiteout(const RootedPath& path);

/// The name of the whiteout that removes `path`. @pre it is not the root
RootedPath whiteout_for(const RootedPath& path);

} // namespace cairn
