#include "run/supervised/thread_status.hpp"

#include "run/mounts/mount_calls.hpp"
#include "util/fd.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <string>
#include <vector>

namespace cairn {

namespace {

constexpr std::size_t most_status = 8192;
constexpr unsigned unchanged = ~0U;

/// The numbers behind a name, up to four.
std::optional<std::array<unsigned, 4>> numbers_of(std::string_view line, std::string_view name) {
  if (!line.starts_with(name))
    return std::nullopt;
  std::array<unsigned, 4> found{};
  std::size_t count = 0;
  for (const auto& field : split(line.substr(name.size()), '\t')) {
    if (field.empty())
      continue;
    const auto number = parse_unsigned(field);
    if (!number || *number > UINT32_MAX || count == found.size())
      return std::nullopt;
    found[count++] = static_cast<unsigned>(*number);
  }
  return found;
}

/// The set behind a name, in hexadecimal digits.
std::optional<CapabilitySet> set_of(std::string_view line, std::string_view name) {
  if (!line.starts_with(name))
    return std::nullopt;
  const auto digits = trim(line.substr(name.size()));
  CapabilitySet set = 0;
  const auto end = std::from_chars(digits.data(), digits.data() + digits.size(), set, 16);
  if (end.ec != std::errc() || end.ptr != digits.data() + digits.size())
    return std::nullopt;
  return set;
}

ThreadStatus::Ids ids_of(const std::array<unsigned, 4>& numbers) {
  return {numbers[0], numbers[1], numbers[2], numbers[3]};
}

} // namespace

std::optional<ThreadStatus> parse_thread_status(std::string_view text) {
  std::optional<std::array<unsigned, 4>> process;
  std::optional<std::array<unsigned, 4>> users;
  std::optional<std::array<unsigned, 4>> groups;
  std::optional<CapabilitySet> permitted;
  std::optional<CapabilitySet> effective;
  for (const auto& line : split(text, '\n')) {
    if (!process)
      process = numbers_of(line, "Tgid:");
    if (!users)
      users = numbers_of(line, "Uid:");
    if (!groups)
      groups = numbers_of(line, "Gid:");
    if (!permitted)
      permitted = set_of(line, "CapPrm:");
    if (!effective)
      effective = set_of(line, "CapEff:");
  }
  if (!process || !users || !groups || !permitted || !effective || (*process)[0] > INT32_MAX)
    return std::nullopt;
  return ThreadStatus{static_cast<pid_t>((*process)[0]), ids_of(*users), ids_of(*groups),
                      *permitted, *effective};
}

std::optional<ThreadStatus> thread_status(pid_t thread) {
  const Fd file(::open(StackPath(StackPath("/proc", thread).c_str(), "status").c_str(),
                       O_RDONLY | O_CLOEXEC));
  char text[most_status];
  const auto count = file ? ::read(file.get(), text, sizeof text) : -1;
  if (count <= 0)
    return std::nullopt;
  return parse_thread_status({text, static_cast<std::size_t>(count)});
}

namespace {

// libc's functions of these names change all threads of a program.

uid_t file_user() noexcept {
  return static_cast<uid_t>(::syscall(SYS_setfsuid, unchanged));
}

gid_t file_group() noexcept {
  return static_cast<gid_t>(::syscall(SYS_setfsgid, unchanged));
}

/// The user goes last when it is root no more, and first when it is again.
void set_file_ids(uid_t user, gid_t group) noexcept {
  if (user == 0)
    ::syscall(SYS_setfsuid, user);
  if (file_group() != group)
    ::syscall(SYS_setfsgid, group);
  if (user != 0)
    ::syscall(SYS_setfsuid, user);
}

} // namespace

BorrowedRights::BorrowedRights(const ThreadStatus& status) noexcept
    : user_(file_user()), group_(file_group()) {
  if (user_ != status.users.filesystem || group_ != status.groups.filesystem)
    set_file_ids(status.users.filesystem, status.groups.filesystem);
}

BorrowedRights::~BorrowedRights() {
  const int error = errno;
  set_file_ids(user_, group_);
  errno = error;
}

LookingRights::LookingRights(const ThreadStatus& looked_at) noexcept
    : user_(file_user()), group_(file_group()) {
  set_file_ids(looked_at.users.real, looked_at.groups.real);
  if (looked_at.is_asleep())
    slept_ = activate_capabilities(all_capabilities);
}

LookingRights::~LookingRights() {
  const int error = errno;
  if (slept_)
    activate_capabilities(*slept_);
  set_file_ids(user_, group_);
  errno = error;
}

BorrowedIds::BorrowedIds(const ThreadStatus& status) noexcept
    : user_(::getuid()), group_(::getgid()) {
  if (status.users.real != user_ || status.groups.real != group_) {
    ::syscall(SYS_setresgid, status.groups.real, unchanged, unchanged);
    ::syscall(SYS_setresuid, status.users.real, unchanged, unchanged);
  }
}

BorrowedIds::~BorrowedIds() {
  const int error = errno;
  ::syscall(SYS_setresuid, user_, unchanged, unchanged);
  ::syscall(SYS_setresgid, group_, unchanged, unchanged);
  errno = error;
}

} // namespace cairn
