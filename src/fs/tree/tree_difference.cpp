#include "fs/tree/tree_difference.hpp"

#include "fs/archive/metadata.hpp"
#include "fs/archive/xattr.hpp"
#include "fs/tree/directory_stack.hpp"
#include "util/clock.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"
#include "util/threads.hpp"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

namespace {

std::string_view type_name(std::optional<FileType> type) {
  if (!type)
    return "a socket";
  switch (*type) {
  case FileType::regular:
    return "a regular file";
  case FileType::directory:
    return "a directory";
  case FileType::symlink:
    return "a symbolic link";
  case FileType::fifo:
    return "a fifo";
  default:
    return "a device";
  }
}

bool may_have_xattrs(FileType type) {
  return type == FileType::regular || type == FileType::directory;
}

/// What differs between a file and what is known of it, as the rest of a sentence.
class FileDifference {
public:
  FileDifference(FdRef parent, const std::string& name, const struct statx& info)
      : parent_(parent), name_(name), info_(info) {}

  std::optional<std::string> to(const Metadata& known) const {
    const auto type = file_type_of(info_.stx_mode);
    if (type != known.type)
      return fmt::format("is {} instead of {}", type_name(type), type_name(known.type));
    if (is_mount())
      return "is a mount of its own";
    const auto found = metadata_from(info_);
    if (found.uid != known.uid || found.gid != known.gid)
      return fmt::format("belongs to {}:{} instead of {}:{}", found.uid, found.gid, known.uid,
                         known.gid);
    // The mode of a link means nothing.
    if (known.type != FileType::symlink && found.mode != known.mode)
      return fmt::format("has mode {:o} instead of {:o}", found.mode, known.mode);
    if (found.size != known.size)
      return fmt::format("has {} bytes instead of {}", found.size, known.size);
    if (found.device_major != known.device_major || found.device_minor != known.device_minor)
      return fmt::format("is device {}:{} instead of {}:{}", found.device_major, found.device_minor,
                         known.device_major, known.device_minor);
    if (known.type != FileType::directory && found.mtime != known.mtime)
      return fmt::format("was changed at {} instead of {}", rfc3339(found.mtime),
                         rfc3339(known.mtime));
    if (known.type == FileType::symlink && try_read_link(parent_, name_) != known.link_target)
      return "leads somewhere else";
    return may_have_xattrs(known.type) ? xattrs_to(known) : std::nullopt;
  }

private:
  bool is_mount() const {
    return (info_.stx_attributes_mask & info_.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
  }

  /// Most files have none, which is seen without opening them.
  std::optional<std::string> xattrs_to(const Metadata& known) const {
    auto wanted = known.xattrs;
    std::erase_if(wanted, [](const Xattr& xattr) { return !xattr_belongs_in_layer(xattr.name); });
    const auto names = list_xattrs(parent_, name_);
    bool has_some = false;
    for (const auto& name : names) {
      if (name.starts_with("user.overlay."))
        return fmt::format("has the extended attribute {} of an overlay", printable(name));
      has_some = has_some || xattr_belongs_in_layer(name);
    }
    if (wanted.empty() && !has_some)
      return std::nullopt;
    const auto file = open_at(parent_, name_, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (read_xattrs(file) != wanted)
      return "has other extended attributes";
    return std::nullopt;
  }

  FdRef parent_;
  const std::string& name_;
  const struct statx& info_;
};

/// A directory that is to be compared.
struct Uncompared {
  RootedPath path;
  Tree::Node node;
};

/// Threads take directories from one list, and put there what they find in them.
class TreeComparison {
public:
  TreeComparison(const Tree& tree, FdRef root) : root_(root) {
    todo_.push_back({RootedPath(), *tree.find(RootedPath())});
  }

  std::optional<std::string> run(std::size_t threads) {
    {
      const auto others = start_threads(std::max<std::size_t>(threads, 1) - 1, [this] { work(); });
      work();
    }
    if (error_)
      std::rethrow_exception(error_);
    if (!difference_)
      return std::nullopt;
    return fmt::format("'{}' {}", printable(difference_->first.str()), difference_->second);
  }

private:
  using Difference = std::pair<RootedPath, std::string>;

  void work() {
    try {
      DirectoryStack stack(root_);
      while (const auto next = take()) {
        std::vector<Uncompared> found;
        auto difference = compare(stack, *next, found);
        put(std::move(found), std::move(difference));
      }
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_)
        error_ = std::current_exception();
      changed_.notify_all();
    }
  }

  bool is_decided() const { return difference_ || error_; }

  /// The directory that was found last, which is nearest to those before it; nothing at the end.
  std::optional<Uncompared> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !todo_.empty() || busy_ == 0 || is_decided(); });
    if (todo_.empty() || is_decided())
      return std::nullopt;
    auto next = std::move(todo_.back());
    todo_.pop_back();
    ++busy_;
    return next;
  }

  void put(std::vector<Uncompared> found, std::optional<Difference> difference) {
    const std::lock_guard lock(mutex_);
    std::move(found.begin(), found.end(), std::back_inserter(todo_));
    if (difference && (!difference_ || difference->first < difference_->first))
      difference_ = std::move(difference);
    --busy_;
    if (busy_ == 0 || !found.empty() || is_decided())
      changed_.notify_all();
  }

  static std::optional<Difference> compare(DirectoryStack& stack, const Uncompared& directory,
                                           std::vector<Uncompared>& below) {
    if (!stack.go_to(directory.path))
      return Difference(directory.path, "has gone");
    const auto names = list_directory(stack.top());
    const auto nodes = directory.node.children();
    auto node = nodes.begin();
    for (const auto& name : names) {
      if (node != nodes.end() && (*node).name() < name)
        return Difference(directory.path.child((*node).name()), "is missing");
      auto path = directory.path.child(name);
      if (node == nodes.end() || (*node).name() != name)
        return Difference(std::move(path), "is not in the image");
      if (auto difference = compare_file(stack.top(), name, *node))
        return Difference(std::move(path), *std::move(difference));
      if ((*node).is_directory())
        below.push_back({std::move(path), *node});
      ++node;
    }
    if (node != nodes.end())
      return Difference(directory.path.child((*node).name()), "is missing");
    return std::nullopt;
  }

  static std::optional<std::string> compare_file(FdRef parent, const std::string& name,
                                                 const Tree::Node& node) {
    const auto info = try_statx(parent, name);
    return info ? FileDifference(parent, name, *info).to(node.meta()) : "has gone";
  }

  FdRef root_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Uncompared> todo_;
  std::size_t busy_ = 0; ///< Threads that may still find directories.
  std::optional<Difference> difference_;
  std::exception_ptr error_;
};

} // namespace

std::optional<std::string> find_difference(const Tree& tree, FdRef directory, std::size_t threads) {
  return TreeComparison(tree, directory).run(threads);
}

} // namespace cairn
