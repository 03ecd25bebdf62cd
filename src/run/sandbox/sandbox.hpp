#pragma once

#include "run/mounts/mount_points.hpp"
#include "run/process/command_process.hpp"
#include "run/process/handshake.hpp"
#include "run/process/runner.hpp"
#include "run/process/supervisor.hpp"

#include <sys/types.h>

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace cairn {

/// A sandbox is a set of namespaces with a root: what a command sees. Its process prepares it and
/// then watches over the command.

/// A mount that the executor orders by its number.
struct SandboxMount {
  enum class Kind { bind, tmpfs, text };
  Kind kind = Kind::bind;
  RootedPath target;
  MountPoints::Kind point = MountPoints::Kind::directory;
  MountAccess access = MountAccess::read_only;
  std::string source;  ///< bind: a path outside; text: its name in the staging directory.
  dev_t device = 0;    ///< bind: what `source` was when it was checked.
  ino_t inode = 0;     ///< bind
  std::string options; ///< tmpfs: for mount(2); text: the content.
  mode_t mode = 0644;  ///< text
  uid_t uid = 0;       ///< text
  gid_t gid = 0;       ///< text
  /// A directory with nothing but a place for this mount, to lie below an overlay; may be empty.
  std::string stub;
};

/// What happens in the sandbox when its root is complete.
enum class SandboxPurpose {
  command,
  trial_overlay,   ///< Checks that an overlay can do what a build needs, see sandbox_trial.cpp.
  trial_directory, ///< The same for a plain directory.
};

enum class UserNamespace { shared, own };
/// Process ids are shared where the kernel does not let a user namespace have a /proc of its own:
/// a command whose /proc shows other ids than its own is worse off than one that sees too many.
enum class PidNamespace { shared, own };

/// All that the sandbox's process needs, made before it is forked off.
struct SandboxPlan {
  SandboxPurpose purpose = SandboxPurpose::command;
  UserNamespace user_namespace = UserNamespace::shared;
  PidNamespace pid_namespace = PidNamespace::own;
  CommandNetwork network = CommandNetwork::host;
  std::string hostname;
  /// Absolute; an empty directory that is covered by a tmpfs inside the sandbox.
  std::string staging;
  std::string directory; ///< Source of a directory root; empty for an overlay.
  /// Overlay: links in the staging directory, name -> path; names are short because all of them
  /// have to fit into the one page that mount(2) takes.
  std::vector<std::pair<std::string, std::string>> links;
  std::vector<std::string> overlay_options; ///< Tried in this order while they are invalid.
  std::vector<SandboxMount> mounts;
  const CommandPlan* command = nullptr; ///< For SandboxPurpose::command.
  Supervision supervision;
  std::vector<int> kept_descriptors; ///< Sorted.
  std::span<char> arguments;         ///< The executor's command line; the sandbox erases its copy.
  int socket = -1;
};

/// Fills in what an overlay root needs. `bottom` are directories to lie below the root's own, with
/// places for mounts: what the root lacks is found there, and need not be made.
/// @throws Error for too many lower directories
void plan_overlay(SandboxPlan& plan, const OverlayRoot& root,
                  const std::vector<std::string>& bottom);

/// The flags of clone(2) for a sandbox.
unsigned long sandbox_namespaces(const SandboxPlan& plan) noexcept;

/// The life of the sandbox's process, all signals blocked. Async-signal-safe.
[[noreturn]] void live_in_cell(const SandboxPlan& plan) noexcept;

/// The part of it that mounts; each gives up on failure. Paths are relative to the current
/// directory, which is the root to be. Async-signal-safe.
void mount_cell_root(const SandboxPlan& plan) noexcept;
void mount_proc(const SandboxPlan& plan, const char* target) noexcept;
void mount_sys(const SandboxPlan& plan, const char* target) noexcept;
void mount_dev(const SandboxPlan& plan, const char* target) noexcept;
void mount_extra(const SandboxPlan& plan, const SandboxMount& mount, const char* target) noexcept;

/// What a command without a network sees of one: its own loopback interface, brought up, and at
/// `sys`, a mount of another network's sysfs, the directory of a loopback interface alone. 0 or an
/// errno. Async-signal-safe.
void raise_loopback(const SandboxPlan& plan) noexcept;
int hide_interfaces(const char* sys) noexcept;

/// Tries in the new root "/" what a build needs. Async-signal-safe.
[[noreturn]] void try_cell(const SandboxPlan& plan) noexcept;

} // namespace cairn
