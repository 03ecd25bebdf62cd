#include "util/process.hpp"

#include "util/error.hpp"
#include "util/fd.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace cairn {

namespace {

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (const auto& text : texts)
    out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

/// Ends and reaps a child that is still there when its owner leaves early.
class Child {
public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }

  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }

private:
  pid_t pid_;
};

pid_t spawn(const ProcessSpec& spec, const Pipe& in, const Pipe& out, const Pipe& err) {
  const auto program = find_program(spec.argv.at(0), spec.path);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
  // The program gets the signals that this one may have blocked or ignored.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes,
                                  pointers(spec.argv).data(), pointers(spec.environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    throw SysError(error, "run '{}'", program);
  return pid;
}

/// Moves input in and output out until both outputs have ended.
void converse(std::string_view input, Pipe& in, std::array<Fd, 2> readers,
              const std::array<std::string*, 2>& texts, std::size_t limit) {
  ::fcntl(in.write.get(), F_SETFL, O_NONBLOCK);
  if (input.empty())
    in.write.reset();
  while (readers[0] || readers[1] || in.write) {
    std::array<pollfd, 3> waits = {{{readers[0].get(), POLLIN, 0},
                                    {readers[1].get(), POLLIN, 0},
                                    {in.write.get(), POLLOUT, 0}}};
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR)
      throw SysError(errno, "wait for a program");
    for (std::size_t i = 0; i < 2; ++i) {
      std::byte buffer[4096];
      if (waits[i].revents == 0)
        continue;
      if (const auto count = read_some(readers[i], buffer); count == 0)
        readers[i].reset();
      else if (texts[i]->size() + count <= limit)
        texts[i]->append(reinterpret_cast<const char*>(buffer), count);
      else if (i == 0)
        throw Error("program printed more than {} bytes", limit);
    }
    if (waits[2].revents != 0) {
      const auto count = ::write(in.write.get(), input.data(), input.size());
      if (count > 0)
        input.remove_prefix(static_cast<std::size_t>(count));
      if (input.empty() || (count < 0 && errno != EAGAIN && errno != EINTR))
        in.write.reset();
    }
  }
}

} // namespace

std::string find_program(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos)
    return name;
  for (const auto& directory : split(path, ':')) {
    auto candidate = (directory.empty() ? "." : directory) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0)
      return candidate;
  }
  throw SysError(ENOENT, "run '{}'", name);
}

ProcessResult run_process(const ProcessSpec& spec) {
  return within(
      [&] {
        Pipe in = make_pipe();
        Pipe out = make_pipe();
        Pipe err = make_pipe();
        Child child(spawn(spec, in, out, err));
        in.read.reset();
        out.write.reset();
        err.write.reset();
        ProcessResult result;
        converse(spec.input, in, {std::move(out.read), std::move(err.read)},
                 {&result.output, &result.errors}, spec.output_limit);
        result.exit_status = child.wait();
        return result;
      },
      "run '{}'", spec.argv.at(0));
}

} // namespace cairn
