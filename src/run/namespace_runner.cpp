#include "run/namespace_runner.hpp"

#include "run/mounts/mount_points.hpp"
#include "run/process/argument_area.hpp"
#include "run/process/capabilities.hpp"
#include "run/process/outcome.hpp"
#include "run/process/user_namespace.hpp"
#include "util/error.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

SandboxMount plan_mount(const BindMount& mount) {
  SandboxMount planned;
  planned.kind = SandboxMount::Kind::bind;
  planned.target = mount.target;
  planned.access = mount.access;
  planned.source = mount.source;
  struct stat info {};
  if (::lstat(mount.source.c_str(), &info) != 0)
    throw SysError(errno, "mount '{}' on '{}'", mount.source, mount.target.str());
  planned.device = info.st_dev;
  planned.inode = info.st_ino;
  planned.point = S_ISDIR(info.st_mode) ? MountPoints::Kind::directory : MountPoints::Kind::file;
  return planned;
}

SandboxMount plan_mount(const TmpfsMount& mount) {
  SandboxMount planned;
  planned.kind = SandboxMount::Kind::tmpfs;
  planned.target = mount.target;
  planned.point = MountPoints::Kind::open_directory;
  if (mount.size)
    planned.options = fmt::format("size={}", *mount.size);
  return planned;
}

SandboxMount plan_mount(const FileMount& mount) {
  SandboxMount planned;
  planned.kind = SandboxMount::Kind::text;
  planned.target = mount.target;
  planned.point = MountPoints::Kind::file;
  planned.options = mount.content;
  planned.mode = mount.mode;
  planned.uid = mount.uid;
  planned.gid = mount.gid;
  return planned;
}

/// A file of /etc over the root's own, with its place in the directory `home`/NAME.
SandboxMount plan_etc(const std::string& home, const char* name, const std::string& text) {
  auto planned = plan_mount(FileMount{text, RootedPath::parse(fmt::format("/etc/{}", name)), 0644});
  planned.access = MountAccess::read_write;
  planned.stub = fmt::format("{}/{}", home, name);
  return planned;
}

std::vector<SandboxMount> plan_mounts(const Invocation& invocation, const std::string& home) {
  std::vector<SandboxMount> planned;
  if (invocation.hosts)
    planned.push_back(plan_etc(home, "hosts", *invocation.hosts));
  if (invocation.resolv_conf)
    planned.push_back(plan_etc(home, "resolv.conf", *invocation.resolv_conf));
  for (const auto& mount : invocation.mounts)
    planned.push_back(std::visit([](const auto& any) { return plan_mount(any); }, mount));
  for (std::size_t i = 0; i < planned.size(); ++i)
    if (planned[i].kind == SandboxMount::Kind::text)
      planned[i].source = fmt::format("file-{}", i);
  return planned;
}

/// The sandbox's process, and the executor's way to talk to it.
struct Sandbox {
  Sandbox(RunningCommands& running, SandboxPlan& plan) : Sandbox(make_handshake(), running, plan) {}

  Handshake handshake;
  ChildProcess process;

private:
  Sandbox(HandshakePair pair, RunningCommands& running, SandboxPlan& plan)
      : handshake(std::move(pair.parent)), process(running, start(pair.child, plan)) {}

  static pid_t start(const Fd& socket, SandboxPlan& plan) {
    plan.socket = plan.supervision.socket = socket.get();
    if (plan.command != nullptr)
      plan.kept_descriptors = plan.command->descriptors();
    plan.kept_descriptors.push_back(plan.socket);
    std::sort(plan.kept_descriptors.begin(), plan.kept_descriptors.end());
    const BlockedSignals blocked;
    const pid_t pid = raw_clone(sandbox_namespaces(plan));
    if (pid == 0)
      live_in_cell(plan);
    if (pid < 0)
      throw SetupError(SetupStep::create_namespaces, errno);
    return pid;
  }
};

/// Where changes to a root arrive.
Fd open_changes(const CommandRoot& root) {
  const auto* overlay = std::get_if<OverlayRoot>(&root);
  const auto& path = overlay != nullptr ? overlay->upper : std::get<DirectoryRoot>(root).path;
  return open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
}

/// The kernel leaves a mark in the work directory of a volatile overlay, and refuses to mount it
/// again: the machine might have crashed. At the end of its life this knows that it has not.
class VolatileMark {
public:
  explicit VolatileMark(const CommandRoot& root) : overlay_(std::get_if<OverlayRoot>(&root)) {}
  VolatileMark(const VolatileMark&) = delete;
  VolatileMark& operator=(const VolatileMark&) = delete;
  ~VolatileMark() {
    try {
      if (overlay_ != nullptr)
        remove_tree(current_directory(), overlay_->work + "/work");
    } catch (const Error&) {
      // The next mount will say what is wrong.
    }
  }

private:
  const OverlayRoot* overlay_;
};

/// Has the sandbox complete its namespaces and mount its root.
Fd mount_root(Sandbox& sandbox, const SandboxPlan& plan) {
  if (plan.user_namespace == UserNamespace::own)
    map_identity(sandbox.process.pid());
  sandbox.handshake.send(SetupOrder::make_root_filesystem);
  Fd root;
  sandbox.handshake.expect(&root);
  return root;
}

} // namespace

NamespaceRunner::NamespaceRunner(RunnerOptions options)
    : options_(std::move(options)), home_(options_.work_directory, "sandbox-"),
      user_namespace_((effective_capabilities() & capability(CAP_SYS_ADMIN)) != 0
                          ? UserNamespace::shared
                          : UserNamespace::own) {
  // On the disk, like the layers, rather than in memory: an overlay whose directories lie on
  // different file systems gives files device numbers other than the root's.
  for (const char* directory : {"/staging", "/system/proc", "/system/sys", "/system/dev"})
    make_directories(home_.path() + directory);
  for (const char* name : {"hosts", "resolv.conf"}) {
    const auto etc = fmt::format("{}/{}/etc", home_.path(), name);
    make_directories(etc);
    open_at(current_directory(), fmt::format("{}/{}", etc, name), O_WRONLY | O_CREAT, 0644);
  }
}

std::vector<std::string>
NamespaceRunner::bottom_layers(const std::vector<SandboxMount>& mounts) const {
  std::vector<std::string> layers = {home_.path() + "/system"};
  for (const auto& mount : mounts) {
    if (!mount.stub.empty())
      layers.push_back(mount.stub);
  }
  return layers;
}

SandboxPlan NamespaceRunner::plan_sandbox(const CommandRoot& root,
                                          const std::vector<SandboxMount>& mounts) const {
  SandboxPlan plan;
  plan.user_namespace = user_namespace_;
  plan.staging = home_.path() + "/staging";
  plan.arguments = argument_area();
  plan.pid_namespace = pid_namespace_;
  if (plan.pid_namespace == PidNamespace::own)
    plan.supervision = {-1, 0, Descendants::in_namespace, options_.grace};
  else
    plan.supervision = {-1, ::getpid(), Descendants::adopted, options_.grace};
  plan.mounts = mounts;
  if (const auto* overlay = std::get_if<OverlayRoot>(&root))
    plan_overlay(plan, *overlay, bottom_layers(plan.mounts));
  else if (const auto* directory = std::get_if<DirectoryRoot>(&root))
    plan.directory = directory->path;
  else
    throw Error("a command in namespaces needs a root of its own");
  return plan;
}

void NamespaceRunner::order_mounts(Handshake& handshake, const SandboxPlan& plan,
                                   MountPoints& points) const {
  constexpr std::pair<const char*, SetupOrder> system[] = {
      {"/proc", SetupOrder::proc}, {"/sys", SetupOrder::sys}, {"/dev", SetupOrder::dev}};
  // Orders that cannot concern each other are given at once: a machine under load takes its time
  // to switch between two processes.
  for (const auto& [target, order] : system)
    handshake.send(order, points.prepare(RootedPath::parse(target), MountPoints::Kind::directory));
  handshake.expect_all();
  for (std::size_t i = 0; i < plan.mounts.size(); ++i) {
    const auto& mount = plan.mounts[i];
    within(
        [&] {
          handshake.send(SetupOrder::mount, points.prepare(mount.target, mount.point),
                         static_cast<std::int32_t>(i));
          const bool alone = mount.kind != SandboxMount::Kind::text ||
                             i + 1 == plan.mounts.size() ||
                             plan.mounts[i + 1].kind != SandboxMount::Kind::text;
          if (alone)
            handshake.expect_all();
        },
        "mount on '{}'", mount.target.str());
  }
}

template<class Finish>
void NamespaceRunner::live(SandboxPlan& plan, const CommandRoot& root, const Finish& finish) {
  const VolatileMark mark(root);
  // Lives longer than the sandbox: what it made is removed when nobody looks any more.
  std::optional<MountPoints> points;
  {
    Sandbox sandbox(running_, plan);
    points.emplace(mount_root(sandbox, plan), open_changes(root));
    order_mounts(sandbox.handshake, plan, *points);
    points->settle();
    points->release_root();
    sandbox.handshake.send(SetupOrder::command);
    finish(sandbox.handshake, sandbox.process);
  }
  points->remove();
}

template<class MakePlan, class Finish>
void NamespaceRunner::live_as_possible(const MakePlan& make_plan, const CommandRoot& root,
                                       const Finish& finish) {
  auto plan = make_plan();
  try {
    live(plan, root, finish);
  } catch (const SetupError& error) {
    // Where parts of the container's /proc are masked, the kernel refuses one without the masks.
    const bool is_masked = error.step() == SetupStep::mount_proc && error.code() == EPERM;
    if (plan.pid_namespace == PidNamespace::shared || !is_masked)
      throw;
    pid_namespace_ = PidNamespace::shared;
    plan = make_plan();
    live(plan, root, finish);
  }
}

Outcome NamespaceRunner::run(const CommandRoot& root, const Invocation& invocation) {
  const auto begin = std::chrono::steady_clock::now();
  CommandOutput output(invocation);
  const CommandPlan command(invocation, output);
  const auto mounts = plan_mounts(invocation, home_.path());
  Outcome outcome;
  live_as_possible(
      [&] {
        auto plan = plan_sandbox(root, mounts);
        plan.command = &command;
        plan.hostname = invocation.hostname;
        plan.network = invocation.network;
        return plan;
      },
      root,
      [&](Handshake& handshake, ChildProcess& process) {
        outcome = await_outcome(handshake, process, command, output);
      });
  outcome.duration = std::chrono::steady_clock::now() - begin;
  return outcome;
}

void NamespaceRunner::try_out(const CommandRoot& root) {
  try_out(root, std::holds_alternative<OverlayRoot>(root) ? SandboxPurpose::trial_overlay
                                                          : SandboxPurpose::trial_directory);
}

void NamespaceRunner::try_over(const OverlayRoot& root) {
  // What an overlay can do has been tried already, and these directories may have a "/d" too.
  try_out(root, SandboxPurpose::trial_directory);
}

void NamespaceRunner::try_out(const CommandRoot& root, SandboxPurpose purpose) {
  live_as_possible(
      [&] {
        auto plan = plan_sandbox(root, {});
        plan.purpose = purpose;
        return plan;
      },
      root,
      [](Handshake& handshake, ChildProcess& process) {
        handshake.expect();
        process.wait();
      });
}

} // namespace cairn
