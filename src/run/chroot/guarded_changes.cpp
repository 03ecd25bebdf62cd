#include "run/chroot/guarded_changes.hpp"

#include "run/chroot/call_flags.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>

namespace cairn {

namespace {

constexpr int none = -1;

/// Arguments of a call that name something, by their index.
struct Operand {
  enum class Kind {
    entry, ///< A name in a directory, whether it is there or not.
    file   ///< What is there. Without a path: what a descriptor leads to.
  };
  Kind kind = Kind::file;
  int path = none;
  int directory = none; ///< With what a path is relative to; none: the working directory.
  FinalLink last = FinalLink::follow;
  int flags = none; ///< With flags that say otherwise of a last link, or that no path counts.
};

enum class Change {
  makes,
  removes,
  moves, ///< From the first operand to the second.
  links, ///< The same.
  alters,
  opens, ///< With the flags behind the path.
  asks   ///< With the mode behind the path.
};

struct ChangingCall {
  int number;
  Change change;
  Operand first;
  Operand second = {};
};

constexpr Operand entry(int path, int directory = none) {
  return {Operand::Kind::entry, path, directory};
}

constexpr Operand file(int path, int directory = none, FinalLink last = FinalLink::follow,
                       int flags = none) {
  return {Operand::Kind::file, path, directory, last, flags};
}

constexpr Operand link(int path, int directory = none, int flags = none) {
  return file(path, directory, FinalLink::keep, flags);
}

constexpr Operand descriptor = file(none, 0);

constexpr ChangingCall call_table[] = {
#ifdef SYS_open
    {SYS_open, Change::opens, file(0)},
    {SYS_creat, Change::opens, file(0)},
    {SYS_access, Change::asks, file(0)},
    {SYS_mkdir, Change::makes, entry(0)},
    {SYS_mknod, Change::makes, entry(0)},
    {SYS_symlink, Change::makes, entry(1)},
    {SYS_unlink, Change::removes, entry(0)},
    {SYS_rmdir, Change::removes, entry(0)},
    {SYS_rename, Change::moves, entry(0), entry(1)},
    {SYS_link, Change::links, link(0), entry(1)},
    {SYS_chmod, Change::alters, file(0)},
    {SYS_chown, Change::alters, file(0)},
    {SYS_lchown, Change::alters, link(0)},
    {SYS_utime, Change::alters, file(0)},
    {SYS_utimes, Change::alters, file(0)},
    {SYS_futimesat, Change::alters, file(1, 0)},
#endif
#ifdef SYS_renameat
    {SYS_renameat, Change::moves, entry(1, 0), entry(3, 2)},
#endif
    {SYS_openat, Change::opens, file(1, 0)},
    {SYS_openat2, Change::opens, file(1, 0)},
    {SYS_faccessat, Change::asks, file(1, 0)},
    {SYS_faccessat2, Change::asks, file(1, 0, FinalLink::follow, 3)},
    {SYS_mkdirat, Change::makes, entry(1, 0)},
    {SYS_mknodat, Change::makes, entry(1, 0)},
    {SYS_symlinkat, Change::makes, entry(2, 1)},
    {SYS_unlinkat, Change::removes, entry(1, 0)},
    {SYS_renameat2, Change::moves, entry(1, 0), entry(3, 2)},
    {SYS_linkat, Change::links, link(1, 0, 4), entry(3, 2)},
    {SYS_fchmodat, Change::alters, file(1, 0)},
    {SYS_fchmodat2, Change::alters, file(1, 0, FinalLink::follow, 3)},
    {SYS_fchownat, Change::alters, file(1, 0, FinalLink::follow, 4)},
    {SYS_utimensat, Change::alters, file(1, 0, FinalLink::follow, 3)},
    {SYS_truncate, Change::alters, file(0)},
    {SYS_setxattr, Change::alters, file(0)},
    {SYS_lsetxattr, Change::alters, link(0)},
    {SYS_removexattr, Change::alters, file(0)},
    {SYS_lremovexattr, Change::alters, link(0)},
    {SYS_fchmod, Change::alters, descriptor},
    {SYS_fchown, Change::alters, descriptor},
    {SYS_fsetxattr, Change::alters, descriptor},
    {SYS_fremovexattr, Change::alters, descriptor},
};

constexpr auto trapped_calls = [] {
  std::array<TrappedCall, std::size(call_table)> calls{};
  std::transform(std::begin(call_table), std::end(call_table), calls.begin(),
                 [](const ChangingCall& call) { return TrappedCall{call.number}; });
  return calls;
}();

/// What an operand means at the moment.
struct Meant {
  std::optional<ReadOnlyPlaces::Found> place; ///< In which it lies, or would lie.
  bool exists = false;
  mode_t mode = 0; ///< Of what is there and was named by a path.

  bool is_place() const { return place && place->is_place; }
  std::optional<std::size_t> where() const {
    return place ? std::optional(place->place) : std::nullopt;
  }
};

int flags_of(const Call& call, const Operand& operand) {
  return operand.flags == none ? 0 : call.int_argument(static_cast<unsigned>(operand.flags));
}

int directory_of(const Call& call, const Operand& operand) {
  return operand.directory == none ? AT_FDCWD
                                   : call.int_argument(static_cast<unsigned>(operand.directory));
}

FinalLink last_of(const Call& call, const Operand& operand) {
  const int flags = flags_of(call, operand);
  if ((flags & AT_SYMLINK_FOLLOW) != 0)
    return FinalLink::follow;
  return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? FinalLink::keep : operand.last;
}

mode_t mode_of(FdRef file) {
  struct stat info {};
  return ::fstat(file.get(), &info) == 0 ? info.st_mode : 0;
}

/// Where a path leads, or in what directory it would. Nothing when that is none of the root's.
std::optional<Meant> meant_by(const KernelView& view, const Call& call, int directory,
                              const std::string& path, FinalLink last) {
  const auto found = view.find_inside(call, directory, path, last);
  if (!found)
    return std::nullopt;
  if (found->error == 0)
    return Meant{view.read_only().find(found->file), true, mode_of(found->file)};
  const auto parent = parent_of(path);
  const auto place = view.find_inside(call, directory, parent, FinalLink::follow);
  if (!place || place->error != 0)
    return std::nullopt;
  auto in_directory = view.read_only().find(place->file);
  if (in_directory)
    in_directory->is_place = false;
  return Meant{in_directory};
}

std::optional<Meant> meant_by(const KernelView& view, const Call& call, const Operand& operand) {
  const bool is_descriptor = operand.path == none ||
                             (flags_of(call, operand) & AT_EMPTY_PATH) != 0 ||
                             (call.number() == SYS_utimensat && call.argument(1) == 0);
  if (is_descriptor) {
    const auto path = view.path_of_descriptor(call, directory_of(call, operand));
    return Meant{view.read_only().find(path), true};
  }
  const auto path = call.path(static_cast<unsigned>(operand.path));
  if (path.error != 0)
    return std::nullopt;
  if (operand.kind == Operand::Kind::file)
    return meant_by(view, call, directory_of(call, operand), path.text, last_of(call, operand));
  const auto parent = parent_of(path.text);
  if (parent.empty())
    return std::nullopt;
  return meant_by(view, call, directory_of(call, operand),
                  fmt::format("{}/{}", parent, last_name_of(path.text)), FinalLink::keep);
}

/// Like that of the file system that the kernel would have mounted: for what is no file of its own
/// it counts for nothing.
bool is_held(mode_t mode) {
  return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);
}

/// The flags of open(2), or those that stand for another call's.
int open_flags(const Call& call, const Operand& operand) {
#ifdef SYS_creat
  if (call.number() == SYS_creat)
    return O_CREAT | O_WRONLY | O_TRUNC;
#endif
  const auto behind = static_cast<unsigned>(operand.path) + 1;
  if (call.number() != SYS_openat2)
    return call.int_argument(behind);
  const auto how = how_of(call);
  return how ? static_cast<int>(how->flags) : 0;
}

std::optional<FailedCall> refuse_open(const KernelView& view, const Call& call,
                                      const Operand& operand) {
  constexpr int unnamed = O_TMPFILE & ~O_DIRECTORY;
  const int flags = open_flags(call, operand);
  const bool writes = wants_to_write(flags);
  if ((flags & O_PATH) != 0 || (!writes && (flags & O_CREAT) == 0))
    return std::nullopt;
  auto kept = operand;
  kept.last = last_link_of_open(flags);
  const auto meant = meant_by(view, call, kept);
  if (!meant || !meant->place)
    return std::nullopt;
  if (!meant->exists)
    return (flags & O_CREAT) != 0 ? std::optional(FailedCall{EROFS}) : std::nullopt;
  if (!writes || makes_new(flags) || !is_held(meant->mode) || S_ISLNK(meant->mode) ||
      (S_ISDIR(meant->mode) && (flags & unnamed) == 0))
    return std::nullopt;
  return FailedCall{EROFS};
}

std::optional<FailedCall> refuse_move(const Meant& from, const Meant& to) {
  if (from.is_place() || to.is_place())
    return FailedCall{EBUSY};
  if (from.where() != to.where())
    return FailedCall{EXDEV};
  return from.place ? std::optional(FailedCall{EROFS}) : std::nullopt;
}

std::optional<FailedCall> refuse_link(const Meant& from, const Meant& to) {
  if (!from.exists || to.exists)
    return std::nullopt;
  if (from.where() != to.where())
    return FailedCall{EXDEV};
  return from.place ? std::optional(FailedCall{EROFS}) : std::nullopt;
}

/// What `changing` does to what is read-only.
std::optional<FailedCall> refuse_in_place(const KernelView& view, const Call& call,
                                          const ChangingCall& changing) {
  if (changing.change == Change::opens)
    return refuse_open(view, call, changing.first);
  if (changing.change == Change::asks &&
      (call.int_argument(static_cast<unsigned>(changing.first.path) + 1) & W_OK) == 0)
    return std::nullopt;
  const auto first = meant_by(view, call, changing.first);
  if (!first)
    return std::nullopt;
  const auto refused = first->place ? std::optional(FailedCall{EROFS}) : std::nullopt;
  switch (changing.change) {
  case Change::makes:
    return first->exists ? std::nullopt : refused;
  case Change::removes:
    return first->is_place() ? FailedCall{EBUSY} : refused;
  case Change::asks:
    return is_held(first->mode) ? refused : std::nullopt;
  case Change::moves:
  case Change::links: {
    const auto second = meant_by(view, call, changing.second);
    if (!second)
      return std::nullopt;
    return changing.change == Change::moves ? refuse_move(*first, *second)
                                            : refuse_link(*first, *second);
  }
  default:
    return first->exists ? refused : std::nullopt;
  }
}

/// A name that the kernel's own directories lead to.
std::optional<FailedCall> refuse_outside(const KernelView& view, const Call& call,
                                         const ChangingCall& changing) {
  for (const auto& operand : {changing.first, changing.second}) {
    if (operand.kind != Operand::Kind::entry)
      continue;
    const auto found = view.find(call, directory_of(call, operand),
                                 static_cast<unsigned>(operand.path), FinalLink::keep);
    if (!found)
      continue;
    if (found->error == 0 && changing.change == Change::makes)
      return FailedCall{EEXIST};
    return FailedCall{found->error != 0 && found->error != ENOENT ? found->error : EACCES};
  }
  return std::nullopt;
}

} // namespace

std::span<const TrappedCall> changing_calls() {
  return trapped_calls;
}

std::optional<FailedCall> refuse_change(const KernelView& view, const Call& call) {
  const auto* const changing =
      std::find_if(std::begin(call_table), std::end(call_table),
                   [&](const ChangingCall& each) { return each.number == call.number(); });
  if (changing == std::end(call_table))
    return std::nullopt;
  if (auto refused = refuse_outside(view, call, *changing))
    return refused;
  if (view.read_only().empty())
    return std::nullopt;
  return refuse_in_place(view, call, *changing);
}

} // namespace cairn
