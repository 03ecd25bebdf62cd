#pragma once

#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// A call that a supervised command makes, and what a kernel with all its file systems mounted
/// would say of it.
struct StormyCall {
  long number;
  const char* what;
  long result; ///< As make() tells it.
  std::function<long()>
      make; ///< What the call returned, 0 for a descriptor; or the negative errno.
  /// Whether other threads may do the same at the same time.
  enum class Threads { any, one } threads = Threads::any;
  int rounds = 150;
};

/// At least one for every call of chroot_calls(), with paths that are the kernel's and others. To
/// be made in a root with /tmp/f, its link /tmp/l, and /bin/true.
std::vector<StormyCall> stormy_calls();
/// For those of SleepingRights, of a process whose rights sleep.
std::vector<StormyCall> stormy_calls_of_user();

/// For guarded_calls() of all, in a root whose /ro, with a file f, its link l and a directory d, is
/// read-only; f is open.
std::vector<StormyCall> stormy_calls_of_guarded();
/// For guarded_calls() of files, in a root where /ro/f alone is read-only, and open.
std::vector<StormyCall> stormy_calls_of_file();
constexpr int read_only_descriptor = 200;

/// What a call returned, or the negative errno.
long said_by(long result);

} // namespace cairn
