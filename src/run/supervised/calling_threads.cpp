#include "run/supervised/calling_threads.hpp"

#include <algorithm>

namespace cairn {

namespace {

// Some milliseconds of calls: a few turns of threads that share a processor.
constexpr std::size_t window = 1024;
constexpr std::size_t few = 2;

} // namespace

void CallingThreads::note(pid_t thread, int processor) noexcept {
  if (thread != callers_[last_].thread)
    begin_turn(thread);
  auto& caller = callers_[last_];
  if (processor != processor_)
    caller.processor = processor;
  is_here_ = caller.processor == processor;
  processor_ = processor;
  if (++calls_ < window)
    return;
  parallel_ = crossings_ >= few;
  calls_ = crossings_ = 0;
}

/// A process may call before and after each of those that it starts and waits for. But if two
/// threads call by turns, one, other, one, other, neither waits for the other.
void CallingThreads::begin_turn(pid_t thread) noexcept {
  ++turns_;
  auto* caller = std::find_if(callers_.begin(), callers_.end(),
                              [&](const Caller& known) { return known.thread == thread; });
  if (caller == callers_.end()) {
    caller = std::min_element(
        callers_.begin(), callers_.end(),
        [](const Caller& one, const Caller& other) { return one.turn < other.turn; });
    *caller = {thread};
  }
  last_ = static_cast<std::size_t>(caller - callers_.begin());
  crossings_ += static_cast<std::size_t>(
      std::any_of(callers_.begin(), callers_.end(), [&](const Caller& other) {
        return other.previous != 0 && other.previous < caller->turn && caller->turn < other.turn;
      }));
  caller->previous = caller->turn;
  caller->turn = turns_;
}

} // namespace cairn
