#pragma once

#include "run/supervised/call_listener.hpp"
#include "run/supervised/remote_memory.hpp"
#include "util/fd.hpp"

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace cairn {

/// A system call of a thread that waits for its answer.
class Call {
public:
  Call(const CallListener& listener, const seccomp_notif& notification)
      : listener_(listener), notification_(notification) {}

  std::uint64_t id() const noexcept { return notification_.id; }
  int number() const noexcept { return notification_.data.nr; }
  pid_t thread() const noexcept { return static_cast<pid_t>(notification_.pid); }
  std::uint64_t argument(unsigned index) const noexcept { return notification_.data.args[index]; }
  /// An argument that is a C int: the upper half of the register means nothing.
  int int_argument(unsigned index) const noexcept { return static_cast<int>(argument(index)); }

  /// The path at the address that an argument holds. ESRCH when the thread has gone.
  RemoteText path(unsigned index) const;
  /// The same, but of a thread that has gone it may be another one's: enough to pass a call. Read
  /// once: whoever looks again is told the same.
  const RemoteText& glance_at_path(unsigned index) const;
  /// Whether its thread still waits: then it waited all the time.
  bool is_waiting() const noexcept { return listener_.is_waiting(id()); }
  /// Exactly these bytes. 0 or an errno.
  int read(std::uint64_t address, std::span<char> buffer) const;
  int write(std::uint64_t address, std::span<const char> bytes) const;

private:
  int try_to_read(std::uint64_t address, std::span<char> buffer) const;
  int try_to_write(std::uint64_t address, std::span<const char> bytes) const;

  const CallListener& listener_;
  const seccomp_notif& notification_;
  mutable std::array<std::optional<RemoteText>, 6> paths_;
};

/// The kernel carries it out as if nobody had looked.
struct PassedCall {};

struct ReturnedValue {
  std::int64_t value = 0;
};

struct FailedCall {
  int error = 0; ///< An errno.
};

/// The call returns a descriptor for this file.
struct HandedFile {
  Fd file;
  bool close_on_exec = true;
};

/// Calls that the thread makes in place of its own, because no answer can change arguments. It is
/// stopped (ptrace(2)) meanwhile, and signals wait.
struct ReplayedCall {
  struct Step {
    /// An argument that is the address of a byte of `text`.
    struct TextArgument {
      unsigned argument = 0;
      std::size_t offset = 0;
    };
    long number = 0;
    std::array<std::uint64_t, 6> arguments{};
    std::vector<TextArgument> texts = {};
  };

  std::vector<Step> steps;
  std::string text = {}; ///< Written below the thread's stack.
  /// Given to the thread beforehand: its number there is argument 0 of every step.
  Fd file = {};
  /// What happens where the thread cannot be stopped.
  enum class Otherwise { pass, fail } otherwise = Otherwise::fail;
  /// What this step returns is the thread's answer. If one up to it fails none of those behind it
  /// follow, but `undo` does, and the failure is the answer.
  std::size_t answer = 0;
  std::vector<Step> undo = {};
};

/// The call as the thread made it, as a step of a replay.
ReplayedCall::Step own_step(const Call& call);
/// The kernel hides the memory of whoever changes ids, which may be its parent's as well (vfork),
/// until it says that it has nothing to hide.
ReplayedCall::Step show_process();

using CallAnswer = std::variant<PassedCall, ReturnedValue, FailedCall, HandedFile, ReplayedCall>;

/// Knows the answers. Asked by one thread at a time, which must not wait long: all threads of a
/// command wait with it.
class CallHandler {
public:
  virtual ~CallHandler() = default;
  virtual CallAnswer answer(const Call& call) = 0;
};

} // namespace cairn
