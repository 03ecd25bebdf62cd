#include "builder/execute/run_schedule.hpp"

#include "util/threads.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <vector>

namespace cairn {

namespace {

class ScheduleRun {
public:
  ScheduleRun(const Schedule& schedule, const ScheduleWork& work)
      : schedule_(schedule), work_(work), states_(schedule.stages.size(), State::waiting) {}

  void run(std::size_t limit) {
    const auto threads = std::max<std::size_t>(std::min(limit, states_.size()), 1);
    {
      const auto others = start_threads(threads - 1, [this] { work(); });
      work();
    }
    if (error_)
      std::rethrow_exception(error_);
  }

private:
  enum class State { waiting, begun, built };

  /// Builds stages until none is left or one has failed.
  void work() {
    while (const auto index = next()) {
      try {
        work_.build(*index);
        const std::lock_guard lock(mutex_);
        states_[*index] = State::built;
      } catch (...) {
        fail(std::current_exception());
      }
      changed_.notify_all();
    }
  }

  /// A stage whose dependencies are built, waiting for one if need be; nothing when all are begun.
  std::optional<std::size_t> next() {
    std::unique_lock lock(mutex_);
    for (;;) {
      bool waiting = false;
      for (std::size_t i = 0; i < states_.size() && !error_; ++i) {
        if (states_[i] != State::waiting || !schedule_.stages[i].needed)
          continue;
        const auto& needs = schedule_.stages[i].dependencies;
        if (std::all_of(needs.begin(), needs.end(),
                        [&](std::size_t n) { return states_[n] == State::built; })) {
          states_[i] = State::begun;
          return i;
        }
        waiting = true;
      }
      if (!waiting)
        return std::nullopt;
      changed_.wait(lock);
    }
  }

  void fail(std::exception_ptr error) {
    {
      const std::lock_guard lock(mutex_);
      if (error_)
        return;
      error_ = std::move(error);
    }
    work_.interrupt();
  }

  const Schedule& schedule_;
  const ScheduleWork& work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<State> states_;
  std::exception_ptr error_;
};

} // namespace

void run_schedule(const Schedule& schedule, std::size_t limit, const ScheduleWork& work) {
  ScheduleRun(schedule, work).run(limit);
}

} // namespace cairn
