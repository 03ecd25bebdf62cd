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
  using OnSignal = std::function<void(int)>;

  /// Without an answer every command succeeds.
  FakeRunner() = default;
  /// `on_signal` is told of each signal, for an answer that waits for one.
  explicit FakeRunner(Answer answer, OnSignal on_signal = {})
      : answer_(std::move(answer)), on_signal_(std::move(on_signal)) {}

  Outcome run(const CommandRoot& root, const Invocation& invocation) override {
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back(invocation);
    }
    return answer_ ? answer_(root, invocation) : Outcome{};
  }

  void forward_signal(int signal) override {
    {
      const std::lock_guard lock(mutex_);
      signals_.push_back(signal);
    }
    if (on_signal_)
      on_signal_(signal);
  }

  /// In the order in which they were started. Call when no command runs.
  const std::vector<Invocation>& seen() const noexcept { return seen_; }
  const std::vector<int>& signals() const noexcept { return signals_; }

private:
  Answer answer_;
  OnSignal on_signal_;
  std::mutex mutex_;
  std::vector<Invocation> seen_;
  std::vector<int> signals_;
};

} // namespace cairn
