#pragma once

#include "builder/execute/schedule.hpp"

#include <cstddef>
#include <functional>

namespace cairn {

/// What run_schedule() calls, from any of its threads.
struct ScheduleWork {
  std::function<void(std::size_t stage)> build;
  /// Makes what is under way end early, after the first failure. Must not throw.
  std::function<void()> interrupt;
};

/// Builds the stages that are needed, each once and when those it depends on are there, up to
/// `limit` at the same time, one of them in this thread. After the first failure none begins, and
/// when all that were begun have ended it is rethrown here.
void run_schedule(const Schedule& schedule, std::size_t limit, const ScheduleWork& work);

} // namespace cairn
