#pragma once

#include "run/process/child_process.hpp"
#include "run/process/runner.hpp"

namespace cairn {

/// Runs commands in a DirectoryRoot without any namespace: they change their root, and what cannot
/// be mounted there, /proc, /sys and /dev, a supervisor of their system calls shows them. Several
/// at the same time.
class SupervisedRunner final : public Runner {
public:
  explicit SupervisedRunner(RunnerOptions options) : options_(std::move(options)) {}

  Outcome run(const CommandRoot& root, const Invocation& invocation) override;
  void forward_signal(int signal) override { running_.signal(signal); }

private:
  RunnerOptions options_;
  RunningCommands running_;
};

} // namespace cairn
