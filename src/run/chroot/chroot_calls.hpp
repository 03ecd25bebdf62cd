#pragma once

#include "run/chroot/call_flags.hpp"
#include "run/chroot/kernel_view.hpp"
#include "run/supervised/call.hpp"
#include "run/supervised/call_filter.hpp"

#include <optional>
#include <span>
#include <vector>

namespace cairn {

/// A call of a command in a root of its own, and who answers it.
struct ChrootCall {
  TrappedCall call;
  CallAnswer (*answer)(const KernelView& view, const Call& call);
};

/// The calls that may lead to /proc, /sys or /dev, by family.
std::span<const ChrootCall> open_calls();
std::span<const ChrootCall> stat_calls();
std::span<const ChrootCall> look_calls();      ///< access, readlink, statfs and their kin.
std::span<const ChrootCall> attribute_calls(); ///< That ask for extended attributes.
std::span<const ChrootCall> inode_calls();     ///< chmod, chown, utimes and their kin.
std::span<const ChrootCall> link_calls();
std::span<const ChrootCall> directory_calls();
std::span<const ChrootCall> exec_calls();
std::span<const ChrootCall> name_calls(); ///< What the machine is called.
std::span<const ChrootCall> signal_calls();
/// Those that change ids, after which a process is as readable as before, and that tell them.
std::span<const ChrootCall> identity_calls();

/// All of them.
std::vector<ChrootCall> chroot_calls();

/// An execve(2) of a thread that has assumed ids for a while, which are the kernel's own from then
/// on. Nothing for other threads.
std::optional<ReplayedCall> with_assumed_ids(const Call& call, const ThreadStatus& status);

/// Writes what a call gives at the address that an argument holds; the call returns 0.
CallAnswer write_answer(const Call& call, unsigned argument, std::span<const char> bytes);
template<class Info>
CallAnswer write_answer(const Call& call, unsigned argument, const Info* info) {
  return write_answer(call, argument, {reinterpret_cast<const char*>(info), sizeof *info});
}

/// Whether the calling thread may use a file so (access(2)), by its rights at the moment; errno
/// says why not.
bool may_access(FdRef file, int mode) noexcept;

/// Why what is read-only is not written to. That the thread may not anyway is said first.
int refusal_to_write(const KernelView::Found& found);

/// Opens what an O_PATH descriptor means. Does not wait for the other end of a FIFO.
/// An errno is in the answer.
CallAnswer hand_over(const KernelView::Found& found, int flags);
/// The same, for the executor's own use; empty with errno set when it cannot be opened.
Fd reopen(FdRef file, int flags);
Fd reopen(const KernelView::Found& found, int flags);

} // namespace cairn
