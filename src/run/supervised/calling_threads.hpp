#pragma once

#include <sys/types.h>

#include <array>
#include <cstddef>

namespace cairn {

/// Tells from the calls that come whether several threads work side by side, like compilers of
/// make -j, or one after the other.
class CallingThreads {
public:
  /// To be told of each call.
  void note(pid_t thread) noexcept;

  bool are_parallel() const noexcept { return parallel_; }

private:
  /// Calls come in turns: of one thread until another one calls. They are numbered from 1.
  struct Caller {
    pid_t thread = 0;
    std::size_t turn = 0;     ///< Its last one; 0 for none.
    std::size_t previous = 0; ///< The one before that.
  };

  void begin_turn(pid_t thread) noexcept;

  std::array<Caller, 8> callers_{};
  pid_t last_ = 0; ///< Who called last.
  std::size_t turns_ = 0;
  std::size_t calls_ = 0;     ///< In this window.
  std::size_t crossings_ = 0; ///< In this window: see begin_turn().
  bool parallel_ = false;
};

} // namespace cairn
