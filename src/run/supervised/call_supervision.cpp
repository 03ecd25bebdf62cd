#include "run/supervised/call_supervision.hpp"

#include "run/supervised/call_filter.hpp"
#include "run/supervised/call_replays.hpp"
#include "run/supervised/calling_threads.hpp"
#include "util/error.hpp"
#include "util/text.hpp"
#include "util/threads.hpp"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/utsname.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <optional>
#include <utility>

namespace cairn {

namespace {

/// Gives a thread that waits in a call its answer.
class Responder {
public:
  Responder(const CallListener& listener, CallReplays& replays, const Call& call)
      : listener_(listener), replays_(replays), call_(call) {}

  void operator()(const PassedCall&) const { listener_.pass(call_.id()); }
  void operator()(const ReturnedValue& answer) const {
    listener_.answer(call_.id(), answer.value, 0);
  }
  void operator()(const FailedCall& answer) const { listener_.answer(call_.id(), 0, answer.error); }
  void operator()(const HandedFile& answer) const {
    const int error = listener_.answer_with_file(call_.id(), answer.file, answer.close_on_exec);
    // EMFILE, say. A thread that is gone asks for no answer.
    if (error != 0 && error != ENOENT)
      listener_.answer(call_.id(), 0, error);
  }
  void operator()(ReplayedCall& answer) const { replays_.add(call_, std::move(answer)); }

private:
  const CallListener& listener_;
  CallReplays& replays_;
  const Call& call_;
};

enum class Awaited { call, end };

/// What comes first. A listener is hung up when its last thread has gone.
Awaited await_call(FdRef listener, FdRef stop) {
  pollfd waits[] = {{listener.get(), POLLIN, 0}, {stop.get(), POLLIN, 0}};
  while (::poll(waits, std::size(waits), -1) < 0) {
    if (errno != EINTR)
      throw SysError(errno, "wait for a system call");
  }
  if (waits[1].revents != 0)
    return Awaited::end;
  return (waits[0].revents & POLLIN) != 0 ? Awaited::call : Awaited::end;
}

/// Interrupts a thread that receives.
constexpr int interruption = SIGURG;

void allow_interruption() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  ::sigaction(interruption, &action, nullptr);
}

void admit_interruption() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, interruption);
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

/// Whether the kernel tells one that receives that nobody is left to call: Linux 6.11.
bool tells_of_end() {
  utsname names{};
  if (::uname(&names) != 0)
    return false;
  const auto parts = split(names.release, '.');
  const auto major = parse_unsigned(parts[0]);
  const auto minor = parts.size() > 1 ? parse_unsigned(parts[1]) : std::nullopt;
  return major && minor &&
         std::pair(*major, *minor) >= std::pair<std::uint64_t, std::uint64_t>(6, 11);
}

} // namespace

CallSupervision::CallSupervision(Fd listener, CallHandler& handler,
                                 std::function<void()> on_failure)
    : handler_(handler), on_failure_(std::move(on_failure)), listener_(std::move(listener)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_)
    throw SysError(errno, "create an eventfd");
  allow_interruption();
  thread_ = start_thread([this] { work(); });
}

CallSupervision::~CallSupervision() {
  if (!thread_.joinable())
    return;
  ::eventfd_write(stop_.get(), 1);
  // One interruption may come just before it receives.
  while (!has_ended_) {
    ::pthread_kill(thread_.native_handle(), interruption);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

void CallSupervision::finish() {
  thread_.join();
  if (error_)
    std::rethrow_exception(error_);
}

void CallSupervision::work() noexcept {
  admit_interruption();
  try {
    // Closed before threads that are held are waited for: what they call is no longer answered.
    std::optional<CallListener> listener(std::in_place, std::move(listener_));
    CallReplays replays(*listener);
    try {
      answer_all(*listener, replays);
    } catch (...) {
      error_ = std::current_exception();
    }
    replays.abandon();
    listener.reset();
  } catch (...) {
    error_ = std::current_exception();
  }
  if (error_)
    on_failure_();
  has_ended_ = true;
}

void CallSupervision::answer_all(CallListener& listener, CallReplays& replays) {
  CallingThreads threads;
  const bool waits_first = !tells_of_end();
  for (bool may_end = waits_first;;) {
    if (may_end && await_call(listener.descriptor(), stop_) == Awaited::end)
      return;
    const auto notification = listener.receive();
    may_end = waits_first || !notification;
    if (!notification)
      continue;
    if (is_foreign(notification->data)) {
      met_foreign_ = true;
      listener.answer(notification->id, 0, ENOSYS);
      continue;
    }
    const Call call(listener, *notification);
    threads.note(call.thread(), ::sched_getcpu());
    listener.expect(threads.are_parallel() && !threads.is_here() ? CallListener::Caller::elsewhere
                                                                 : CallListener::Caller::here);
    if (replays.concerns(call.thread())) {
      listener.pass(call.id());
      continue;
    }
    auto answer = handler_.answer(call);
    std::visit(Responder(listener, replays, call), answer);
  }
}

} // namespace cairn
