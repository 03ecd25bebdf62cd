#include "fs/archive/whiteout.hpp"

#include "util/error.hpp"

#include <string>

namespace cairn {

std::optional<Whiteout> parse_whiteout(const RootedPath& path) {
  const std::string& text = path.str();
  if (text.find("/.wh.") == std::string::npos)
    return std::nullopt;
  const auto name = path.name();
  if (name == opaque_whiteout)
    return Whiteout{Whiteout::Kind::opaque, {}};
  if (text.find("/.wh..wh.") != std::string::npos)
    return Whiteout{Whiteout::Kind::none, {}};
  if (!name.starts_with(whiteout_prefix))
    throw Error("entry '{}' lies below a whiteout", text);
  const auto removed = name.substr(whiteout_prefix.size());
  if (removed.empty() || removed == "." || removed == "..")
    throw Error("whiteout '{}' names no file", text);
  return Whiteout{Whiteout::Kind::remove, removed};
}

RootedPath whiteout_for(const RootedPath& path) {
  return path.parent().child(std::string(whiteout_prefix) + std::string(path.name()));
}

} // namespace cairn
