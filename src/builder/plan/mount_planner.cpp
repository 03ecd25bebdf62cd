#include "builder/plan/mount_planner.hpp"

#include "util/error.hpp"
#include "util/rooted_path.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

namespace {

namespace in = instruction;

std::string base_name(const std::string& path) {
  const auto clean = clean_path(path);
  return clean.substr(clean.rfind('/') + 1);
}

SecretFile secret_file(const in::Mount& mount, std::uint32_t mode) {
  return {mount.mode.value_or(mode), mount.uid.value_or(0), mount.gid.value_or(0)};
}

MountAccess access(const in::Mount& mount) {
  return mount.read_only ? MountAccess::read_only : MountAccess::read_write;
}

/// Plans the mounts of one RUN.
class MountPlanner {
public:
  MountPlanner(const StageConfig& state, const MountSurroundings& around)
      : state_(state), around_(around) {}

  MountPlan plan(const in::MountSpec& spec) {
    const auto mount = in::resolve_mount(spec, [&](const std::string& text) {
      return expand_word(text, state_.lookup(), around_.escape);
    });
    switch (mount.type) {
    case in::MountType::bind:
      return {target(mount), bind(mount)};
    case in::MountType::cache:
      return {target(mount), cache(mount)};
    case in::MountType::tmpfs:
      return {target(mount), TmpfsPlan{mount.size}};
    case in::MountType::secret:
      return secret(mount);
    case in::MountType::ssh:
      return ssh(mount);
    }
    throw Error("unknown type of mount");
  }

  const std::string& first_socket() const noexcept { return first_socket_; }

private:
  /// The place in the root, relative ones being the working directory's.
  std::string place(const std::string& text) const {
    auto path = clean_path(join_path(state_.working_directory(), text));
    if (path == "/")
      throw Error("invalid mount target \"/\"");
    return path;
  }

  std::string target(const in::Mount& mount) const { return place(mount.target.value_or("")); }

  BindPlan bind(const in::Mount& mount) const {
    return {mount.from ? around_.origin(*mount.from) : FileOrigin(MainContext{}),
            clean_path("/" + mount.source.value_or("")), access(mount)};
  }

  CachePlan cache(const in::Mount& mount) const {
    CachePlan plan;
    plan.id = mount.id ? *mount.id : clean_path(mount.target.value_or(""));
    plan.name_space = around_.cache_name_space;
    plan.from = mount.from ? around_.origin(*mount.from) : FileOrigin(EmptyFilesystem{});
    plan.source = clean_path("/" + mount.source.value_or(""));
    plan.sharing = mount.sharing;
    plan.access = access(mount);
    if (plan.source == "/" && (mount.mode || mount.uid || mount.gid)) {
      plan.owner = {mount.mode.value_or(0755), mount.uid.value_or(0), mount.gid.value_or(0)};
      plan.from = EmptyFilesystem{}; // as BuildKit has it: the directory is a new one
    }
    return plan;
  }

  MountPlan secret(const in::Mount& mount) const {
    SecretPlan plan;
    plan.id = mount.id ? *mount.id : base_name(*mount.target);
    plan.variable = mount.env;
    plan.file = secret_file(mount, 0400);
    plan.required = mount.required;
    std::string at;
    if (mount.target)
      at = place(*mount.target);
    else if (!mount.env)
      at = "/run/secrets/" + base_name(plan.id);
    return {std::move(at), std::move(plan)};
  }

  MountPlan ssh(const in::Mount& mount) {
    auto at =
        mount.target ? place(*mount.target) : fmt::format("/run/buildkit/ssh_agent.{}", sockets_);
    if (sockets_++ == 0)
      first_socket_ = at;
    return {std::move(at),
            SshPlan{mount.id.value_or("default"), secret_file(mount, 0600), mount.required}};
  }

  const StageConfig& state_;
  const MountSurroundings& around_;
  unsigned sockets_ = 0;
  std::string first_socket_;
};

} // namespace

std::vector<MountPlan> plan_mounts(const StageConfig& state, const in::Run& run,
                                   const MountSurroundings& around, Environment& environment) {
  MountPlanner planner(state, around);
  std::vector<MountPlan> mounts;
  for (const auto& spec : run.mounts)
    mounts.push_back(within([&] { return planner.plan(spec); }, "RUN: --mount={}", spec.text));
  std::stable_sort(mounts.begin(), mounts.end(), [](const MountPlan& a, const MountPlan& b) {
    return RootedPath::parse(a.target) < RootedPath::parse(b.target);
  });
  if (!planner.first_socket().empty())
    environment.set("SSH_AUTH_SOCK", planner.first_socket());
  return mounts;
}

} // namespace cairn
