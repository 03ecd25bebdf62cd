#include "fs/tree/unpack_target.hpp"

#include "fs/archive/metadata.hpp"
#include "fs/archive/path_parts.hpp"
#include "fs/tree/links.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

constexpr const char* opaque_xattr = "user.overlay.opaque"; // as of the mount option userxattr

Fd open_directory(FdRef parent, const std::string& name) {
  return open_at(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

} // namespace

UnpackTarget::UnpackTarget(FdRef root, const UnpackOptions& options)
    : root_(root), options_(options), stack_(root), levels_(1) {}

UnpackTarget::Arrival UnpackTarget::go_to(const RootedPath& path, Missing missing) {
  std::string rest = path.str();
  std::string_view left = rest;
  std::size_t depth = 0;
  int links = 0;
  int names = 0;
  for (auto part = pop_component(left); !part.empty(); part = pop_component(left)) {
    if (++names > max_names)
      throw Error("path '{}' leads through more than {} names when its symbolic links are followed",
                  path.str(), max_names);
    if (part == "..")
      depth -= depth == 0 ? 0 : 1;
    if (part == "." || part == "..")
      continue;
    // The chain that is open holds directories only: where the names agree, nothing is to be read.
    if (depth < stack_.depth() && stack_.name(depth) == part) {
      ++depth;
      continue;
    }
    leave_to(depth);
    std::string link;
    const auto outcome = step(std::string(part), missing, link);
    if (outcome == Step::missing)
      return Arrival::missing;
    if (outcome == Step::is_protected)
      return Arrival::is_protected;
    if (outcome == Step::entered) {
      ++depth;
      continue;
    }
    if (++links > max_links)
      throw Error("path '{}' leads through more than {} symbolic links", path.str(), max_links);
    if (link.starts_with('/'))
      depth = 0;
    rest = link + "/" + std::string(left);
    left = rest;
  }
  leave_to(depth);
  return Arrival::arrived;
}

UnpackTarget::Step UnpackTarget::step(const std::string& name, Missing missing, std::string& link) {
  if (is_protected(name)) {
    protected_place_ = path().child(name);
    return Step::is_protected;
  }
  if (descend(name))
    return Step::entered;
  auto target = try_read_link(here(), name);
  const auto lower = below(name);
  const bool exists = target || try_statx(here(), name);
  if (!exists && lower && lower->type() == FileType::symlink)
    target = std::string(lower->link_target());
  if (target) {
    link = *std::move(target);
    return Step::link;
  }
  if (missing == Missing::stop)
    return Step::missing;
  return make_implied(name, exists ? Lower::hidden : Lower::visible);
}

UnpackTarget::Step UnpackTarget::make_implied(const std::string& name, Lower lower) {
  if (path().str().size() + name.size() > max_path)
    throw Error("path '{}' is too long when its symbolic links are followed", path().str());
  // An overlay shows the metadata of the topmost directory.
  const auto merged = lower == Lower::visible ? below(name) : std::nullopt;
  const bool borrows = merged && merged->is_directory();
  if (!make_directory(name, borrows ? merged->meta() : implied_metadata())) {
    protected_place_ = path().child(name);
    return Step::is_protected;
  }
  if (is_overlay() && lower == Lower::visible)
    implied_.insert(path().child(name));
  note(name);
  descend(name);
  return Step::entered;
}

bool UnpackTarget::descend(const std::string& name) {
  if (stack_.enter(name) != DirectoryStack::Enter::entered)
    return false;
  auto inner = path().child(name);
  const bool hides = levels_.back().hides_lower || opaque_.contains(inner);
  levels_.push_back({std::move(inner), hides});
  return true;
}

void UnpackTarget::leave_to(std::size_t depth) {
  stack_.leave_to(depth);
  levels_.resize(depth + 1);
}

bool UnpackTarget::is_protected(const std::string& name) const {
  return options_.is_protected && options_.is_protected(path().child(name));
}

std::optional<Tree::Node> UnpackTarget::below(const std::string& name) const {
  if (options_.below == nullptr || !is_overlay() || levels_.back().hides_lower)
    return std::nullopt;
  return options_.below->find(path().child(name));
}

bool UnpackTarget::make_directory(const std::string& name, const Metadata& meta) {
  bool replaces = false;
  if (::mkdirat(here().get(), name.c_str(), 0700) != 0) {
    if (errno != EEXIST)
      throw SysError(errno, "create directory");
    const auto there = try_statx(here(), name);
    replaces = there && !S_ISDIR(there->stx_mode);
    if (replaces && !remove(name, Remove::all))
      return false;
    if (replaces && ::mkdirat(here().get(), name.c_str(), 0700) != 0)
      throw SysError(errno, "create directory");
  }
  const auto fd = open_directory(here(), name);
  set_metadata(fd, meta);
  remove_other_xattrs(fd, meta);
  // What stood here, be it a whiteout or a file of this layer, had hidden the layers below.
  if (replaces && is_overlay())
    make_opaque(name);
  times_.insert_or_assign(path().child(name), meta.mtime);
  implied_.erase(path().child(name));
  return true;
}

void UnpackTarget::make_opaque() {
  set_xattr(open_directory(here(), "."), opaque_xattr, "y");
  opaque_.insert(path());
  levels_.back().hides_lower = true;
}

void UnpackTarget::make_opaque(const std::string& name) {
  set_xattr(open_directory(here(), name), opaque_xattr, "y");
  opaque_.insert(path().child(name));
}

void UnpackTarget::cut_off(const std::string& name) {
  make_opaque(name);
  if (implied_.contains(path().child(name)))
    make_directory(name, implied_metadata());
}

bool UnpackTarget::fits(const Tree& below) const {
  return std::all_of(implied_.begin(), implied_.end(), [&](const RootedPath& path) {
    const auto node = below.find(path);
    if (!node)
      return true;
    auto meta = node->meta();
    meta.mtime = {};
    return meta == implied_metadata();
  });
}

bool UnpackTarget::remove(const std::string& name, Remove what) {
  return remove_at(path().child(name), what) == Remains::nothing;
}

void UnpackTarget::remove_children(Remove what) {
  for (const auto& name : list_directory(here()))
    remove(name, what);
}

UnpackTarget::Remains UnpackTarget::remove_at(const RootedPath& path, Remove what) {
  if (options_.is_protected && options_.is_protected(path))
    return Remains::protected_only;
  const std::string name(path.name());
  const bool stays = what == Remove::lower && written_.contains(path.str());
  if (!stays) {
    if (::unlinkat(here().get(), name.c_str(), 0) == 0 || errno == ENOENT)
      return Remains::nothing;
    if (errno != EISDIR)
      throw SysError(errno, "remove '{}'", path.str());
  }
  const auto outer = stack_.depth();
  auto remains = Remains::nothing;
  if (stack_.enter(name) == DirectoryStack::Enter::entered)
    remains = remove_directory(path, what);
  stack_.leave_to(outer);
  if (stays)
    return Remains::of_this_layer;
  if (remains == Remains::of_this_layer)
    set_metadata(open_directory(here(), name), implied_metadata());
  if (remains != Remains::nothing)
    return remains;
  if (::unlinkat(here().get(), name.c_str(), AT_REMOVEDIR) != 0)
    throw SysError(errno, "remove directory '{}'", path.str());
  forget(path);
  return Remains::nothing;
}

UnpackTarget::Remains UnpackTarget::remove_directory(const RootedPath& path, Remove what) {
  auto remains = Remains::nothing;
  for (const auto& name : list_directory(here()))
    remains = std::max(remains, remove_at(path.child(name), what));
  return remains;
}

void UnpackTarget::forget(const RootedPath& path) {
  const auto forget_in = [&](auto& places, const auto& path_of) {
    auto place = places.lower_bound(path);
    while (place != places.end() && path.contains(path_of(*place)))
      place = places.erase(place);
  };
  forget_in(times_, [](const auto& place) -> const RootedPath& { return place.first; });
  forget_in(opaque_, [](const auto& place) -> const RootedPath& { return place; });
  forget_in(implied_, [](const auto& place) -> const RootedPath& { return place; });
}

void UnpackTarget::set_root(const Metadata& meta) {
  const auto fd = open_directory(root_, ".");
  set_metadata(fd, meta);
  remove_other_xattrs(fd, meta);
  times_.insert_or_assign(RootedPath(), meta.mtime);
}

void UnpackTarget::note(const std::string& name) {
  // Everything in the directory of an overlay's layer is of that layer.
  if (!is_overlay())
    written_.insert(path().child(name).str());
}

void UnpackTarget::set_directory_times() {
  for (const auto& [directory, mtime] : times_) {
    if (directory.is_root())
      set_time(root_, ".", mtime);
    else if (go_to(directory.parent(), Missing::stop) == Arrival::arrived)
      set_time(here(), std::string(directory.name()), mtime);
  }
}

} // namespace cairn
