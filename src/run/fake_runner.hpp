#pragma once

#include "run/process/runner.hpp"

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace cairn {

/// Runs nothing: answers by a function and remembers what it was asked. For tests.
class FakeRunner final : public Runner {
public:
  using Answer = std::function<Outcome(const CommandRoot&, const Invocation&)>;

  /// Without an answer every command succeeds.
  FakeRunner() = default;
  explicit FakeRunner(Answer answer) : answer_(std::move(answer)) {}

  Outcome run(const CommandRoot& root, const Invocation& invocation) override {
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(invocation);
    }
    return answer_ ? answer_(root, invocation) : Outcome{};
  }

  void forward_signal(int signal) override {
    const std::lock_guard lock(mutex_);
    signals_.push_back(signal);
  }

  /// In the order in which they were started. Call when no command runs.
  const std::vector<Invocation>& seen() const noexcept { return seen_; }
  const std::vector<int>& signals() const noexcept { return signals_; }

private:
  Answer answer_;
  std::mutex mutex_;
  std::vector<Invocation> seen_;
  std::vector<int> signals_;
};

} // namespace cairn
