#pragma once

#include "run/process/child_process.hpp"
#include "run/process/runner.hpp"
#include "run/sandbox/sandbox.hpp"
#include "util/file.hpp"

#include <atomic>
#include <string>
#include <vector>

namespace cairn {

class MountPoints;

/// Runs commands in sandboxes: OverlayRoot and DirectoryRoot. Several at the same time.
class NamespaceRunner final : public Runner {
public:
  explicit NamespaceRunner(RunnerOptions options);

  Outcome run(const CommandRoot& root, const Invocation& invocation) override;
  void forward_signal(int signal) override { running_.signal(signal); }

  /// Makes a sandbox and tries in it what a build needs. @throws SysError saying what is not
  /// possible
  void try_out(const CommandRoot& root);
  /// The same for an overlay over directories that are not this build's: only that it can be
  /// mounted and written to. @pre the topmost of them has a directory "d"
  void try_over(const OverlayRoot& root);

private:
  SandboxPlan plan_sandbox(const CommandRoot& root, const std::vector<SandboxMount>& mounts) const;
  std::vector<std::string> bottom_layers(const std::vector<SandboxMount>& mounts) const;
  void try_out(const CommandRoot& root, SandboxPurpose purpose);
  /// The whole life of a sandbox; `finish` waits for what happens in it.
  template<class Finish>
  void live(SandboxPlan& plan, const CommandRoot& root, const Finish& finish);
  /// As live(), for the plan that `make_plan` gives, with the namespaces that are possible.
  template<class MakePlan, class Finish>
  void live_as_possible(const MakePlan& make_plan, const CommandRoot& root, const Finish& finish);
  /// Orders all mounts. The sandbox's process is ready for SetupOrder::command afterwards.
  void order_mounts(Handshake& handshake, const SandboxPlan& plan, MountPoints& points) const;

  RunnerOptions options_;
  TempDir home_; ///< "staging", and lower directories for what many roots lack.
  UserNamespace user_namespace_;
  std::atomic<PidNamespace> pid_namespace_ = PidNamespace::own;
  RunningCommands running_;
};

} // namespace cairn
