#include "run/supervised/call_filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <utility>

namespace cairn {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_X86_64;
constexpr std::uint32_t first_x32_call = 0x40000000;
#elif defined(__aarch64__)
constexpr std::uint32_t own_architecture = AUDIT_ARCH_AARCH64;
constexpr std::uint32_t first_x32_call = 0; // There are none.
#else
#error "calls are supervised on amd64 and arm64"
#endif

constexpr std::uint32_t not_there = SECCOMP_RET_ERRNO | ENOSYS;

/// Calls that open or change files unseen; whoever makes them knows what to do where they are not
/// there, as on older kernels. Numbers are those of all machines, for headers know no more than the
/// kernel that they are from.
constexpr std::uint32_t unseen_calls[] = {
    SYS_io_uring_setup,
    463, // setxattrat, Linux 6.13
    466, // removexattrat
    469, // file_setattr, Linux 6.17
};

class FilterText {
public:
  void load(std::size_t offset) {
    add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
  }
  void answer(std::uint32_t action) { add(BPF_RET | BPF_K, action); }
  /// The next `skipped` instructions are left out unless `test` of the loaded value and `operand`
  /// holds.
  void unless(std::uint16_t test, std::uint32_t operand, std::uint8_t skipped) {
    text_.push_back({static_cast<std::uint16_t>(BPF_JMP | BPF_K | test), 0, skipped, operand});
  }
  /// They are left out if it holds.
  void when(std::uint16_t test, std::uint32_t operand, std::uint8_t skipped) {
    text_.push_back({static_cast<std::uint16_t>(BPF_JMP | BPF_K | test), skipped, 0, operand});
  }
  void append(const std::vector<sock_filter>& text) {
    text_.insert(text_.end(), text.begin(), text.end());
  }
  std::uint8_t size() const { return static_cast<std::uint8_t>(text_.size()); }
  std::vector<sock_filter> take() { return std::move(text_); }

private:
  void add(unsigned code, std::uint32_t operand) {
    text_.push_back({static_cast<std::uint16_t>(code), 0, 0, operand});
  }

  std::vector<sock_filter> text_;
};

/// The lower half of an argument; both architectures are little-endian.
constexpr std::size_t argument_offset(unsigned argument) {
  return offsetof(seccomp_data, args) + std::size_t{8} * argument;
}

void add_pass(FilterText& filter, const TrappedCall::Pass& pass) {
  filter.load(argument_offset(pass.argument));
  if (pass.flags != 0) {
    filter.unless(BPF_JSET, pass.flags, 1);
  } else {
    filter.unless(BPF_JEQ, 0, 3);
    filter.load(argument_offset(pass.argument) + sizeof(std::uint32_t));
    filter.unless(BPF_JEQ, 0, 1);
  }
  filter.answer(SECCOMP_RET_ALLOW);
}

void add_call(FilterText& filter, const TrappedCall& call) {
  FilterText answers;
  if (call.pass)
    add_pass(answers, *call.pass);
  answers.answer(SECCOMP_RET_USER_NOTIF);
  filter.unless(BPF_JEQ, static_cast<std::uint32_t>(call.number), answers.size());
  filter.append(answers.take());
}

} // namespace

std::vector<sock_filter> make_call_filter(std::span<const TrappedCall> calls) {
  FilterText filter;
  filter.load(offsetof(seccomp_data, arch));
  filter.when(BPF_JEQ, own_architecture, 1);
  filter.answer(SECCOMP_RET_USER_NOTIF);
  filter.load(offsetof(seccomp_data, nr));
  if (first_x32_call != 0) {
    filter.unless(BPF_JGE, first_x32_call, 1);
    filter.answer(SECCOMP_RET_USER_NOTIF);
  }
  for (const auto number : unseen_calls) {
    filter.unless(BPF_JEQ, number, 1);
    filter.answer(not_there);
  }
  for (const auto& call : calls)
    add_call(filter, call);
  filter.answer(SECCOMP_RET_ALLOW);
  return filter.take();
}

bool is_foreign(const seccomp_data& call) noexcept {
  return call.arch != own_architecture ||
         (first_x32_call != 0 && static_cast<std::uint32_t>(call.nr) >= first_x32_call);
}

} // namespace cairn
