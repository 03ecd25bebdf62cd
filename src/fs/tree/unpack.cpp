#include "fs/tree/unpack.hpp"

#include "fs/archive/metadata.hpp"
#include "fs/archive/whiteout.hpp"
#include "fs/tree/unpack_target.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

namespace cairn {

namespace {

using Missing = UnpackTarget::Missing;
using Arrival = UnpackTarget::Arrival;
using Remove = UnpackTarget::Remove;

void write_at(FdRef file, std::span<const std::byte> bytes, std::uint64_t offset) {
  while (!bytes.empty()) {
    const auto count = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      throw SysError(errno, "write");
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
}

/// Blocks of a sparse file may leave holes, the last of them at its end.
void write_content(FdRef file, std::uint64_t size, TarReader& reader) {
  std::uint64_t end = 0;
  while (const auto block = reader.read_block()) {
    write_at(file, block->bytes, block->offset);
    end = block->offset + block->bytes.size();
  }
  if (end < size && ::ftruncate(file.get(), static_cast<off_t>(size)) != 0)
    throw SysError(errno, "write");
}

void write_content(FdRef file, std::uint64_t size, Source* content) {
  if (content == nullptr)
    return;
  // One byte more than there should be, to see the end.
  std::vector<std::byte> buffer(std::min<std::uint64_t>(size + 1, stream_block));
  std::uint64_t written = 0;
  while (const auto count = content->read(buffer)) {
    write_all(file, std::span(buffer).first(count));
    written += count;
  }
  if (written != size)
    throw Error("its content has {} bytes instead of {}", written, size);
}

mode_t node_type(FileType type) {
  switch (type) {
  case FileType::char_device:
    return S_IFCHR;
  case FileType::block_device:
    return S_IFBLK;
  default:
    return S_IFIFO;
  }
}

bool is_whiteout(const struct statx& info) {
  return S_ISCHR(info.stx_mode) && info.stx_rdev_major == 0 && info.stx_rdev_minor == 0;
}

bool is_device(FileType type) {
  return type == FileType::char_device || type == FileType::block_device;
}

} // namespace

struct Unpacker::State {
  State(FdRef root, Options chosen) : options(std::move(chosen)), target(root, options) {}

  Options options;
  UnpackTarget target;
  bool lacks_below = false; ///< Something could not be done without it.
  RootedPath blocked_at;
  std::set<RootedPath> left_out;

  using WriteContent = std::function<void(FdRef)>;

  void add(const LayerEntry& entry, const WriteContent& content);
  /// False when something protected was in the way, at `blocked_at`.
  bool write(const LayerEntry& entry, const WriteContent& content);
  void add_whiteout(const RootedPath& path, const Whiteout& whiteout);
  void write_whiteout(const RootedPath& path, const Whiteout& whiteout);
  void hide(const std::string& name);
  bool blocked(const RootedPath& place) {
    blocked_at = place;
    return false;
  }
  // These return as write() does.
  bool add_link(const LayerEntry& entry, const std::string& name);
  bool copy_from_below(const RootedPath& path, const std::string& name);
  bool place(const Metadata& meta, const std::string& name, const WriteContent& content);
  bool place_file(const Metadata& meta, const std::string& name, const WriteContent& content);
  bool place_node(const Metadata& meta, const std::string& name);
  void leave_out(const std::string& name);

  /// Runs `make`, which returns as system calls do; what is in its way is removed first. False, as
  /// write(), when that must stay.
  template<class Make>
  bool create(const std::string& name, Make&& make) {
    if (make() >= 0)
      return true;
    if (errno != EEXIST)
      return throw_cannot_create();
    if (!target.remove(name, Remove::all))
      return blocked(target.path().child(name));
    return make() >= 0 || throw_cannot_create();
  }

  static bool throw_cannot_create() { throw SysError(errno, "create"); }
};

void Unpacker::State::add(const LayerEntry& entry, const WriteContent& content) {
  if (entry.path.is_root()) {
    if (entry.meta.type != FileType::directory || entry.hard_link)
      throw Error("the root is no directory");
    target.set_root(entry.meta);
    return;
  }
  if (const auto whiteout = parse_whiteout(entry.path))
    return add_whiteout(entry.path, *whiteout);
  if (!write(entry, content) && options.on_blocked)
    options.on_blocked(entry, blocked_at);
}

bool Unpacker::State::write(const LayerEntry& entry, const WriteContent& content) {
  if (target.go_to(entry.path.parent(), Missing::create) != Arrival::arrived)
    return blocked(target.protected_place().child(entry.path.name()));
  const std::string name(entry.path.name());
  if (target.is_protected(name))
    return blocked(target.path().child(name));
  if (entry.hard_link)
    return add_link(entry, name);
  return place(entry.meta, name, content);
}

bool Unpacker::State::place(const Metadata& meta, const std::string& name,
                            const WriteContent& content) {
  switch (meta.type) {
  case FileType::directory:
    if (!target.make_directory(name, meta))
      return blocked(target.path().child(name));
    target.note(name);
    return true;
  case FileType::regular:
    return place_file(meta, name, content);
  default:
    return place_node(meta, name);
  }
}

bool Unpacker::State::place_file(const Metadata& meta, const std::string& name,
                                 const WriteContent& content) {
  constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  Fd file;
  const auto open = [&] {
    file = Fd(::openat(target.here().get(), name.c_str(), flags, 0600));
    return file.get();
  };
  if (!create(name, open))
    return false;
  target.note(name);
  if (meta.size != 0)
    content(file);
  set_metadata(file, meta);
  set_time(file, meta.mtime);
  return true;
}

/// Symbolic links, devices and fifos, which have no descriptor to work on.
bool Unpacker::State::place_node(const Metadata& meta, const std::string& name) {
  bool is_refused = false;
  const auto make = [&] {
    const int parent = target.here().get();
    if (meta.type == FileType::symlink)
      return ::symlinkat(meta.link_target.c_str(), parent, name.c_str());
    const int result = ::mknodat(parent, name.c_str(), node_type(meta.type) | 0600U,
                                 ::makedev(meta.device_major, meta.device_minor));
    // Device nodes take CAP_MKNOD outside of any user namespace.
    is_refused = result != 0 && errno == EPERM && is_device(meta.type);
    return is_refused ? 0 : result;
  };
  if (!create(name, make))
    return false;
  if (is_refused) {
    leave_out(name);
    return true;
  }
  target.note(name);
  const int parent = target.here().get();
  if (::fchownat(parent, name.c_str(), meta.uid, meta.gid, AT_SYMLINK_NOFOLLOW) != 0)
    throw SysError(errno, "set owner {}:{}", meta.uid, meta.gid);
  // What was just made is no link, so that this follows none.
  if (meta.type != FileType::symlink && ::fchmodat(parent, name.c_str(), meta.mode, 0) != 0)
    throw SysError(errno, "set mode {:o}", meta.mode);
  set_time(target.here(), name, meta.mtime);
  return true;
}

/// Has nothing under this name: what the layers below have of it does not show.
void Unpacker::State::leave_out(const std::string& name) {
  left_out.insert(target.path().child(name));
  if (options.whiteouts == Whiteouts::overlay)
    hide(name);
}

bool Unpacker::State::add_link(const LayerEntry& entry, const std::string& name) {
  const auto& to = *entry.hard_link;
  const std::string to_name(to.name());
  Fd to_parent;
  RootedPath to_path = to;
  const auto arrival = target.go_to(to.parent(), Missing::stop);
  const bool arrived = arrival == Arrival::arrived && !to.is_root();
  if (arrival == Arrival::is_protected || (arrived && target.is_protected(to_name)))
    throw Error("hard link to '{}', which is protected", to.str());
  if (arrived) {
    to_parent = open_at(target.here(), ".", O_PATH | O_DIRECTORY);
    to_path = target.path().child(to_name);
  }
  if (target.go_to(entry.path.parent(), Missing::create) != Arrival::arrived)
    return blocked(target.protected_place().child(name));
  if (to_path == target.path().child(name))
    throw Error("hard link to itself");
  const auto link = [&] {
    return ::linkat(to_parent.get(), to_name.c_str(), target.here().get(), name.c_str(), 0);
  };
  const auto found = to_parent ? try_statx(to_parent, to_name) : std::nullopt;
  if (!found || is_whiteout(*found)) {
    if (!left_out.contains(to_path))
      return copy_from_below(to, name);
    if (!target.remove(name, Remove::all))
      return blocked(target.path().child(name));
    leave_out(name);
    return true;
  }
  if (S_ISDIR(found->stx_mode))
    throw Error("hard link to the directory '{}'", to.str());
  if (!create(name, link))
    return false;
  target.note(name);
  return true;
}

bool Unpacker::State::copy_from_below(const RootedPath& path, const std::string& name) {
  const bool overlay = options.whiteouts == Whiteouts::overlay;
  if (overlay && options.below == nullptr) {
    lacks_below = true;
    return true;
  }
  const auto node = overlay ? options.below->lookup(path, Tree::Last::keep) : std::nullopt;
  if (!node || node->is_directory())
    throw Error("hard link to '{}', which does not exist", path.str());
  return place(node->meta(), name, [&](FdRef file) {
    if (!options.open_below)
      throw Error("hard link to '{}', which is in a layer below", path.str());
    FileSink to(file);
    copy(*options.open_below(*node), to);
  });
}

void Unpacker::State::add_whiteout(const RootedPath& path, const Whiteout& whiteout) {
  if (whiteout.kind == Whiteout::Kind::none)
    return;
  if (options.whiteouts == Whiteouts::overlay)
    return write_whiteout(path, whiteout);
  if (target.go_to(path.parent(), Missing::stop) != Arrival::arrived)
    return;
  if (whiteout.kind == Whiteout::Kind::opaque)
    target.remove_children(Remove::lower);
  else
    target.remove(std::string(whiteout.name), Remove::lower);
}

void Unpacker::State::write_whiteout(const RootedPath& path, const Whiteout& whiteout) {
  if (target.go_to(path.parent(), Missing::create) != Arrival::arrived)
    return;
  if (whiteout.kind == Whiteout::Kind::remove)
    return hide(std::string(whiteout.name));
  if (!target.path().is_root())
    return target.make_opaque();
  // A mount does not look at its layers' own roots.
  if (options.below == nullptr) {
    lacks_below = true;
    return;
  }
  for (const auto node : options.below->find(RootedPath())->children())
    hide(std::string(node.name()));
}

/// Hides what the layers below have of that name. What this layer has stays.
void Unpacker::State::hide(const std::string& name) {
  const bool nothing_to_hide = options.below != nullptr && !target.below(name);
  if (nothing_to_hide || target.is_protected(name))
    return;
  const auto there = try_statx(target.here(), name);
  if (there && S_ISDIR(there->stx_mode))
    target.cut_off(name);
  if (!there && ::mknodat(target.here().get(), name.c_str(), S_IFCHR, ::makedev(0, 0)) != 0)
    throw SysError(errno, "create whiteout");
}

Unpacker::Unpacker(FdRef root, Options options)
    : state_(std::make_unique<State>(root, std::move(options))) {}

Unpacker::~Unpacker() = default;

void Unpacker::add(const LayerEntry& entry, TarReader& reader) {
  within(
      [&] {
        state_->add(entry, [&](FdRef file) { write_content(file, entry.meta.size, reader); });
      },
      "unpack '{}'", entry.path.str());
}

void Unpacker::add(const LayerEntry& entry, Source* content) {
  within(
      [&] {
        state_->add(entry, [&](FdRef file) { write_content(file, entry.meta.size, content); });
      },
      "unpack '{}'", entry.path.str());
}

void Unpacker::add(const LayerEntry& entry, EntryContent& content) {
  if (auto* tar = content.tar())
    return add(entry, *tar);
  const auto file = entry.has_content() ? content.open() : nullptr;
  add(entry, file.get());
}

bool Unpacker::fits(const Tree& below) const {
  return !state_->lacks_below && state_->target.fits(below);
}

bool Unpacker::is_whole() const {
  return state_->left_out.empty();
}

void Unpacker::finish() {
  within([&] { state_->target.set_directory_times(); }, "unpack directories");
}

} // namespace cairn
