#include "run/chroot/guarded_changes.hpp"

#include "run/chroot/call_flags.hpp"
#include "run/chroot/meant.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstdio>

namespace cairn {

namespace {

/// Like that of the file system that the kernel would have mounted: for what is no file of its own
/// it counts for nothing.
bool is_held(mode_t mode) {
  return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);
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
  if (!writes || makes_new(flags) || !is_held(meant->info.st_mode) ||
      S_ISLNK(meant->info.st_mode) || (meant->is_directory() && (flags & unnamed) == 0))
    return std::nullopt;
  // What would be made or emptied is refused first.
  if ((flags & (O_CREAT | O_TRUNC)) == 0 && is_closed_to_thread(*meant))
    return std::nullopt;
  return FailedCall{EROFS};
}

bool is_kept_by_directory(const KernelView& view, const Call& call, const Operand& operand,
                          const Meant& entry) {
  const auto directory = directory_of_name(view, call, operand);
  return directory && holds_fast(*directory, entry);
}

/// A place itself, which is busy, unless the kernel has something else to say of the call.
std::optional<FailedCall> refuse_removal(const KernelView& view, const Call& call,
                                         const Operand& operand, const Meant& place) {
  const bool removes_directory =
      call.number() == SYS_unlinkat && (call.int_argument(2) & AT_REMOVEDIR) != 0;
#ifdef SYS_rmdir
  const bool is_fitting = (removes_directory || call.number() == SYS_rmdir) == place.is_directory();
#else
  const bool is_fitting = removes_directory == place.is_directory();
#endif
  return is_fitting && !is_kept_by_directory(view, call, operand, place)
             ? std::optional(FailedCall{EBUSY})
             : std::nullopt;
}

/// The same.
std::optional<FailedCall> refuse_move_of_place(const KernelView& view, const Call& call,
                                               const Meant& from, const Meant& to) {
  const auto flags = call.number() == SYS_renameat2 ? call.int_argument(4) : 0;
  const bool replaces = to.exists && (flags & RENAME_EXCHANGE) == 0;
  const bool is_impossible = !from.exists || (to.exists && (flags & RENAME_NOREPLACE) != 0) ||
                             (replaces && from.is_directory() != to.is_directory());
  const bool stays = from.place == to.place;
  const auto& operands = *find_changing(call.number());
  return is_impossible || stays || is_kept_by_directory(view, call, operands.first, from) ||
                 is_kept_by_directory(view, call, operands.second, to)
             ? std::nullopt
             : std::optional(FailedCall{EBUSY});
}

std::optional<FailedCall> refuse_move(const KernelView& view, const Call& call, const Meant& from,
                                      const Meant& to) {
  if (from.is_place() || to.is_place())
    return refuse_move_of_place(view, call, from, to);
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
  if (changing.change == Change::asks && !asks_to_write(call, changing.first))
    return std::nullopt;
  const auto first = meant_by(view, call, changing.first);
  if (!first)
    return std::nullopt;
  const auto refused = first->place ? std::optional(FailedCall{EROFS}) : std::nullopt;
  switch (changing.change) {
  case Change::makes:
    return first->exists ? std::nullopt : refused;
  case Change::removes:
    return first->is_place() ? refuse_removal(view, call, changing.first, *first) : refused;
  case Change::asks:
    return is_held(first->info.st_mode) && !is_closed_to_thread(*first) ? refused : std::nullopt;
  case Change::moves:
  case Change::links: {
    const auto second = meant_by(view, call, changing.second);
    if (!second)
      return std::nullopt;
    return changing.change == Change::moves ? refuse_move(view, call, *first, *second)
                                            : refuse_link(*first, *second);
  }
  default:
    if (call.number() == SYS_truncate && is_closed_to_thread(*first))
      return std::nullopt;
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

/// Whether an operand's last name is that of a file that is read-only. Nothing else has to be known
/// of a name in a directory.
bool has_guarded_name(const KernelView& view, const Call& call, const Operand& operand) {
  const auto& path = call.glance_at_path(static_cast<unsigned>(operand.path));
  return view.read_only().have_name(last_name_of(path.text));
}

bool leads_to_guarded(const KernelView& view, const Call& call, const Operand& operand,
                      FinalLink last) {
  const int directory = directory_of(call, operand);
  if (is_descriptor(call, operand))
    return view.leads_to_read_only(call, directory);
  if (has_guarded_name(view, call, operand))
    return true;
  // By another name it can be a link alone that leads there.
  const auto& path = call.glance_at_path(static_cast<unsigned>(operand.path));
  return last == FinalLink::follow && view.leads_to_read_only(call, directory, path.text);
}

/// Whether a call may change one of the files that are read-only; told by a glance, for most do
/// not. No other thread wins much by changing a path behind it: what it can write to is the copy of
/// a secret that this command has, and nobody else ever sees.
bool may_concern_files(const KernelView& view, const Call& call, const ChangingCall& changing) {
  const auto& first = changing.first;
  switch (changing.change) {
  case Change::makes:
    return false; // The file is there, and the kernel says so.
  case Change::removes:
    return has_guarded_name(view, call, first);
  case Change::moves:
    return has_guarded_name(view, call, first) || has_guarded_name(view, call, changing.second);
  case Change::opens: {
    const int flags = open_flags(call, first);
    return wants_to_write(flags) && !makes_new(flags) && (flags & O_PATH) == 0 &&
           leads_to_guarded(view, call, first, last_link_of_open(flags));
  }
  case Change::asks:
    if (!asks_to_write(call, first))
      return false;
    [[fallthrough]];
  default:
    return leads_to_guarded(view, call, first, last_of(call, first));
  }
}

} // namespace

std::vector<TrappedCall> guarded_calls(ChangeGuard guard) {
  std::vector<TrappedCall> calls;
  if (guard == ChangeGuard::none)
    return calls;
  for (const auto& changing : changing_calls()) {
    if (guard == ChangeGuard::all)
      calls.push_back({changing.number});
    else if (changing.change != Change::makes && changing.first.path != no_argument)
      calls.push_back({changing.number, changing.number == SYS_utimensat
                                            ? std::optional(TrappedCall::Pass{1})
                                            : std::nullopt});
  }
  return calls;
}

std::optional<FailedCall> refuse_change(const KernelView& view, const Call& call,
                                        ChangeGuard guard) {
  const auto* const changing = guard == ChangeGuard::none ? nullptr : find_changing(call.number());
  if (changing == nullptr)
    return std::nullopt;
  if (guard == ChangeGuard::files)
    return may_concern_files(view, call, *changing) ? refuse_in_place(view, call, *changing)
                                                    : std::nullopt;
  if (auto refused = refuse_outside(view, call, *changing))
    return refused;
  if (view.read_only().empty())
    return std::nullopt;
  return refuse_in_place(view, call, *changing);
}

} // namespace cairn
