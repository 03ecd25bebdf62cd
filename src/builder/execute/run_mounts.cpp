#include "builder/execute/run_mounts.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <sys/stat.h>

#include <cerrno>

namespace cairn {

namespace {

std::string known_ids(const auto& map, std::string_view flag) {
  if (map.empty())
    return fmt::format("give it with --{}", flag);
  std::vector<std::string> ids;
  ids.reserve(map.size());
  for (const auto& [id, value] : map)
    ids.push_back(id);
  return fmt::format("--{} gave {}", flag, join(ids, ", "));
}

} // namespace

struct RunMounts::Maker {
  RunMounts& mounts;
  const MountServices& services;
  Invocation& invocation;
  const std::string& target;

  bool emulated() const {
    return services.mode == IsolationMode::inplace || services.mode == IsolationMode::supervised;
  }

  void operator()(const BindPlan& plan) const {
    // What a command can write to is its own: anything, where nothing is really mounted.
    const bool own = plan.access == MountAccess::read_write || emulated();
    std::string path;
    if (own) {
      const auto directory = services.workspace.new_directory("m");
      mounts.copies_.push_back(directory);
      path = services.files.copy(plan.from, plan.source, directory);
    } else {
      path = services.files.show(plan.from, plan.source);
    }
    invocation.mounts.emplace_back(BindMount{path, RootedPath::parse(target), plan.access});
  }

  void operator()(const CachePlan& plan) const {
    auto lease = services.caches.take(
        plan, services.files.identity(plan.from),
        [&](const std::string& path) { services.files.fill(plan.from, plan.source, path); },
        services.stopped);
    invocation.mounts.emplace_back(BindMount{lease.path, RootedPath::parse(target), plan.access});
    mounts.leases_.push_back(std::move(lease));
  }

  void operator()(const TmpfsPlan& plan) const {
    invocation.mounts.emplace_back(TmpfsMount{RootedPath::parse(target), plan.size});
  }

  void operator()(const SecretPlan& plan) const {
    const auto found = services.secrets.find(plan.id);
    if (found == services.secrets.end()) {
      if (plan.required)
        throw with_hint(Error("secret {}: not found", plan.id),
                        known_ids(services.secrets, "secret"));
      return;
    }
    if (plan.variable)
      invocation.environment.push_back(*plan.variable + "=" + found->second);
    if (!target.empty())
      invocation.mounts.emplace_back(FileMount{found->second, RootedPath::parse(target),
                                               plan.file.mode, plan.file.uid, plan.file.gid});
  }

  void operator()(const SshPlan& plan) const {
    const auto found = services.agents.find(plan.id);
    if (found == services.agents.end()) {
      if (plan.required)
        throw with_hint(Error("ssh agent {}: not found", plan.id),
                        known_ids(services.agents, "ssh"));
      return;
    }
    const auto directory = services.workspace.new_directory("a");
    mounts.copies_.push_back(directory);
    const auto& look = plan.socket;
    const auto path = directory + "/agent";
    mounts.proxies_.push_back(std::make_unique<AgentProxy>(
        found->second, path, SocketLook{look.mode, look.uid, look.gid}));
    invocation.mounts.emplace_back(
        BindMount{path, RootedPath::parse(target), MountAccess::read_write});
  }
};

RunMounts::RunMounts(const std::vector<MountPlan>& plans, const MountServices& services,
                     Invocation& invocation) {
  // Where nothing can be mounted, commands of any user may have to reach copies through their path.
  constexpr mode_t passable = 0711;
  const auto& workspace = services.workspace.path();
  if (!plans.empty() && services.mode == IsolationMode::inplace &&
      ::chmod(workspace.c_str(), passable) != 0)
    throw SysError(errno, "change mode of '{}'", workspace);
  for (const auto& plan : plans)
    within(
        [&] {
          std::visit(Maker{*this, services, invocation, plan.target}, plan.kind);
        },
        "mount on '{}'", plan.target);
}

RunMounts::~RunMounts() {
  proxies_.clear();
  for (const auto& copy : copies_) {
    try {
      remove_tree(current_directory(), copy);
    } catch (const Error&) {
      // It goes with the workspace at the latest.
    }
  }
}

} // namespace cairn
