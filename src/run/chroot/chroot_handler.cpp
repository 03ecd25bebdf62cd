#include "run/chroot/chroot_handler.hpp"

#include <algorithm>

namespace cairn {

std::vector<ChrootCall> chroot_calls() {
  std::vector<ChrootCall> all;
  for (const auto& family : {open_calls(), stat_calls(), look_calls(), exec_calls(),
                             directory_calls(), attribute_calls(), inode_calls(), link_calls(),
                             identity_calls(), name_calls(), signal_calls()})
    all.insert(all.end(), family.begin(), family.end());
  return all;
}

CallAnswer write_answer(const Call& call, unsigned argument, std::span<const char> bytes) {
  if (const int error = call.write(call.argument(argument), bytes); error != 0)
    return FailedCall{error};
  return ReturnedValue{0};
}

ChrootHandler::ChrootHandler(KernelView view, Rights rights, ChangeGuard changes)
    : view_(std::move(view)), changes_(changes) {
  if (rights == Rights::asleep)
    rights_.emplace();
  for (const auto& call : chroot_calls()) {
    const auto number = static_cast<std::size_t>(call.call.number);
    answers_.resize(std::max(answers_.size(), number + 1), nullptr);
    answers_[number] = call.answer;
  }
}

std::vector<sock_filter> ChrootHandler::filter() const {
  // Of two rows for one call the first one counts.
  std::vector<TrappedCall> calls;
  if (rights_)
    calls.assign(SleepingRights::calls().begin(), SleepingRights::calls().end());
  const auto guarded = guarded_calls(changes_);
  calls.insert(calls.end(), guarded.begin(), guarded.end());
  for (const auto& call : chroot_calls())
    calls.push_back(call.call);
  return make_call_filter(calls);
}

CallAnswer ChrootHandler::answer(const Call& call) {
  if (rights_)
    if (auto answer = rights_->answer(view_, call))
      return *std::move(answer);
  if (const auto refused = refuse_change(view_, call, changes_))
    return *refused;
  const auto number = static_cast<std::size_t>(call.number());
  if (call.number() < 0 || number >= answers_.size() || answers_[number] == nullptr)
    return PassedCall{};
  return answers_[number](view_, call);
}

} // namespace cairn
