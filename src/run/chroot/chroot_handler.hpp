#pragma once

#include "run/chroot/chroot_calls.hpp"
#include "run/chroot/guarded_changes.hpp"
#include "run/chroot/sleeping_rights.hpp"

#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Answers for /proc, /sys and /dev of a command that was changed into a root of its own, and lets
/// the kernel answer for everything else.
class ChrootHandler final : public CallHandler {
public:
  /// Whether the command has rights that sleep.
  enum class Rights { plain, asleep };

  /// `changes` are looked at where there is something read-only, or nothing else keeps the command
  /// in its root.
  ChrootHandler(KernelView view, Rights rights, ChangeGuard changes);

  /// The filter of the command's process.
  std::vector<sock_filter> filter() const;

  CallAnswer answer(const Call& call) override;

private:
  using Answer = CallAnswer (*)(const KernelView& view, const Call& call);

  KernelView view_;
  std::optional<SleepingRights> rights_;
  ChangeGuard changes_;
  std::vector<Answer> answers_; ///< By the number of the call.
};

} // namespace cairn
