#include "run/supervised_runner.hpp"

#include "run/chroot/chroot_handler.hpp"
#include "run/emulated_mounts.hpp"
#include "run/process/command_watcher.hpp"
#include "run/process/outcome.hpp"
#include "run/supervised/call_supervision.hpp"
#include "run/supervised/landlock_rules.hpp"
#include "run/supervised/supervised_process.hpp"
#include "run/supervised_devices.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace cairn {

namespace {

constexpr const char* foreign_hint =
    "a program of another architecture than this machine's (i386 on amd64) was started: its system "
    "calls cannot be supervised. It runs in a pod that allows namespaces, or with "
    "--isolation=inplace";

/// The command's way into its root, and under its supervisor.
class Confinement final : public CommandPreparation {
public:
  /// `rules` as make_landlock_rules() makes them.
  Confinement(const std::string& root, Fd rules, const ChrootHandler& handler)
      : root_(root), rules_(std::move(rules)), filter_(handler.filter()),
        wait_(best_stopped_wait()) {}

  void enter(int socket) const noexcept override {
    if (::chroot(root_.c_str()) != 0 || ::chdir("/") != 0)
      give_up(socket, SetupStep::change_root, errno);
  }

  void confine(int socket) const noexcept override {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
      give_up(socket, SetupStep::filter_calls, errno);
    if (rules_)
      if (const int error = submit_to_rules(rules_.get()); error != 0)
        give_up(socket, SetupStep::restrict_files, error);
    submit_to_filter(socket, filter_, wait_);
  }

  std::vector<int> descriptors() const {
    return rules_ ? std::vector<int>{rules_.get()} : std::vector<int>{};
  }

private:
  const std::string& root_;
  Fd rules_;
  std::vector<sock_filter> filter_;
  StoppedWait wait_;
};

/// What a sandbox would mount before the command's own mounts.
std::vector<CommandMount> system_mounts(const Invocation& invocation) {
  std::vector<CommandMount> mounts;
  for (const char* directory : {"/proc", "/sys", "/dev"})
    mounts.emplace_back(TmpfsMount{RootedPath::parse(directory), std::nullopt});
  const auto add_file = [&](const char* path, const std::optional<std::string>& text) {
    if (text)
      mounts.emplace_back(FileMount{*text, RootedPath::parse(path), 0644});
  };
  add_file("/etc/hosts", invocation.hosts);
  add_file("/etc/resolv.conf", invocation.resolv_conf);
  return mounts;
}

/// `rules` as make_landlock_rules() makes them: empty where there are none.
ChangeGuard guard_for(const ReadOnlyPlaces& read_only, FdRef rules) {
  if (rules.get() < 0)
    return ChangeGuard::all;
  if (read_only.empty())
    return ChangeGuard::none;
  return read_only.are_files() ? ChangeGuard::files : ChangeGuard::all;
}

} // namespace

Outcome SupervisedRunner::run(const CommandRoot& root, const Invocation& invocation) {
  const auto begin = std::chrono::steady_clock::now();
  const auto* directory = std::get_if<DirectoryRoot>(&root);
  if (directory == nullptr)
    throw Error("a supervised command needs a directory as its root");
  if (invocation.network == CommandNetwork::none)
    throw with_hint(Error("--network=none is not possible without namespaces: a command has the "
                          "network of its container"),
                    "it needs a network namespace: user namespaces or CAP_SYS_ADMIN");
  const auto path = real_path(directory->path);
  const TempDir system_aside(options_.work_directory, "aside-");
  const TempDir aside(options_.work_directory, "aside-");
  CommandOutput output(invocation);
  CommandPlan command(invocation, output);
  EmulatedMounts system(system_mounts(invocation), {path, system_aside.path()});
  // Where the executor itself may not become another user by a program, no command may.
  const bool sleeps = invocation.uid != 0 && ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0;
  auto devices = make_devices(path + "/dev");
  const auto own_descriptors = make_own_descriptors(path + "/proc");
  output.add_names(own_descriptors + "/1", own_descriptors + "/2");
  EmulatedMounts mounts(invocation.mounts, {path, aside.path()});
  auto rules = make_landlock_rules(path);
  ReadOnlyPlaces read_only(mounts.read_only());
  const auto guard = guard_for(read_only, rules);
  ChrootHandler handler({path, std::move(devices), invocation.hostname, std::move(read_only)},
                        sleeps ? ChrootHandler::Rights::asleep : ChrootHandler::Rights::plain,
                        guard);
  const Confinement confinement(path, std::move(rules), handler);
  command.prepare_with(confinement);
  if (sleeps)
    command.keep_capabilities();
  auto pair = make_handshake();
  CommandWatcher watcher{command,
                         {pair.child.get(), ::getpid(), Descendants::adopted, options_.grace},
                         command.descriptors()};
  watcher.kept_descriptors.push_back(pair.child.get());
  for (const int descriptor : confinement.descriptors())
    watcher.kept_descriptors.push_back(descriptor);
  Outcome outcome;
  {
    ChildProcess process(running_, start_watcher(watcher));
    pair.child.reset();
    Handshake handshake(std::move(pair.parent));
    Fd listener;
    handshake.expect(&listener);
    CallSupervision supervision(std::move(listener), handler,
                                [pid = process.pid()] { ::kill(pid, SIGTERM); });
    outcome = await_outcome(handshake, process, command, output);
    within([&] { supervision.finish(); }, "supervise the command");
    if (supervision.met_foreign())
      outcome.hint = foreign_hint;
  }
  mounts.remove();
  system.remove();
  outcome.duration = std::chrono::steady_clock::now() - begin;
  return outcome;
}

} // namespace cairn
