#include "run/supervised/call_listener.hpp"

#include "util/error.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

// Linux 6.6; older headers lack it.
#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#endif
#ifndef SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

namespace cairn {

namespace {

/// Older kernels do without.
void wake_on_one_processor(FdRef listener, bool both) noexcept {
  ::ioctl(listener.get(), SECCOMP_IOCTL_NOTIF_SET_FLAGS,
          both ? SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP : 0UL);
}

} // namespace

int install_call_filter(std::span<const sock_filter> filter, StoppedWait wait) noexcept {
  // The kernel does not write to it.
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  const unsigned long flags =
      SECCOMP_FILTER_FLAG_NEW_LISTENER |
      (wait == StoppedWait::killable ? SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV : 0UL);
  const long listener = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  return listener < 0 ? -errno : static_cast<int>(listener);
}

StoppedWait best_stopped_wait() noexcept {
  // A program at no address: the flags are looked at first.
  const unsigned long flags =
      SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  const bool known =
      ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, nullptr) != 0 && errno == EFAULT;
  return known ? StoppedWait::killable : StoppedWait::interruptible;
}

CallListener::CallListener(Fd listener) : listener_(std::move(listener)) {
  wake_on_one_processor(listener_, true);
}

std::optional<seccomp_notif> CallListener::receive() const {
  seccomp_notif call{};
  if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &call) == 0)
    return call;
  if (errno != ENOENT && errno != EINTR)
    throw SysError(errno, "receive a system call");
  return std::nullopt;
}

bool CallListener::is_waiting(std::uint64_t id) const noexcept {
  return ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void CallListener::answer(std::uint64_t id, std::int64_t value, int error) const {
  seccomp_notif_resp response{};
  response.id = id;
  response.val = error == 0 ? value : 0;
  response.error = -error;
  send(response);
}

void CallListener::pass(std::uint64_t id) const {
  seccomp_notif_resp response{};
  response.id = id;
  response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  send(response);
}

/// Does what answers a call, which wakes its thread. errno is its.
template<class Answer>
int CallListener::wake(const Answer& answer) const noexcept {
  const bool apart = caller_ == Caller::elsewhere;
  if (apart)
    wake_on_one_processor(listener_, false);
  int result = 0;
  do
    result = answer();
  while (result < 0 && errno == EINTR);
  const int error = errno;
  if (apart)
    wake_on_one_processor(listener_, true); // The supervisor, with the next call.
  errno = error;
  return result;
}

void CallListener::send(const seccomp_notif_resp& response) const {
  auto copy = response;
  const int result =
      wake([&] { return ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &copy); });
  if (result != 0 && errno != ENOENT)
    throw SysError(errno, "answer a system call");
}

int CallListener::answer_with_file(std::uint64_t id, FdRef file, bool close_on_exec) const {
  const int given =
      wake([&] { return add_file(id, file, SECCOMP_ADDFD_FLAG_SEND, close_on_exec); });
  return given < 0 ? errno : 0;
}

std::optional<int> CallListener::give_file(std::uint64_t id, FdRef file) const {
  const int given = add_file(id, file, 0, true);
  return given < 0 ? std::nullopt : std::optional(given);
}

int CallListener::add_file(std::uint64_t id, FdRef file, std::uint32_t flags,
                           bool close_on_exec) const noexcept {
  seccomp_notif_addfd request{};
  request.id = id;
  request.flags = flags;
  request.srcfd = static_cast<std::uint32_t>(file.get());
  request.newfd_flags = close_on_exec ? O_CLOEXEC : 0;
  return ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_ADDFD, &request);
}

} // namespace cairn
