#pragma once

#include "builder/cache/cache_mount_copy.hpp"
#include "builder/cache/cache_mounts.hpp"
#include "builder/execute/copy_step.hpp"
#include "builder/execute/mounted_files.hpp"
#include "builder/plan/plan.hpp"
#include "run/isolation_probe.hpp"
#include "run/process/agent_proxy.hpp"
#include "run/process/runner.hpp"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace cairn {

/// What the mounts of commands are made of; all borrowed.
struct MountServices {
  MountedFiles& files;
  const CacheMounts& caches;
  const std::map<std::string, std::string>& secrets;
  const std::map<std::string, AgentSocket>& agents;
  Workspace& workspace;
  IsolationMode mode;
  std::function<bool()> stopped;
};

/// The mounts of one RUN made ready, for as long as its command runs.
class RunMounts {
public:
  /// Adds mounts and variables to `invocation`. @throws Error
  RunMounts(const std::vector<MountPlan>& plans, const MountServices& services,
            Invocation& invocation);
  RunMounts(const RunMounts&) = delete;
  RunMounts& operator=(const RunMounts&) = delete;
  ~RunMounts();

  /// What the command has changed goes to where it belongs. To be called when it has ended. @throws
  /// Error
  void finish();

private:
  struct Maker;

  std::vector<CacheMounts::Lease> leases_;
  std::vector<CacheMountCopy> cache_copies_;
  std::vector<std::unique_ptr<AgentProxy>> proxies_;
  std::vector<std::string> copies_; ///< Directories made for this command.
  std::set<std::string> moved_;     ///< Names of caches that are the command's alone.
};

} // namespace cairn
