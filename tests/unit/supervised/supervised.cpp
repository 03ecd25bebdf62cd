#include "supervised.hpp"

#include "run/process/handshake.hpp"
#include "run/supervised/supervised_process.hpp"
#include "run/supervised/supervision_trial.hpp"
#include "util/error.hpp"

#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

namespace cairn {

std::optional<std::string> cannot_supervise() {
  const auto lacks = try_supervision();
  if (lacks.empty())
    return std::nullopt;
  return lacks.front();
}

namespace {

/// As a command's parent is not the executor, but a process that watches over it.
[[noreturn]] void watch(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0)
    ::_exit(body());
  int status = 0;
  ::waitpid(pid, &status, 0);
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

} // namespace

SupervisedChild::SupervisedChild(const std::vector<TrappedCall>& calls, CallHandler& handler,
                                 const std::function<int()>& body,
                                 const std::function<void()>& before) {
  const auto filter = make_call_filter(calls);
  const auto wait = best_stopped_wait();
  auto pair = make_handshake();
  const pid_t pid = ::fork();
  if (pid == 0)
    watch([&] {
      before();
      // As a command is once it has become another program.
      ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
      submit_to_filter(pair.child.get(), filter, wait);
      return body();
    });
  if (pid < 0)
    throw SysError(errno, "start a process");
  process_.emplace(running_, pid);
  pair.child.reset();
  Handshake handshake(std::move(pair.parent));
  Fd listener;
  handshake.expect(&listener);
  supervision_.emplace(std::move(listener), handler, [this] { failed = true; });
}

int SupervisedChild::finish() {
  const int status = process_->wait();
  if (supervision_)
    supervision_->finish();
  return WEXITSTATUS(status);
}

int supervise_child(const std::vector<TrappedCall>& calls, CallHandler& handler,
                    const std::function<int()>& body, const std::function<void()>& before) {
  return SupervisedChild(calls, handler, body, before).finish();
}

void begin_storm(int microseconds) {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGALRM, &action, nullptr);
  const itimerval often{{0, microseconds}, {0, microseconds}};
  ::setitimer(ITIMER_REAL, &often, nullptr);
}

} // namespace cairn
