#include "run/supervised/call.hpp"

#include "run/mounts/mount_calls.hpp"
#include "run/supervised/thread_status.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

bool is_refused(int error) {
  return error == EPERM || error == EACCES;
}

/// An errno or 0 of `access`, tried again with rights to look at the thread where it is refused: a
/// command of another user.
template<class Access>
int with_rights_for(pid_t thread, const Access& access) {
  const int error = access();
  if (!is_refused(error))
    return error;
  const auto status = thread_status(thread);
  if (!status)
    return ESRCH;
  const LookingRights looking(*status);
  return access();
}

} // namespace

ReplayedCall::Step own_step(const Call& call) {
  ReplayedCall::Step step{call.number()};
  for (unsigned i = 0; i < step.arguments.size(); ++i)
    step.arguments[i] = call.argument(i);
  return step;
}

ReplayedCall::Step show_process() {
  return {SYS_prctl, {PR_SET_DUMPABLE, 1}};
}

const RemoteText& Call::glance_at_path(unsigned index) const {
  if (paths_[index])
    return *paths_[index];
  auto& found = paths_[index].emplace();
  with_rights_for(thread(), [&] {
    found = read_remote_path(argument(index),
                             [&](std::uint64_t address, std::span<char> buffer) -> ssize_t {
                               return read_memory(thread(), address, buffer);
                             });
    return found.error;
  });
  return found;
}

RemoteText Call::path(unsigned index) const {
  const auto& found = glance_at_path(index);
  return is_waiting() ? found : RemoteText{{}, ESRCH};
}

int Call::read(std::uint64_t address, std::span<char> buffer) const {
  return with_rights_for(thread(), [&] { return try_to_read(address, buffer); });
}

int Call::write(std::uint64_t address, std::span<const char> bytes) const {
  return with_rights_for(thread(), [&] { return try_to_write(address, bytes); });
}

int Call::try_to_read(std::uint64_t address, std::span<char> buffer) const {
  while (!buffer.empty()) {
    const auto count = read_memory(thread(), address, buffer);
    if (count <= 0)
      return count == 0 ? EFAULT : static_cast<int>(-count);
    address += static_cast<std::uint64_t>(count);
    buffer = buffer.subspan(static_cast<std::size_t>(count));
  }
  return is_waiting() ? 0 : ESRCH;
}

int Call::try_to_write(std::uint64_t address, std::span<const char> bytes) const {
  const Fd memory(
      ::open(StackPath(StackPath("/proc", thread()).c_str(), "mem").c_str(), O_RDWR | O_CLOEXEC));
  if (!memory)
    return errno;
  // From here on the descriptor means the memory that it means now, whoever gets the number next.
  if (!is_waiting())
    return ESRCH;
  while (!bytes.empty()) {
    const auto count =
        ::pwrite(memory.get(), bytes.data(), bytes.size(), static_cast<off_t>(address));
    if (count <= 0)
      return count == 0 || is_no_address(errno) ? EFAULT : errno;
    address += static_cast<std::uint64_t>(count);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return 0;
}

} // namespace cairn
