#include "run/process/command_process.hpp"

#include "run/process/handshake.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>

namespace cairn {

namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts)
    out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// Above the standard descriptors, so that connecting those cannot overwrite it.
Fd duplicate(FdRef fd) {
  const int copy = ::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3);
  if (copy < 0)
    throw SysError(errno, "duplicate a descriptor");
  return Fd(copy);
}

Fd text_file(const std::string& text) {
  Fd file(::memfd_create("stdin", MFD_CLOEXEC));
  if (!file)
    throw SysError(errno, "create a file in memory");
  write_all(file, std::as_bytes(std::span(text)));
  if (::lseek(file.get(), 0, SEEK_SET) != 0)
    throw SysError(errno, "rewind a file in memory");
  return file;
}

void reset_signals() noexcept {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number)
    ::sigaction(number, &action, nullptr); // Fails for SIGKILL, SIGSTOP and libc's own.
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

void close_range_of(unsigned first, unsigned last, Closing when) noexcept {
  const unsigned flags = when == Closing::on_exec ? CLOSE_RANGE_CLOEXEC : 0;
  if (first > last || ::syscall(SYS_close_range, first, last, flags) == 0)
    return;
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto end = static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur, 1U << 16));
  for (unsigned fd = first; fd < end && fd <= last; ++fd) {
    if (when == Closing::now)
      ::close(static_cast<int>(fd));
    else
      ::fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC);
  }
}

} // namespace

std::vector<std::string> program_candidates(const std::string& name,
                                            const std::vector<std::string>& environment) {
  if (name.find('/') != std::string::npos)
    return {name};
  constexpr std::string_view key = "PATH=";
  std::vector<std::string> found;
  for (const auto& variable : environment) {
    if (!std::string_view(variable).starts_with(key))
      continue;
    for (const auto& directory : split(std::string_view(variable).substr(key.size()), ':'))
      found.push_back((directory.empty() ? "." : directory) + "/" + name);
    break;
  }
  return found;
}

CommandPlan::CommandPlan(const Invocation& invocation, const CommandOutput& output)
    : argv_(invocation.argv), environment_(invocation.environment),
      working_directory_(invocation.working_directory.str()), uid_(invocation.uid),
      gid_(invocation.gid), groups_(invocation.groups) {
  if (argv_.empty() || argv_.front().empty())
    throw Error("exec: no program is given");
  for (const auto* texts : {&argv_, &environment_}) {
    for (const auto& text : *texts) {
      if (text.find('\0') != std::string::npos)
        throw Error("exec: an argument or variable holds a NUL byte");
    }
  }
  candidates_ = program_candidates(argv_.front(), environment_);
  null_ = duplicate(open_at(current_directory(), "/dev/null", O_RDWR));
  input_ = invocation.input ? duplicate(text_file(*invocation.input)) : duplicate(null_);
  output_ = duplicate(output.output());
  errors_ = duplicate(output.errors());
  argv_pointers_ = pointers(argv_);
  environment_pointers_ = pointers(environment_);
}

std::vector<int> CommandPlan::descriptors() const {
  return {null_.get(), input_.get(), output_.get(), errors_.get()};
}

namespace {

/// mkdir -p with mode 0755, as `uid`'s and `gid`'s. Async-signal-safe.
bool make_directories_of(const std::string& path, uid_t uid, gid_t gid) noexcept {
  char prefix[PATH_MAX];
  if (path.size() >= sizeof prefix)
    return false;
  std::memcpy(prefix, path.c_str(), path.size() + 1);
  for (std::size_t i = 1; i <= path.size(); ++i) {
    if (prefix[i] != '/' && prefix[i] != '\0')
      continue;
    const char end = std::exchange(prefix[i], '\0');
    const mode_t mask = ::umask(022);
    const int result = ::mkdir(prefix, 0755);
    ::umask(mask);
    if (result == 0 ? ::lchown(prefix, uid, gid) != 0 : errno != EEXIST)
      return false;
    prefix[i] = end;
  }
  return true;
}

} // namespace

void CommandPlan::become(int socket, pid_t supervisor) const noexcept {
  ::setsid();
  if (::dup2(input_.get(), 0) < 0 || ::dup2(output_.get(), 1) < 0 || ::dup2(errors_.get(), 2) < 0)
    give_up(socket, SetupStep::connect_streams, errno);
  if (preparation_ != nullptr)
    preparation_->enter(socket);
  // A directory that only root may enter is entered as root, one that only the user may enter
  // (on a network file system, say) as the user.
  bool entered = ::chdir(working_directory_.c_str()) == 0;
  // An image may name a working directory that it does not have.
  if (!entered && errno == ENOENT)
    entered = make_directories_of(working_directory_, uid_, gid_) &&
              ::chdir(working_directory_.c_str()) == 0;
  if (!entered && errno != EACCES)
    give_up(socket, SetupStep::working_directory, errno);
  ::umask(022);
  if (const int error = take_identity(socket); error != 0)
    give_up(socket, SetupStep::capabilities, error);
  if (!entered && ::chdir(working_directory_.c_str()) != 0)
    give_up(socket, SetupStep::working_directory, errno);
  // After the last change of identity, which would cancel it.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != supervisor)
    ::_exit(127);
  close_descriptors(nullptr, 0, Closing::on_exec);
  reset_signals();
  if (preparation_ != nullptr)
    preparation_->confine(socket);
  exec(socket);
}

int CommandPlan::take_identity(int socket) const noexcept {
  const CapabilitySet usual = container_capabilities & permitted_capabilities();
  if (const int error = bound_capabilities(container_capabilities); error != 0)
    return error;
  // The plain system calls: libc's wrappers want to change all threads of a program that, in this
  // process, has only one left.
  if (::syscall(SYS_setgroups, groups_.size(), groups_.data()) != 0)
    give_up(socket, SetupStep::groups, errno);
  if (::syscall(SYS_setresgid, gid_, gid_, gid_) != 0)
    give_up(socket, SetupStep::gid, errno);
  if (keeps_capabilities_)
    return become_user_with(usual, uid_);
  if (::syscall(SYS_setresuid, uid_, uid_, uid_) != 0)
    give_up(socket, SetupStep::uid, errno);
  return set_capabilities(uid_ == 0 ? usual : CapabilitySet{0});
}

void CommandPlan::exec(int socket) const noexcept {
  const bool searched = argv_.front().find('/') == std::string::npos;
  int result = ENOENT;
  for (const auto& candidate : candidates_) {
    ::execve(candidate.c_str(), argv_pointers_.data(), environment_pointers_.data());
    const int error = errno;
    if (error == ENOENT && ::access(candidate.c_str(), F_OK) == 0)
      give_up(socket, SetupStep::exec_interpreter, error);
    const bool may_be_elsewhere = error == ENOENT || error == ENOTDIR || error == EACCES;
    if (!searched || !may_be_elsewhere) {
      result = error;
      break;
    }
  }
  give_up(socket, SetupStep::exec, result);
}

void close_descriptors(const int* kept, std::size_t count, Closing when) noexcept {
  unsigned first = 3;
  for (std::size_t i = 0; i < count; ++i) {
    const auto fd = static_cast<unsigned>(kept[i]);
    if (fd > first)
      close_range_of(first, fd - 1, when);
    first = std::max(first, fd + 1);
  }
  close_range_of(first, INT_MAX, when);
}

pid_t raw_clone(unsigned long flags) noexcept {
  return static_cast<pid_t>(::syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0));
}

} // namespace cairn
