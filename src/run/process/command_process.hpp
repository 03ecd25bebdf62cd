#pragma once

#include "run/process/capabilities.hpp"
#include "run/process/command_output.hpp"
#include "run/process/runner.hpp"
#include "util/fd.hpp"

#include <string>
#include <vector>

namespace cairn {

/// What else a process does on its way to becoming a command, besides the steps of every one. What
/// fails is reported, and the process ends (give_up()). Async-signal-safe.
class CommandPreparation {
public:
  virtual ~CommandPreparation() = default;
  /// Before the working directory is entered, as root.
  virtual void enter(int socket) const noexcept = 0;
  /// The last before exec, with the command's identity.
  virtual void confine(int socket) const noexcept = 0;
};

/// All that a process needs to become a command, made before it is forked off.
class CommandPlan {
public:
  /// The command writes to `output`. @throws Error when the invocation cannot be one: no program, a
  /// NUL in a text
  CommandPlan(const Invocation& invocation, const CommandOutput& output);

  /// `preparation` is lent as long as this lives.
  void prepare_with(const CommandPreparation& preparation) noexcept { preparation_ = &preparation; }

  /// A user other than root keeps what a container's root may do, for programs to come
  /// (become_user_with()).
  void keep_capabilities() noexcept { keeps_capabilities_ = true; }

  /// Becomes the command: streams, directory, owner, capabilities, exec. What fails is reported
  /// on `socket`. Async-signal-safe. `supervisor` is the parent, with which it dies.
  [[noreturn]] void become(int socket, pid_t supervisor) const noexcept;

  /// Descriptors that the supervising process has to keep for the command.
  std::vector<int> descriptors() const;
  /// Open on /dev/null, for whoever wants to let go of a stream.
  int null() const noexcept { return null_.get(); }

  const std::string& program() const noexcept { return argv_.front(); }

private:
  [[noreturn]] void exec(int socket) const noexcept;
  int take_identity(int socket) const noexcept;

  std::vector<std::string> argv_;
  std::vector<std::string> environment_;
  std::vector<std::string> candidates_; ///< Where the program may be, in the order of PATH.
  std::string working_directory_;
  uid_t uid_;
  gid_t gid_;
  std::vector<gid_t> groups_;
  Fd null_;
  Fd input_;
  Fd output_;
  Fd errors_;
  const CommandPreparation* preparation_ = nullptr; ///< May be null.
  bool keeps_capabilities_ = false;
  // What execve wants: pointers into the texts above.
  std::vector<char*> argv_pointers_;
  std::vector<char*> environment_pointers_;
};

/// Where `name` may be found: itself when it holds a slash, otherwise below each directory of PATH
/// in `environment`.
std::vector<std::string> program_candidates(const std::string& name,
                                            const std::vector<std::string>& environment);

/// Marks all descriptors but the standard ones and those in `kept` (sorted) to close on exec, or
/// closes them at once. Async-signal-safe.
enum class Closing { now, on_exec };
void close_descriptors(const int* kept, std::size_t count, Closing when) noexcept;

/// fork(2) without what libraries do around it. Only async-signal-safe calls may follow in the
/// child. @return as clone(2): -1 sets errno
pid_t raw_clone(unsigned long flags) noexcept;

} // namespace cairn
