#pragma once

#include "run/process/runner.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// What a place allows a RUN to do, best first.
enum class IsolationMode {
  namespace_overlay,   ///< Own namespaces, root is an OverlayRoot.
  namespace_directory, ///< Own namespaces, root is a DirectoryRoot.
  supervised,          ///< No namespaces: root is a DirectoryRoot, see SupervisedRunner.
  inplace,             ///< The container's own "/", one command at a time.
  none,                ///< No command can be run.
};

/// "namespace with overlay", "namespace with directory", "supervised", "in place", "none".
std::string_view isolation_mode_name(IsolationMode mode);

/// What the user asked for with --isolation.
enum class Isolation {
  automatic,
  not_in_place, ///< Automatic, but the container's own "/" stays as it is.
  namespaces,
  supervised,
  inplace,
  none
};

/// --force: work in place although this does not look like a container.
enum class Force { no, yes };

/// A mode that cannot be had.
struct IsolationRefusal {
  IsolationMode mode = IsolationMode::none;
  std::string reason;  ///< "mount overlay: Invalid argument (...)"
  std::string way_out; ///< What would have to change, where that is plain.
};

struct IsolationProbe {
  IsolationMode mode = IsolationMode::none;
  std::vector<IsolationRefusal> refused; ///< Better modes that were tried, best first.

  /// One line for each mode refused: "namespace with overlay: mount overlay: ...".
  std::vector<std::string> explanation() const;
  /// A hint for who wants a command to be run, and got IsolationMode::none.
  std::string way_out() const;
};

/// What probe_isolation() has to know.
struct ProbeRequest {
  Isolation wanted = Isolation::automatic;
  std::string work_directory; ///< Absolute; where roots will be. Must exist.
  Force force = Force::no;
  std::vector<std::string> environment; ///< The executor's own, "NAME=value".
};

/// Finds the best mode by trying: makes the namespaces, the mounts and files of other owners in a
/// process of its own, and leaves nothing behind. What is not possible is a reason in the answer,
/// not an error.
IsolationProbe probe_isolation(const ProbeRequest& request);

/// Tries whether an overlay in `work_directory` can have `lower` as its lowest directory, which not
/// every file system can be, nor an overlay over another one. @throws SysError saying why not
void try_overlay_over(const std::string& lower, const std::string& work_directory);

/// The runner for a mode. That for IsolationMode::none explains in an Error why nothing can be run.
/// From the first runner on, other processes cannot read the executor's memory or environment.
std::unique_ptr<Runner> make_runner(const IsolationProbe& probe, RunnerOptions options);

} // namespace cairn
