#pragma once

#include "run/supervised/chroot_calls.hpp"

#include <vector>

namespace cairn {

/// Answers for /proc, /sys and /dev of a command that was changed into a root of its own, and lets
/// the kernel answer for everything else.
class ChrootHandler final : public CallHandler {
public:
  /// See KernelView. @throws SysError
  ChrootHandler(std::string root, std::vector<std::string> devices);

  /// The filter of the command's process.
  static std::vector<sock_filter> filter();

  CallAnswer answer(const Call& call) override;

private:
  using Answer = CallAnswer (*)(const KernelView& view, const Call& call);

  KernelView view_;
  std::vector<Answer> answers_; ///< By the number of the call.
};

} // namespace cairn
