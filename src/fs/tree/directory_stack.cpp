#include "fs/tree/directory_stack.hpp"

#include "fs/archive/path_parts.hpp"
#include "util/error.hpp"

#include <fcntl.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr std::size_t max_open = 64;
constexpr std::size_t max_depth = 8192;
constexpr int open_flags = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

} // namespace

FdRef DirectoryStack::top() {
  return fd_of(levels_.size());
}

FdRef DirectoryStack::fd_of(std::size_t depth) {
  auto open = depth;
  while (open != 0 && !levels_[open - 1].fd)
    --open;
  for (; open != depth; ++open) {
    const FdRef above = open == 0 ? root_ : levels_[open - 1].fd.ref();
    auto& level = levels_[open];
    level.fd = Fd(::openat(above.get(), level.name.c_str(), open_flags));
    if (!level.fd)
      throw SysError(errno, "open directory '{}'", level.name);
    // Those passed on the way down are not wanted, and may be many.
    if (open >= max_open)
      levels_[open - max_open].fd.reset();
  }
  return depth == 0 ? root_ : levels_[depth - 1].fd.ref();
}

DirectoryStack::Enter DirectoryStack::enter(const std::string& name) {
  Fd fd(::openat(top().get(), name.c_str(), open_flags));
  if (!fd && errno == ENOENT)
    return Enter::missing;
  if (!fd && (errno == ENOTDIR || errno == ELOOP))
    return Enter::no_directory;
  if (!fd)
    throw SysError(errno, "open directory '{}'", name);
  if (levels_.size() == max_depth)
    throw Error("directories are more than {} deep", max_depth);
  levels_.push_back({name, std::move(fd)});
  if (levels_.size() > max_open)
    levels_[levels_.size() - 1 - max_open].fd.reset();
  return Enter::entered;
}

bool DirectoryStack::go_to(const RootedPath& directory) {
  std::string_view rest = directory.str();
  std::size_t depth = 0;
  for (auto part = pop_component(rest); !part.empty(); part = pop_component(rest), ++depth) {
    if (depth < levels_.size() && levels_[depth].name == part)
      continue;
    leave_to(depth);
    if (enter(std::string(part)) != Enter::entered)
      return false;
  }
  leave_to(depth);
  return true;
}

void DirectoryStack::leave_to(std::size_t depth) {
  levels_.resize(depth);
}

} // namespace cairn
