#pragma once

#include "run/chroot/changing_calls.hpp"
#include "run/chroot/kernel_view.hpp"
#include "run/supervised/call.hpp"
#include "run/supervised/call_filter.hpp"

#include <optional>
#include <vector>

namespace cairn {

/// How closely the calls that change something (changing_calls.hpp) are looked at.
enum class ChangeGuard {
  none,
  /// Where all that is read-only are files, and something else keeps the command in its root: each
  /// gets a glance that tells it from one that concerns them. Those by a descriptor pass: nobody
  /// has one to write by, and mode, owner and times of a command's own copy are nobody else's
  /// business, but whoever unpacks archives makes three of them for each file.
  files,
  all
};

/// Those that are stopped for this.
std::vector<TrappedCall> guarded_calls(ChangeGuard guard);

/// The error with which one of them ends because it would change what is read-only
/// (KernelView::read_only), move something over the border of that, or make or remove a name
/// outside of the root, where the kernel's own directories lead. Nothing for all others.
std::optional<FailedCall> refuse_change(const KernelView& view, const Call& call,
                                        ChangeGuard guard);

} // namespace cairn
