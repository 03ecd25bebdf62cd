#include "builder/execute/run_mounts.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <fcntl.h>
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

/// Apart from their owners, caches of one name are one cache.
std::string name_of(const CachePlan& plan, const MountedFiles& files) {
  const bool is_empty = std::holds_alternative<EmptyFilesystem>(plan.from);
  return fmt::format("{}\n{}\n{}\n{}", plan.name_space, files.identity(plan.from),
                     is_empty ? std::string() : plan.source, plan.id);
}

/// Whether a directory can be moved from one place to the other: the same file system is not
/// enough.
bool are_on_one_mount(const std::string& one, const std::string& other) {
  struct statx infos[2] = {};
  for (const auto& [path, info] : {std::pair{&one, &infos[0]}, std::pair{&other, &infos[1]}})
    if (::statx(AT_FDCWD, path->c_str(), 0, STATX_BASIC_STATS | STATX_MNT_ID, info) != 0)
      throw SysError(errno, "stat '{}'", *path);
  const bool one_device = infos[0].stx_dev_major == infos[1].stx_dev_major &&
                          infos[0].stx_dev_minor == infos[1].stx_dev_minor;
  const bool knows_mounts = (infos[0].stx_mask & infos[1].stx_mask & STATX_MNT_ID) != 0;
  return one_device && (!knows_mounts || infos[0].stx_mnt_id == infos[1].stx_mnt_id);
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

  void operator()(CachePlan plan) const {
    // Where the cache itself goes into the root of one command it cannot be another's as well.
    const bool is_moved = services.mode == IsolationMode::supervised;
    if (is_moved && plan.sharing == instruction::CacheSharing::shared)
      plan.sharing = instruction::CacheSharing::locked;
    if (is_moved && !mounts.moved_.insert(name_of(plan, services.files)).second)
      throw with_hint(Error("the cache \"{}\" cannot be mounted twice in one command without "
                            "namespaces",
                            printable(plan.id)),
                      "give the mounts different ids");
    auto lease = services.caches.take(
        plan, services.files.identity(plan.from),
        [&](const std::string& path) { services.files.fill(plan.from, plan.source, path); },
        services.stopped);
    auto path = lease.path;
    mounts.leases_.push_back(std::move(lease));
    if (is_moved && !are_on_one_mount(path, services.workspace.path()))
      path = copy_of(path);
    invocation.mounts.emplace_back(BindMount{path, RootedPath::parse(target), plan.access});
  }

  std::string copy_of(const std::string& cache) const {
    const auto directory = services.workspace.new_directory("m");
    mounts.copies_.push_back(directory);
    auto copy = directory + "/m";
    mounts.cache_copies_.emplace_back(cache, copy);
    return copy;
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

void RunMounts::finish() {
  for (const auto& copy : cache_copies_)
    within([&] { copy.bring_back(); }, "cache mount");
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
