#include "run/process/supervisor.hpp"

#include "run/mounts/mount_calls.hpp"
#include "run/process/handshake.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>

namespace cairn {

namespace {

/// The number a text begins with.
long leading_number(const char* text) noexcept {
  long value = 0;
  for (; *text >= '0' && *text <= '9' && value < INT32_MAX / 10; ++text)
    value = value * 10 + (*text - '0');
  return value;
}

/// The parent of a process, by the fourth field of /proc/PID/stat; the second one, the name in
/// parentheses, may hold anything.
long parent_of(const char* pid) noexcept {
  const int file =
      ::open(StackPath(StackPath("/proc", pid).c_str(), "stat").c_str(), O_RDONLY | O_CLOEXEC);
  char text[256];
  const auto count = file < 0 ? 0 : ::read(file, text, sizeof text - 1);
  if (file >= 0)
    ::close(file);
  if (count <= 0)
    return 0;
  text[count] = '\0';
  const char* end = std::strrchr(text, ')');
  return end == nullptr || std::strlen(end) < 5 ? 0 : leading_number(end + 4);
}

/// Kills the children that /proc shows; how many there were.
int kill_children() noexcept {
  const int proc = ::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (proc < 0)
    return 0;
  const long self = ::getpid();
  int killed = 0;
  alignas(dirent64) char buffer[8192];
  for (;;) {
    const long filled = ::syscall(SYS_getdents64, proc, buffer, sizeof buffer);
    if (filled <= 0)
      break;
    for (long at = 0; at < filled;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer + at);
      const long pid = leading_number(entry->d_name);
      if (pid > 0 && parent_of(entry->d_name) == self &&
          ::kill(static_cast<pid_t>(pid), SIGKILL) == 0)
        ++killed;
      at += entry->d_reclen;
    }
  }
  ::close(proc);
  return killed;
}

std::int64_t now_ms() noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return std::int64_t{time.tv_sec} * 1000 + time.tv_nsec / 1'000'000;
}

bool asks_to_end(int signal) noexcept {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

class Supervisor {
public:
  Supervisor(const Supervision& how, pid_t command) noexcept : how_(how), command_(command) {}

  [[noreturn]] void loop() noexcept {
    for (;;) {
      reap();
      siginfo_t info{};
      const int signal = wait_for_signal(info);
      if (how_.executor != 0 && ::getppid() != how_.executor) {
        kill_all();
        ::_exit(1);
      }
      const bool from_executor =
          signal > 0 && info.si_code == SI_USER && info.si_pid == how_.executor;
      if (from_executor)
        pass_on(signal);
      else if (deadline_ != 0 && now_ms() >= deadline_)
        kill_all();
    }
  }

private:
  void reap() noexcept {
    int status = 0;
    for (;;) {
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid == command_)
        finish(status);
      if (pid <= 0)
        return;
    }
  }

  [[noreturn]] void finish(int status) noexcept {
    if (how_.descendants == Descendants::adopted) {
      ::kill(-command_, SIGKILL);
      kill_descendants();
    }
    send_report(how_.socket, {SetupStep::finished, 0, status});
    ::_exit(0);
  }

  /// A signal's number; -1 when the time of grace is over.
  int wait_for_signal(siginfo_t& info) const noexcept {
    sigset_t all;
    ::sigfillset(&all);
    if (deadline_ == 0)
      return ::sigwaitinfo(&all, &info);
    const auto left = deadline_ - now_ms();
    const auto wait = left < 0 ? 0 : left;
    const timespec timeout{static_cast<time_t>(wait / 1000),
                           static_cast<long>(wait % 1000) * 1'000'000};
    return ::sigtimedwait(&all, &info, &timeout);
  }

  void pass_on(int signal) noexcept {
    // Before it has a session of its own, the command is not yet a group.
    if (::kill(-command_, signal) != 0)
      ::kill(command_, signal);
    if (asks_to_end(signal) && deadline_ == 0)
      deadline_ = now_ms() + how_.grace.count();
  }

  void kill_all() noexcept {
    deadline_ = 0;
    ::kill(-command_, SIGKILL);
    ::kill(command_, SIGKILL);
    if (how_.descendants == Descendants::in_namespace)
      ::kill(-1, SIGKILL);
    else if (::getppid() != how_.executor)
      kill_descendants();
  }

  const Supervision& how_;
  pid_t command_;
  std::int64_t deadline_ = 0; ///< Milliseconds of the monotonic clock; 0 when nobody waits.
};

} // namespace

void follow_executor(const Supervision& how) noexcept {
  ::prctl(PR_SET_NAME, "cairn-init", 0, 0, 0);
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  ::sigaction(SIGCHLD, &action, nullptr); // Ignored by the executor, it would reap by itself.
  if (how.descendants == Descendants::in_namespace) {
    if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
      give_up(how.socket, SetupStep::lose_parent, errno);
    return; // The end of an executor that was faster shows as the end of its orders.
  }
  // Woken rather than killed: there is still something to do then.
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
    give_up(how.socket, SetupStep::lose_parent, errno);
  if (::getppid() != how.executor)
    ::_exit(1);
}

void kill_descendants() noexcept {
  for (;;) {
    // Children that ended meanwhile hand their own children to this process.
    int reaped = 0;
    while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
    }
    if (reaped < 0)
      return;
    // All of these were sent SIGKILL or are about to end, so that waiting for one has an end.
    if (kill_children() == 0)
      return;
    ::waitpid(-1, nullptr, 0);
  }
}

void supervise(const CommandPlan& plan, const Supervision& how) noexcept {
  const pid_t self = ::getpid();
  const pid_t command = raw_clone(0);
  if (command < 0)
    give_up(how.socket, SetupStep::start_process, errno);
  if (command == 0)
    plan.become(how.socket, self);
  for (const int fd : {0, 1, 2})
    ::dup2(plan.null(), fd);
  close_descriptors(&how.socket, 1, Closing::now);
  Supervisor(how, command).loop();
}

} // namespace cairn
