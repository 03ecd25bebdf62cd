#include "run/supervised/call_replays.hpp"

#include "run/supervised/thread_status.hpp"
#include "run/supervised/traced_thread.hpp"
#include "util/error.hpp"
#include "util/threads.hpp"

#include <sys/syscall.h>

#include <cerrno>

namespace cairn {

namespace {

/// The kernel's own: a call that was interrupted and is to begin anew. Not in errno.h.
constexpr int restart_call = 512;

bool becomes_program(const ReplayedCall::Step& step) {
  return step.number == SYS_execve;
}

std::optional<TracedThread> hold(pid_t thread) {
  const auto status = thread_status(thread);
  if (!status)
    return std::nullopt;
  const BorrowedIds ids(*status);
  return TracedThread::seize(thread);
}

} // namespace

CallReplays::CallReplays(const CallListener& listener)
    : listener_(&listener), worker_(start_thread([this] { work(); })) {}

CallReplays::~CallReplays() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    waiting_.clear();
  }
  changed_.notify_all();
}

void CallReplays::add(const Call& call, ReplayedCall replay) {
  const std::lock_guard lock(mutex_);
  Replay added{call.thread(), call.id(), std::move(replay)};
  if (added.what.file) {
    const auto given = listener_->give_file(call.id(), added.what.file);
    if (!given)
      return give_up(added);
    for (auto* steps : {&added.what.steps, &added.what.undo})
      for (auto& step : *steps)
        step.arguments[0] = static_cast<std::uint64_t>(*given);
  }
  waiting_.push_back(std::move(added));
  changed_.notify_all();
}

bool CallReplays::concerns(pid_t thread) const {
  const std::lock_guard lock(mutex_);
  if (error_)
    std::rethrow_exception(error_);
  return thread == held_;
}

void CallReplays::abandon() noexcept {
  const std::lock_guard lock(mutex_);
  listener_ = nullptr;
}

void CallReplays::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return ends_ || !waiting_.empty(); });
    if (waiting_.empty())
      return;
    auto next = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    try {
      perform(next);
    } catch (...) {
      lock.lock();
      error_ = std::current_exception();
      return;
    }
  }
}

void CallReplays::perform(Replay& replay) {
  auto traced = hold(replay.thread);
  if (!traced) {
    const std::lock_guard lock(mutex_);
    return give_up(replay);
  }
  // While it waited for its turn its process may have become another program, or its number
  // another's: that one is let go as it is.
  const bool begins = begin_anew(replay);
  if (!begins)
    traced->forget_registers();
  if (traced->await_stop() && begins)
    make_steps(*traced, replay.what);
  // Before the thread goes on: its next call is its own again.
  const std::lock_guard lock(mutex_);
  held_ = 0;
}

void CallReplays::make_steps(TracedThread& thread, ReplayedCall& replay) {
  if (!replay.text.empty()) {
    const auto address = thread.write(replay.text);
    if (!address)
      return thread.set_result(-EFAULT);
    for (auto* steps : {&replay.steps, &replay.undo})
      for (auto& step : *steps)
        for (const auto& text : step.texts)
          step.arguments.at(text.argument) = *address + text.offset;
  }
  for (std::size_t i = 0; i < replay.steps.size(); ++i) {
    const auto& step = replay.steps[i];
    const auto result = thread.make(step);
    if (!result)
      return;
    if (becomes_program(step) && *result == 0)
      return thread.forget_registers();
    if (i == replay.answer || (i < replay.answer && *result < 0))
      thread.set_result(*result);
    if (i <= replay.answer && *result < 0)
      return undo(thread, replay);
  }
}

void CallReplays::undo(TracedThread& thread, const ReplayedCall& replay) {
  for (const auto& step : replay.undo)
    if (!thread.make(step))
      return;
}

/// False when the thread no longer waits for this call's answer.
bool CallReplays::begin_anew(const Replay& replay) {
  const std::lock_guard lock(mutex_);
  if (listener_ == nullptr || !listener_->is_waiting(replay.id))
    return false;
  held_ = replay.thread;
  listener_->answer(replay.id, 0, restart_call);
  return true;
}

/// Called with the lock held.
void CallReplays::give_up(const Replay& replay) {
  if (listener_ == nullptr)
    return;
  if (replay.what.otherwise == ReplayedCall::Otherwise::pass)
    listener_->pass(replay.id);
  else
    listener_->answer(replay.id, 0, EACCES);
}

} // namespace cairn
