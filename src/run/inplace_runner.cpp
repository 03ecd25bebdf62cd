#include "run/inplace_runner.hpp"

#include "run/emulated_mounts.hpp"
#include "run/mounts/hosts_file.hpp"
#include "run/process/outcome.hpp"
#include "run/process/supervisor.hpp"
#include "util/error.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

struct InPlacePlan {
  const CommandPlan& command;
  Supervision supervision;
  std::vector<int> kept_descriptors; ///< Sorted.
};

/// The life of the process that watches over the command. Async-signal-safe.
[[noreturn]] void watch(const InPlacePlan& plan) noexcept {
  close_descriptors(plan.kept_descriptors.data(), plan.kept_descriptors.size(), Closing::now);
  follow_executor(plan.supervision);
  supervise(plan.command, plan.supervision);
}

pid_t start(InPlacePlan& plan) {
  std::sort(plan.kept_descriptors.begin(), plan.kept_descriptors.end());
  const BlockedSignals blocked;
  const pid_t pid = raw_clone(0);
  if (pid == 0)
    watch(plan);
  if (pid < 0)
    throw SysError(errno, "start a process");
  return pid;
}

} // namespace

Outcome InPlaceRunner::run(const CommandRoot& root, const Invocation& invocation) {
  const auto begin = std::chrono::steady_clock::now();
  if (!std::holds_alternative<InPlaceRoot>(root))
    throw Error("a command in place has the container's own root");
  if (invocation.network == CommandNetwork::none)
    throw with_hint(Error("--network=none is not possible in place: a command has the network of "
                          "its container"),
                    "it needs a network namespace: user namespaces or CAP_SYS_ADMIN");
  CommandOutput output(invocation);
  const CommandPlan command(invocation, output);
  const HostsFile hosts(invocation.hosts);
  EmulatedMounts mounts(invocation.mounts);
  auto pair = make_handshake();
  InPlacePlan plan{command,
                   {pair.child.get(), ::getpid(), Descendants::adopted, options_.grace},
                   command.descriptors()};
  plan.kept_descriptors.push_back(pair.child.get());
  Outcome outcome;
  {
    ChildProcess process(running_, start(plan));
    pair.child.reset();
    Handshake handshake(std::move(pair.parent));
    outcome = await_outcome(handshake, process, command, output);
  }
  mounts.remove();
  outcome.duration = std::chrono::steady_clock::now() - begin;
  return outcome;
}

} // namespace cairn
