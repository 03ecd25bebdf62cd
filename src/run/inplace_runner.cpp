#include "run/inplace_runner.hpp"

#include "run/emulated_mounts.hpp"
#include "run/mounts/hosts_file.hpp"
#include "run/process/command_watcher.hpp"
#include "run/process/outcome.hpp"
#include "util/error.hpp"

#include <unistd.h>

namespace cairn {

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
  CommandWatcher watcher{command,
                         {pair.child.get(), ::getpid(), Descendants::adopted, options_.grace},
                         command.descriptors()};
  watcher.kept_descriptors.push_back(pair.child.get());
  Outcome outcome;
  {
    ChildProcess process(running_, start_watcher(watcher));
    pair.child.reset();
    Handshake handshake(std::move(pair.parent));
    outcome = await_outcome(handshake, process, command, output);
  }
  mounts.remove();
  outcome.duration = std::chrono::steady_clock::now() - begin;
  return outcome;
}

} // namespace cairn
