#pragma once

#include "run/chroot/kernel_view.hpp"
#include "run/supervised/call.hpp"
#include "run/supervised/call_filter.hpp"

#include <optional>
#include <span>

namespace cairn {

/// The calls that change files or the names of files, or ask whether they may.
std::span<const TrappedCall> changing_calls();

/// The error with which one of them ends because it would change what is read-only
/// (KernelView::read_only), move something over the border of that, or make or remove a name
/// outside of the root, where the kernel's own directories lead. Nothing for all others.
std::optional<FailedCall> refuse_change(const KernelView& view, const Call& call);

} // namespace cairn
