#include "run/supervised/call_supervision.hpp"

#include "run/supervised/call_filter.hpp"
#include "run/supervised/call_replays.hpp"
#include "run/supervised/calling_threads.hpp"
#include "util/error.hpp"
#include "util/threads.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
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

} // namespace

CallSupervision::CallSupervision(Fd listener, CallHandler& handler,
                                 std::function<void()> on_failure)
    : handler_(handler), on_failure_(std::move(on_failure)), listener_(std::move(listener)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  if (!stop_)
    throw SysError(errno, "create an eventfd");
  thread_ = start_thread([this] { work(); });
}

CallSupervision::~CallSupervision() {
  if (thread_.joinable())
    ::eventfd_write(stop_.get(), 1);
}

void CallSupervision::finish() {
  thread_.join();
  if (error_)
    std::rethrow_exception(error_);
}

void CallSupervision::work() noexcept {
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
}

void CallSupervision::answer_all(CallListener& listener, CallReplays& replays) {
  CallingThreads threads;
  while (await_call(listener.descriptor(), stop_) == Awaited::call) {
    const auto notification = listener.receive();
    if (!notification)
      continue;
    if (is_foreign(notification->data)) {
      met_foreign_ = true;
      listener.answer(notification->id, 0, ENOSYS);
      continue;
    }
    const Call call(listener, *notification);
    threads.note(call.thread());
    listener.expect(threads.are_parallel() ? CallListener::Workers::several
                                           : CallListener::Workers::one);
    if (replays.concerns(call.thread())) {
      listener.pass(call.id());
      continue;
    }
    auto answer = handler_.answer(call);
    std::visit(Responder(listener, replays, call), answer);
  }
}

} // namespace cairn
