#pragma once

#include "run/process/child_process.hpp"
#include "run/process/runner.hpp"

namespace cairn {

/// Runs commands in the container's own "/": InPlaceRoot. One at a time.
class InPlaceRunner final : public Runner {
public:
  explicit InPlaceRunner(RunnerOptions options) : options_(std::move(options)) {}

  Outcome run(const CommandRoot& root, const Invocation& invocation) override;
  void forward_signal(int signal) override { running_.signal(signal); }

private:
  RunnerOptions options_;
  RunningCommands running_;
};

} // namespace cairn
