#include "run/chroot/chroot_calls.hpp"

#include <sys/syscall.h>

#include <array>
#include <optional>

// The kernel lets no one hold a process whose real, effective and saved ids differ. So what root
// assumes for a while (seteuid, as apt does) is its file system id alone, which is what counts for
// files: the effective one is that of files then, as far as anybody is told.

namespace cairn {

namespace {

using Step = ReplayedCall::Step;

/// The calls for one kind of ids.
struct Kind {
  ThreadStatus::Ids ThreadStatus::*ids;
  long set_all;  ///< setresuid, setresgid
  long set_file; ///< setfsuid, setfsgid
};

constexpr Kind users{&ThreadStatus::users, SYS_setresuid, SYS_setfsuid};
constexpr Kind groups{&ThreadStatus::groups, SYS_setresgid, SYS_setfsgid};

constexpr std::uint32_t unset = ~std::uint32_t{0};

/// The id that the call makes the effective one, if it leaves the others as they are.
std::optional<std::uint32_t> assumed_by(const Call& call) {
  const auto id = [&](unsigned index) { return static_cast<std::uint32_t>(call.argument(index)); };
  switch (call.number()) {
  case SYS_setresuid:
  case SYS_setresgid:
    return id(0) == unset && id(2) == unset ? std::optional(id(1)) : std::nullopt;
  case SYS_setreuid:
  case SYS_setregid:
    return id(0) == unset ? std::optional(id(1)) : std::nullopt;
  default:
    return std::nullopt;
  }
}

CallAnswer change(const Call& call, const Kind& kind) {
  ReplayedCall replay{.steps = {}, .otherwise = ReplayedCall::Otherwise::pass};
  const auto status = thread_status(call.thread());
  if (!status)
    return PassedCall{};
  const auto& ids = (*status).*kind.ids;
  const auto assumed = assumed_by(call);
  if (assumed && *assumed != unset && status->users.effective == 0 && ids.are_one()) {
    // What it returns is the id that was, so that the other one's result is the answer.
    replay.steps = {{kind.set_file, {*assumed}}, show_process()};
    replay.answer = 1;
    return replay;
  }
  if (ids.are_assumed()) {
    // Not for a while: the kernel's own from here on.
    replay.steps.push_back({kind.set_all, {unset, ids.filesystem, unset}});
    replay.answer = 1;
  }
  replay.steps.push_back(own_step(call));
  replay.steps.push_back(show_process());
  return replay;
}

CallAnswer change_user(const KernelView&, const Call& call) {
  return change(call, users);
}

CallAnswer change_group(const KernelView&, const Call& call) {
  return change(call, groups);
}

/// Nothing for a thread that has assumed no id.
std::optional<ThreadStatus::Ids> assumed_ids(const Call& call, const Kind& kind) {
  const auto status = thread_status(call.thread());
  if (!status)
    return std::nullopt;
  const auto& ids = (*status).*kind.ids;
  return ids.are_assumed() ? std::optional(ids) : std::nullopt;
}

CallAnswer tell_effective(const Call& call, const Kind& kind) {
  const auto ids = assumed_ids(call, kind);
  if (!ids)
    return PassedCall{};
  return ReturnedValue{ids->filesystem};
}

CallAnswer tell_all(const Call& call, const Kind& kind) {
  const auto ids = assumed_ids(call, kind);
  if (!ids)
    return PassedCall{};
  const std::array<std::uint32_t, 3> told = {ids->real, ids->filesystem, ids->saved};
  for (unsigned i = 0; i < told.size(); ++i) {
    const auto* bytes = reinterpret_cast<const char*>(&told.at(i));
    if (const int error = call.write(call.argument(i), std::span(bytes, sizeof told[i]));
        error != 0)
      return FailedCall{error};
  }
  return ReturnedValue{0};
}

CallAnswer geteuid_call(const KernelView&, const Call& call) {
  return tell_effective(call, users);
}

CallAnswer getegid_call(const KernelView&, const Call& call) {
  return tell_effective(call, groups);
}

CallAnswer getresuid_call(const KernelView&, const Call& call) {
  return tell_all(call, users);
}

CallAnswer getresgid_call(const KernelView&, const Call& call) {
  return tell_all(call, groups);
}

constexpr ChrootCall identity_table[] = {
    {{SYS_setuid}, change_user},       {{SYS_setreuid}, change_user},
    {{SYS_setresuid}, change_user},    {{SYS_setgid}, change_group},
    {{SYS_setregid}, change_group},    {{SYS_setresgid}, change_group},
    {{SYS_geteuid}, geteuid_call},     {{SYS_getegid}, getegid_call},
    {{SYS_getresuid}, getresuid_call}, {{SYS_getresgid}, getresgid_call},
};

} // namespace

std::optional<ReplayedCall> with_assumed_ids(const Call& call, const ThreadStatus& status) {
  ReplayedCall replay{.steps = {}, .otherwise = ReplayedCall::Otherwise::pass};
  for (const auto& kind : {groups, users}) {
    const auto& ids = status.*kind.ids;
    if (ids.are_assumed())
      replay.steps.push_back({kind.set_all, {unset, ids.filesystem, unset}});
  }
  if (replay.steps.empty())
    return std::nullopt;
  replay.answer = replay.steps.size();
  replay.steps.push_back(own_step(call));
  return replay;
}

std::span<const ChrootCall> identity_calls() {
  return identity_table;
}

} // namespace cairn
