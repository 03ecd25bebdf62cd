#pragma once

#include "run/supervised/chroot_calls.hpp"
#include "run/supervised/sleeping_rights.hpp"

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

  /// See KernelView. @throws SysError
  ChrootHandler(KernelView view, Rights rights);

  /// The filter of the command's process.
  std::vector<sock_filter> filter() const;

  CallAnswer answer(const Call& call) override;

private:
  using Answer = CallAnswer (*)(const KernelView& view, const Call& call);

  KernelView view_;
  std::optional<SleepingRights> rights_;
  std::vector<Answer> answers_; ///< By the number of the call.
};

} // namespace cairn
