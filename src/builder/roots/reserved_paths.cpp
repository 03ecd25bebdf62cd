#include "builder/roots/reserved_paths.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

namespace {

constexpr auto behind = [](const RootedPath& path, const ReservedPath& reserved) {
  return path < reserved.path;
};

} // namespace

std::string ReservedPath::description() const {
  switch (owner) {
  case PathOwner::kernel:
    return fmt::format("'{}', the kernel's", path.str());
  case PathOwner::runtime:
    return fmt::format("'{}', the container runtime's", path.str());
  case PathOwner::ignored:
    return fmt::format("'{}' of --ignore-path", path.str());
  case PathOwner::executor:
    return fmt::format("'{}', the executor's own", path.str());
  case PathOwner::mount:
    return fmt::format("the pod's mount at '{}'", path.str());
  case PathOwner::option:
    break;
  }
  return fmt::format("'{}' of {}", path.str(), option);
}

void ReservedPaths::add(ReservedPath reserved) {
  if (reserved.path.is_root() || covers(reserved.path))
    return;
  std::erase_if(paths_, [&](const auto& known) { return reserved.path.contains(known.path); });
  const auto at = std::upper_bound(paths_.begin(), paths_.end(), reserved.path, behind);
  paths_.insert(at, std::move(reserved));
}

const ReservedPath* ReservedPaths::covering(const RootedPath& path) const {
  // The one path that can hold `path` is the last that does not sort behind it.
  const auto next = std::upper_bound(paths_.begin(), paths_.end(), path, behind);
  if (next == paths_.begin() || !std::prev(next)->path.contains(path))
    return nullptr;
  return &*std::prev(next);
}

const ReservedPath* ReservedPaths::inside(const RootedPath& path) const {
  const auto next = std::upper_bound(paths_.begin(), paths_.end(), path, behind);
  return next != paths_.end() && path.contains(next->path) ? &*next : nullptr;
}

PathFilter ReservedPaths::filter() const {
  return [copy = *this](const RootedPath& path) { return copy.covers(path); };
}

} // namespace cairn
