#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>

namespace cairn {

/// Tells from the calls that come whether several threads work side by side, like compilers of
/// make -j, or one after the other; and where.
class CallingThreads {
public:
  /// To be told of each call, and on which processor it was received.
  void note(pid_t thread, int processor) noexcept;

  bool are_parallel() const noexcept { return parallel_; }

  /// Whether the thread that called last is known to be on the processor on which its call was
  /// received. A supervisor that waits is woken where the caller is, so whoever has moved it is
  /// there; but calls that came while it was at work are received where it is.
  bool is_here() const noexcept { return is_here_; }

private:
  /// Calls come in turns: of one thread until another one calls. They are numbered from 1.
  struct Caller {
    pid_t thread = 0;
    std::size_t turn = 0;     ///< Its last one; 0 for none.
    std::size_t previous = 0; ///< The one before that.
    int processor = -1;       ///< Where it was when that was known for the last time.
  };

  void begin_turn(pid_t thread) noexcept;

  std::array<Caller, 8> callers_{};
  std::size_t last_ = 0; ///< Of callers_, who called last.
  int processor_ = -1;   ///< Where the last call was received.
  bool is_here_ = false;
  std::size_t turns_ = 0;
  std::size_t calls_ = 0;     ///< In this window.
  std::size_t crossings_ = 0; ///< In this window: see begin_turn().
  bool parallel_ = false;
};

} // namespace cairn
