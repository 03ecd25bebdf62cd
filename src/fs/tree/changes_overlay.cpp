#include "fs/archive/metadata.hpp"
#include "fs/tree/change_list.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>

namespace cairn {

namespace {

/// Reads an upper directory (Documentation/filesystems/overlayfs.rst, whiteouts and opaque
/// directories).
class UpperReader {
public:
  UpperReader(FdRef upper, const Tree& before, const PathFilter& ignored, ChangeList& list)
      : before_(before), ignored_(ignored), list_(list), stack_(upper) {}

  void read() { read_directory(RootedPath(), Below::visible); }

private:
  enum class Below { visible, hidden };

  void read_directory(const RootedPath& directory, Below below) {
    const auto names = list_directory(stack_.top());
    for (const auto& name : names) {
      const auto path = directory.child(name);
      if (!is_ignored(path))
        read_entry(path, name, below);
    }
    if (below == Below::visible)
      return;
    const auto node = before_.find(directory);
    if (!node)
      return;
    for (const auto child : node->children()) {
      const auto path = directory.child(child.name());
      if (!std::binary_search(names.begin(), names.end(), child.name()) && !is_ignored(path))
        list_.gone(path);
    }
  }

  void read_entry(const RootedPath& path, const std::string& name, Below below) {
    const auto info = try_statx(stack_.top(), name);
    if (!info || is_whiteout(*info) || S_ISSOCK(info->stx_mode))
      return list_.gone(path);
    list_.touched(path);
    if (!S_ISDIR(info->stx_mode))
      return;
    const auto outer = stack_.depth();
    if (stack_.enter(name) != DirectoryStack::Enter::entered)
      throw Error("read overlay: directory '{}' has gone", path.str());
    read_directory(path, is_opaque(stack_.top()) ? Below::hidden : below);
    stack_.leave_to(outer);
  }

  static bool is_whiteout(const struct statx& info) {
    return S_ISCHR(info.stx_mode) && info.stx_rdev_major == 0 && info.stx_rdev_minor == 0;
  }

  static bool is_opaque(FdRef directory) {
    const auto fd = open_at(directory, ".", O_RDONLY | O_DIRECTORY);
    for (const char* name : {"user.overlay.opaque", "trusted.overlay.opaque"}) {
      char value = 0;
      if (::fgetxattr(fd.get(), name, &value, 1) == 1 && value == 'y')
        return true;
    }
    return false;
  }

  bool is_ignored(const RootedPath& path) const { return ignored_ && ignored_(path); }

  const Tree& before_;
  const PathFilter& ignored_;
  ChangeList& list_;
  DirectoryStack stack_;
};

} // namespace

ChangeSet changes_of_overlay(FdRef upper, const Tree& before, const PathFilter& ignored,
                             const ContentCheck& same_content) {
  ChangeList list(upper, before, same_content);
  UpperReader(upper, before, ignored, list).read();
  return list.finish();
}

} // namespace cairn
