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

/// How long a wait may miss that the child has ended, or that it has to.
constexpr int look_around_ms = 100;

/// Ends and reaps a child, and what it has started, when it is still there as its owner leaves.
class Child {
public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ > 0) {
      ::kill(-pid_, SIGKILL);
      wait();
    }
  }

  bool has_ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
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
  auto program = spec.program ? "/proc/self/fd/" + std::to_string(spec.program->get())
                              : find_program(spec.argv.at(0), spec.path);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
  // A script is opened again by its interpreter: this descriptor stays.
  if (spec.program)
    posix_spawn_file_actions_adddup2(&actions, spec.program->get(), spec.program->get());
  // The program gets the signals that this one may have blocked or ignored.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes,
                                  pointers(spec.argv).data(), pointers(spec.environment).data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0)
    throw SysError(error, "run '{}'", spec.argv.at(0));
  return pid;
}

/// Says when a program has had enough time.
class Patience {
public:
  explicit Patience(const ProcessSpec& spec) : spec_(spec) {}

  void check() const {
    if (spec_.cancel != nullptr && *spec_.cancel)
      throw Error("interrupted");
    if (spec_.time_limit && std::chrono::steady_clock::now() - begun_ > *spec_.time_limit)
      throw Error("it has not ended after {} seconds", spec_.time_limit->count());
  }

private:
  const ProcessSpec& spec_;
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

/// What a program is given and what it says.
struct Talk {
  std::string_view input;
  Fd in;
  std::array<Fd, 2> out;
  std::array<std::string*, 2> texts;

  bool is_over() const { return !out[0] && !out[1] && !in; }
};

/// One wait, and what came of it. False when nothing moved for a moment.
bool exchange(Talk& talk, std::size_t limit) {
  std::array<pollfd, 3> waits = {{{talk.out[0].get(), POLLIN, 0},
                                  {talk.out[1].get(), POLLIN, 0},
                                  {talk.in.get(), POLLOUT, 0}}};
  const int ready = ::poll(waits.data(), waits.size(), look_around_ms);
  if (ready < 0 && errno != EINTR)
    throw SysError(errno, "wait for a program");
  if (ready <= 0)
    return false;
  for (std::size_t i = 0; i < talk.out.size(); ++i) {
    std::byte buffer[4096];
    if (waits[i].revents == 0)
      continue;
    if (const auto count = read_some(talk.out[i], buffer); count == 0)
      talk.out[i].reset();
    else if (talk.texts[i]->size() + count <= limit)
      talk.texts[i]->append(reinterpret_cast<const char*>(buffer), count);
    else if (i == 0)
      throw Error("program printed more than {} bytes", limit);
  }
  if (waits[2].revents != 0) {
    const auto count = ::write(talk.in.get(), talk.input.data(), talk.input.size());
    if (count > 0)
      talk.input.remove_prefix(static_cast<std::size_t>(count));
    if (talk.input.empty() || (count < 0 && errno != EAGAIN && errno != EINTR))
      talk.in.reset();
  }
  return true;
}

/// Moves input in and output out until both outputs have ended, or the program has and nothing more
/// comes: what it has left running may hold them open.
void converse(Talk talk, const ProcessSpec& spec, const Child& child) {
  const Patience patience(spec);
  ::fcntl(talk.in.get(), F_SETFL, O_NONBLOCK);
  if (talk.input.empty())
    talk.in.reset();
  while (!talk.is_over()) {
    patience.check();
    if (!exchange(talk, spec.output_limit) && child.has_ended())
      return;
  }
  // It may have closed its outputs and go on.
  for (; !child.has_ended(); ::poll(nullptr, 0, look_around_ms / 10))
    patience.check();
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
        converse({spec.input,
                  std::move(in.write),
                  {std::move(out.read), std::move(err.read)},
                  {&result.output, &result.errors}},
                 spec, child);
        result.exit_status = child.wait();
        return result;
      },
      "run '{}'", spec.argv.at(0));
}

} // namespace cairn
