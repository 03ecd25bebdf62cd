#include "run/chroot/sleeping_rights.hpp"

#include "run/chroot/chroot_calls.hpp"
#include "run/process/capabilities.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <string>

namespace cairn {

namespace {

constexpr std::uint64_t same_id = ~std::uint64_t{0};

using Step = ReplayedCall::Step;

/// Sets that stand at `offset` of a replay's text.
Step set_sets(std::size_t offset) {
  return {SYS_capset, {}, {{0, offset}, {1, offset + CapabilityCall::sets_offset}}};
}

Step set_users(std::uint64_t real, std::uint64_t effective, std::uint64_t saved) {
  return {SYS_setresuid, {real, effective, saved}};
}

Step set_groups(std::uint64_t real, std::uint64_t effective, std::uint64_t saved) {
  return {SYS_setresgid, {real, effective, saved}};
}

/// By the rights of the thread that starts it.
bool may_access_as_its_thread(const KernelView::Found& found, int mode) {
  const BorrowedRights rights(found.thread);
  return may_access(found.file, mode);
}

/// An ELF program whose user or group bit counts. Not for scripts, as everywhere.
bool changes_ids(const KernelView::Found& found, const struct stat& info) {
  const bool user = (info.st_mode & S_ISUID) != 0;
  const bool group = (info.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);
  if (!S_ISREG(info.st_mode) || (!user && !group) || !may_access_as_its_thread(found, X_OK))
    return false;
  char magic[4] = {};
  const auto file = reopen(found.file, O_RDONLY);
  return file && ::read(file.get(), magic, sizeof magic) == sizeof magic &&
         std::string_view(magic, sizeof magic) == "\x7f"
                                                  "ELF";
}

/// What the bits of a program do, and then the program. Once it has started its capabilities are
/// those of its new user: the kernel makes all of them effective for root, and for another user
/// because they are ambient.
ReplayedCall become(const Call& call, const ThreadStatus& status, const struct stat& program) {
  const auto kept = status.permitted;
  ReplayedCall replay;
  replay.text = CapabilityCall::text({kept, kept, kept});
  replay.steps.push_back(set_sets(0));
  if ((program.st_mode & S_ISGID) != 0) {
    replay.steps.push_back(set_groups(program.st_gid, program.st_gid, program.st_gid));
    replay.undo.push_back(
        set_groups(status.groups.real, status.groups.effective, status.groups.saved));
  }
  if ((program.st_mode & S_ISUID) != 0) {
    replay.steps.push_back(set_users(program.st_uid, program.st_uid, program.st_uid));
    replay.undo.push_back(set_users(status.users.real, status.users.effective, status.users.saved));
    if (program.st_uid == 0) {
      // Root's own, which end with it.
      replay.steps.push_back(set_sets(replay.text.size()));
      replay.text += CapabilityCall::text({kept, kept, 0});
    }
  }
  replay.undo.push_back(set_sets(replay.text.size()));
  replay.text += CapabilityCall::text({});
  replay.undo.push_back(show_process());
  replay.steps.push_back(show_process());
  replay.answer = replay.steps.size();
  replay.steps.push_back(own_step(call));
  return replay;
}

/// The program without any rights that could be woken.
ReplayedCall start_without_rights(const Call& call) {
  return ReplayedCall{
      .steps = {set_sets(0), own_step(call)}, .text = CapabilityCall::text({}), .answer = 1};
}

std::size_t size_of_sets() {
  return CapabilityCall::text({}).size() - CapabilityCall::sets_offset;
}

/// A process whose rights sleep has none, as far as it is told.
CallAnswer answer_capget(const Call& call) {
  const std::string none(size_of_sets(), '\0');
  return call.argument(1) == 0 ? PassedCall{} : write_answer(call, 1, none);
}

CallAnswer answer_capset(const Call& call) {
  std::string wanted(size_of_sets(), '\0');
  if (const int error = call.read(call.argument(1), wanted); error != 0)
    return FailedCall{error};
  if (wanted.find_first_not_of('\0') != std::string::npos)
    return FailedCall{EPERM};
  return ReturnedValue{0};
}

// The first calls of a program are among these, whatever it was made with: the heap's end and the
// thread's own data are asked for or told once, at the beginning.
constexpr TrappedCall call_table[] = {
    {SYS_brk, TrappedCall::Pass{0, any_flag}},
    {SYS_set_tid_address},
    {SYS_sched_getaffinity},
#ifdef SYS_arch_prctl
    {SYS_arch_prctl},
#endif
    {SYS_capget},
    {SYS_capset},
};

} // namespace

std::span<const TrappedCall> SleepingRights::calls() {
  return call_table;
}

std::optional<CallAnswer> SleepingRights::answer(const KernelView& view, const Call& call) {
  switch (call.number()) {
  case SYS_execve:
    return start_program(view, call);
  case SYS_brk:
  case SYS_set_tid_address:
  case SYS_sched_getaffinity:
#ifdef SYS_arch_prctl
  case SYS_arch_prctl:
#endif
    return begin(call);
  case SYS_capget:
  case SYS_capset: {
    const auto status = thread_status(call.thread());
    if (!status || !status->is_asleep())
      return PassedCall{};
    return call.number() == SYS_capget ? answer_capget(call) : answer_capset(call);
  }
  default:
    return std::nullopt;
  }
}

std::optional<CallAnswer> SleepingRights::start_program(const KernelView& view, const Call& call) {
  real_ids_.erase(call.thread());
  const auto path = call.path(0);
  if (path.error != 0)
    return std::nullopt;
  const auto found = view.find_inside(call, AT_FDCWD, path.text, FinalLink::follow);
  struct stat info {};
  // Another thread than the first becomes the first one by this: it cannot be held meanwhile.
  if (!found || found->error != 0 || !found->thread.is_asleep() ||
      found->thread.process != call.thread() || ::fstat(found->file.get(), &info) != 0)
    return std::nullopt;
  if (!changes_ids(*found, info)) {
    // The kernel hides a program that its user cannot read: nothing could be put to sleep then.
    if (may_access_as_its_thread(*found, R_OK))
      return std::nullopt;
    return start_without_rights(call);
  }
  real_ids_[call.thread()] = {found->thread.users.real, found->thread.groups.real};
  return become(call, found->thread, info);
}

CallAnswer SleepingRights::begin(const Call& call) {
  const auto status = thread_status(call.thread());
  if (!status)
    return PassedCall{};
  ReplayedCall replay{.steps = {own_step(call)}, .otherwise = ReplayedCall::Otherwise::pass};
  if (const auto real = real_ids_.find(status->process); real != real_ids_.end()) {
    replay.steps.push_back(set_groups(real->second.group, same_id, same_id));
    replay.steps.push_back(set_users(real->second.user, same_id, same_id));
    real_ids_.erase(real);
  }
  if (status->is_asleep() && status->effective != 0) {
    replay.steps.push_back(set_sets(0));
    replay.text = CapabilityCall::text({0, status->permitted, status->permitted});
  }
  if (replay.steps.size() == 1)
    return PassedCall{};
  return replay;
}

} // namespace cairn
