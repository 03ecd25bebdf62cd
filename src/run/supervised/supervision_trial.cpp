#include "run/supervised/supervision_trial.hpp"

#include "run/process/child_process.hpp"
#include "run/process/command_process.hpp"
#include "run/process/handshake.hpp"
#include "run/supervised/call_filter.hpp"
#include "run/supervised/call_supervision.hpp"
#include "run/supervised/supervised_process.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr char question[] = "question";
constexpr char reply = '!';

/// What the process under trial found wrong, as bits of its exit status.
enum Finding : int { no_file = 1, no_writing = 2, no_replay = 4 };

/// Lives in the process under trial. Its calls mean nothing but what the trial makes of them.
[[noreturn]] void live_in_trial(int socket, std::span<const sock_filter> filter,
                                StoppedWait wait) noexcept {
  // As a command is once it has become another program.
  ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  submit_to_filter(socket, filter, wait);
  char text[sizeof question + 1] = {};
  int found = 0;
  for (std::size_t i = 0; i < sizeof question; ++i)
    text[i] = question[i];
  if (::syscall(SYS_getppid, 1, text, text + sizeof question) < 0)
    found |= no_file;
  if (*static_cast<volatile char*>(text + sizeof question) != reply)
    found |= no_writing;
  if (::syscall(SYS_getppid, 2) != ::getpid())
    found |= no_replay;
  ::_exit(found);
}

class TrialHandler final : public CallHandler {
public:
  CallAnswer answer(const Call& call) override {
    if (call.argument(0) != 1)
      return ReplayedCall{.steps = {{SYS_getpid}}};
    const auto text = call.path(1);
    reading = text.text == question ? 0 : text.error;
    (void)call.write(call.argument(2), std::span(&reply, 1));
    return HandedFile{open_at(current_directory(), "/dev/null", O_RDONLY), true};
  }

  int reading = ESRCH;
};

pid_t start_trial(const Fd& socket, std::span<const sock_filter> filter) {
  const auto wait = best_stopped_wait();
  const BlockedSignals blocked;
  const pid_t pid = raw_clone(0);
  if (pid == 0)
    live_in_trial(socket.get(), filter, wait);
  if (pid < 0)
    throw SysError(errno, "start a process");
  return pid;
}

std::string line(int error, const char* what, const char* why) {
  return fmt::format("{} ({})", SysError(error, "{}", what).what(), why);
}

std::string explain(const SetupError& error) {
  switch (error.code()) {
  case EBUSY:
    return line(EBUSY, "filter system calls for a supervisor",
                "the container runtime has a supervisor of its own");
  case EINVAL:
    return line(EINVAL, "filter system calls for a supervisor", "needs Linux 5.9");
  default:
    return error.what();
  }
}

std::vector<std::string> try_out() {
  const TrappedCall calls[] = {{SYS_getppid}};
  const auto filter = make_call_filter(calls);
  auto pair = make_handshake();
  RunningCommands running;
  ChildProcess process(running, start_trial(pair.child, filter));
  pair.child.reset();
  Handshake handshake(std::move(pair.parent));
  Fd listener;
  handshake.expect(&listener);
  TrialHandler handler;
  CallSupervision supervision(std::move(listener), handler,
                              [pid = process.pid()] { ::kill(pid, SIGKILL); });
  // In this order: who waits for a child also takes the stops that are for who traces it.
  supervision.finish();
  const int status = process.wait();
  std::vector<std::string> lacks;
  if (!WIFEXITED(status))
    return {"supervise a process: it was killed"};
  const int found = WEXITSTATUS(status);
  if (handler.reading != 0)
    lacks.push_back(line(handler.reading, "read a command's memory", "seccomp or AppArmor"));
  else if ((found & no_writing) != 0)
    lacks.emplace_back("write to a command's memory: not possible");
  if ((found & no_file) != 0)
    lacks.emplace_back("give a command a file: not possible (needs Linux 5.14)");
  if ((found & no_replay) != 0)
    lacks.emplace_back("trace a command: not possible (seccomp, AppArmor or kernel.yama)");
  return lacks;
}

} // namespace

std::vector<std::string> try_supervision() {
  try {
    return try_out();
  } catch (const SetupError& error) {
    return {explain(error)};
  } catch (const Error& error) {
    return {error.what()};
  }
}

} // namespace cairn
