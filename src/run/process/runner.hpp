#pragma once

#include "util/fd.hpp"
#include "util/rooted_path.hpp"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace cairn {

enum class MountAccess { read_only, read_write };

/// Shows a file or a directory, with what is mounted below it, at another place of the root. Where
/// nothing can be mounted the source itself goes there for the time: it is the command's alone.
struct BindMount {
  /// Absolute, free of symbolic links (what realpath(3) gives, or what open_in_root() opened).
  std::string source;
  RootedPath target;
  MountAccess access = MountAccess::read_only;
};

/// A file that lies in memory, where that is possible: what it holds is for this command alone. It
/// cannot be executed, nor written where it is mounted.
struct FileMount {
  std::string content;
  RootedPath target;
  mode_t mode = 0400;
  uid_t uid = 0;
  gid_t gid = 0;
};

/// An empty directory in memory, mode 1777.
struct TmpfsMount {
  RootedPath target;
  std::optional<std::uint64_t> size; ///< Bytes; without one the kernel's half of the memory.
};

/// What a command sees besides its root. Symbolic links in a target are followed inside the root.
/// A target that does not exist is made before the command and taken away after it.
using CommandMount = std::variant<BindMount, TmpfsMount, FileMount>;

enum class CommandNetwork { host, none };

/// One command, with everything it can see: nothing is added to the environment, and nothing is
/// taken from the executor's.
struct Invocation {
  std::vector<std::string> argv;        ///< argv[0] is looked up on PATH of `environment`.
  std::vector<std::string> environment; ///< "NAME=value"
  RootedPath working_directory;         ///< Made, as the user's, when it does not exist.
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups; ///< Supplementary ones.

  std::string hostname = "buildkitsandbox";
  CommandNetwork network = CommandNetwork::host;
  std::vector<CommandMount> mounts; ///< In the order in which they are mounted.
  /// Content for private files over the root's own; what the command writes there is lost. In place
  /// the container's resolv.conf is used, and its hosts file holds this while the command runs,
  /// where it can be written.
  std::optional<std::string> hosts;       ///< /etc/hosts
  std::optional<std::string> resolv_conf; ///< /etc/resolv.conf

  std::optional<std::string> input; ///< Given on stdin, which is /dev/null otherwise.
  FdRef output = FdRef(1);          ///< Where its stdout goes; lent until run() returns.
  FdRef errors = FdRef(2);          ///< Where its stderr goes; lent until run() returns.
};

/// An overlay over unpacked layers. Paths are absolute; `upper` and `work` lie on one filesystem
/// and may serve several commands, one after the other. Nothing in them is synced to disk: after a
/// crash of the machine they are worth nothing. The attributes of "/" itself are those of `upper`.
struct OverlayRoot {
  std::vector<std::string> lower; ///< Top first, at most 497; their marks are user.overlay.*.
  std::string upper;              ///< Receives what the command changes, and only that.
  std::string work;               ///< Belongs to the overlay alone.
};

/// A directory that holds the whole root and is changed in place.
struct DirectoryRoot {
  std::string path; ///< Absolute.
};

/// The container's own "/".
struct InPlaceRoot {};

using CommandRoot = std::variant<OverlayRoot, DirectoryRoot, InPlaceRoot>;

/// How a command ended.
struct Outcome {
  /// The command's own; 128 + N when signal N ended it; 127 when the program was not found, 126
  /// when it could not be run.
  int exit_status = 0;
  std::optional<int> signal; ///< Which ended it.
  /// Why the program did not start, like `exec: "foo": executable file not found in $PATH`.
  std::optional<std::string> not_started;
  std::string
      hint; ///< What the user may do about a command that failed; empty for nothing special.
  std::chrono::nanoseconds duration{};

  bool succeeded() const noexcept { return exit_status == 0; }
};

/// Runs commands in roots. Several threads may run one each at the same time, unless the runner
/// works in place.
class Runner {
public:
  virtual ~Runner() = default;

  /// Runs a command to its end. When it returns or throws, no process of the command is left, and
  /// the root holds nothing that the command did not put there. The calling thread must live on
  /// meanwhile: the command is killed when it ends.
  /// @throws Error when the command could not be prepared: SysError "mount overlay: ..."
  virtual Outcome run(const CommandRoot& root, const Invocation& invocation) = 0;

  /// Passes a signal to every command that is running. After one that asks to end (SIGTERM,
  /// SIGINT, SIGHUP, SIGQUIT) a command has a time of grace until it is killed. May be called by
  /// any thread, but not from a signal handler.
  virtual void forward_signal(int signal) = 0;
};

/// What runners are made with.
struct RunnerOptions {
  std::string work_directory; ///< Absolute, writable; small and temporary use.
  std::chrono::milliseconds grace = std::chrono::seconds(10);
};

} // namespace cairn
