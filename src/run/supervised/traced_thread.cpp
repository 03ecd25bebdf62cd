#include "run/supervised/traced_thread.hpp"

#include <elf.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace cairn {

namespace {

constexpr int call_stop = SIGTRAP | 0x80; // PTRACE_O_TRACESYSGOOD
/// Results by which a call says that it wants to begin anew (ERESTARTSYS and its kin).
constexpr std::int64_t first_restart = -516;
constexpr std::int64_t last_restart = -512;
constexpr std::uint64_t red_zone = 256;

#if defined(__x86_64__)

constexpr std::uint64_t call_size = 2; // syscall

/// `before` is what the stop on the way back showed: behind the instruction.
void set_call(user_regs_struct& registers, const user_regs_struct& before,
              const ReplayedCall::Step& step) {
  registers = before;
  registers.rip = before.rip - call_size;
  registers.rax = static_cast<unsigned long long>(step.number);
  registers.orig_rax = ~0ULL; // No call that could begin anew.
  registers.rdi = step.arguments[0];
  registers.rsi = step.arguments[1];
  registers.rdx = step.arguments[2];
  registers.r10 = step.arguments[3];
  registers.r8 = step.arguments[4];
  registers.r9 = step.arguments[5];
}

void set_result_of(user_regs_struct& registers, std::int64_t result) {
  registers.rax = static_cast<unsigned long long>(result);
  registers.orig_rax = ~0ULL;
}

std::int64_t result_of(const user_regs_struct& registers) {
  return static_cast<std::int64_t>(registers.rax);
}

std::uint64_t stack_of(const user_regs_struct& registers) {
  return registers.rsp;
}

#else

constexpr std::uint64_t call_size = 4; // svc #0

/// `before` is what the stop on the way back showed: at the instruction, arguments in place.
void set_call(user_regs_struct& registers, const user_regs_struct& before,
              const ReplayedCall::Step& step) {
  registers = before;
  registers.regs[8] = static_cast<unsigned long long>(step.number);
  for (std::size_t i = 0; i < step.arguments.size(); ++i)
    registers.regs[i] = step.arguments[i];
}

void set_result_of(user_regs_struct& registers, std::int64_t result) {
  registers.regs[0] = static_cast<unsigned long long>(result);
  registers.pc += call_size;
}

std::int64_t result_of(const user_regs_struct& registers) {
  return static_cast<std::int64_t>(registers.regs[0]);
}

std::uint64_t stack_of(const user_regs_struct& registers) {
  return registers.sp;
}

#endif

bool get_registers(pid_t thread, user_regs_struct& registers) {
  iovec part{&registers, sizeof registers};
  return ::ptrace(PTRACE_GETREGSET, thread, NT_PRSTATUS, &part) == 0;
}

bool set_registers(pid_t thread, user_regs_struct& registers) {
  iovec part{&registers, sizeof registers};
  return ::ptrace(PTRACE_SETREGSET, thread, NT_PRSTATUS, &part) == 0;
}

} // namespace

std::optional<TracedThread> TracedThread::seize(pid_t thread) {
  // It never goes on by itself in the middle of another's calls.
  constexpr long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
  if (::ptrace(PTRACE_SEIZE, thread, nullptr, options) != 0)
    return std::nullopt;
  TracedThread traced(thread);
  ::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr);
  return traced;
}

TracedThread::TracedThread(TracedThread&& other) noexcept
    : thread_(std::exchange(other.thread_, 0)), stopped_(other.stopped_),
      restores_(other.restores_), stop_signal_(other.stop_signal_), registers_(other.registers_),
      signals_(other.signals_), result_(other.result_) {}

TracedThread::~TracedThread() {
  if (exists())
    let_go();
}

bool TracedThread::await(Stop stop, enum __ptrace_request go_on) {
  for (;;) {
    int status = 0;
    pid_t found = 0;
    do
      found = ::waitpid(thread_, &status, __WALL);
    while (found < 0 && errno == EINTR);
    if (found != thread_ || !WIFSTOPPED(status)) {
      thread_ = 0;
      return false;
    }
    const bool is_event = status >> 16 == PTRACE_EVENT_STOP;
    const bool is_call = WSTOPSIG(status) == call_stop;
    if (stop == Stop::on_way_back ? is_event : is_call)
      return true;
    // All others wait: only SIGSTOP comes through.
    if (!is_event && !is_call)
      stop_signal_ = true;
    ::ptrace(go_on, thread_, nullptr, nullptr);
  }
}

bool TracedThread::await_stop() {
  if (!await(Stop::on_way_back, PTRACE_CONT))
    return false;
  std::uint64_t all = ~std::uint64_t{0};
  stopped_ = get_registers(thread_, registers_) &&
             ::ptrace(PTRACE_GETSIGMASK, thread_, sizeof signals_, &signals_) == 0 &&
             ::ptrace(PTRACE_SETSIGMASK, thread_, sizeof all, &all) == 0;
  return stopped_;
}

std::optional<std::uint64_t> TracedThread::write(const std::string& text) const {
  const auto words = text.size() / sizeof(long) + 1; // With a NUL at least.
  const auto address =
      (stack_of(registers_) - red_zone - words * sizeof(long)) & ~std::uint64_t{15};
  for (std::size_t i = 0; i < words; ++i) {
    long word = 0;
    std::memcpy(&word, text.data() + i * sizeof word,
                std::min(sizeof word, text.size() - i * sizeof word));
    if (::ptrace(PTRACE_POKEDATA, thread_, address + i * sizeof word, word) != 0)
      return std::nullopt;
  }
  return address;
}

bool TracedThread::go_on_to_call() {
  ::ptrace(PTRACE_SYSCALL, thread_, nullptr, nullptr);
  return await(Stop::at_call, PTRACE_SYSCALL);
}

std::optional<std::int64_t> TracedThread::make(const ReplayedCall::Step& step) {
  user_regs_struct registers{};
  set_call(registers, registers_, step);
  if (!set_registers(thread_, registers))
    return std::nullopt;
  for (;;) {
    // Stops where the call begins, and where it ends.
    if (!go_on_to_call() || !go_on_to_call() || !get_registers(thread_, registers))
      return std::nullopt;
    const auto result = result_of(registers);
    if (result < first_restart || result > last_restart)
      return result;
  }
}

void TracedThread::let_go() {
  if (stopped_) {
    if (restores_) {
      set_result_of(registers_, result_);
      set_registers(thread_, registers_);
    }
    ::ptrace(PTRACE_SETSIGMASK, thread_, sizeof signals_, &signals_);
  }
  ::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
  if (stop_signal_)
    ::syscall(SYS_tkill, thread_, SIGSTOP);
}

} // namespace cairn
