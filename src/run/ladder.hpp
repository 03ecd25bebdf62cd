#pragma once

#include "run/runner.hpp"

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// What a place allows a RUN to do, best first.
enum class Rung {
  namespace_overlay,   ///< Own namespaces, root is an OverlayRoot.
  namespace_directory, ///< Own namespaces, root is a DirectoryRoot.
  inplace,             ///< The container's own "/", one command at a time.
  none,                ///< No command can be run.
};

/// "namespace with overlay", "namespace with directory", "in place", "none".
std::string_view rung_name(Rung rung);

/// What the user asked for with --isolation.
enum class Isolation { automatic, namespaces, inplace, none };

/// --force: work in place although this does not look like a container.
enum class Force { no, yes };

/// A rung that cannot be stood on.
struct RungRefusal {
  Rung rung = Rung::none;
  std::string reason;  ///< "mount overlay: Invalid argument (...)"
  std::string way_out; ///< What would have to change, where that is plain.
};

struct Ladder {
  Rung rung = Rung::none;
  std::vector<RungRefusal> refused; ///< Better rungs that were tried, best first.

  /// One line for each rung refused: "namespace with overlay: mount overlay: ...".
  std::vector<std::string> explanation() const;
  /// A hint for who wants a command to be run, and got Rung::none.
  std::string way_out() const;
};

/// What probe() has to know.
struct ProbeRequest {
  Isolation wanted = Isolation::automatic;
  std::string work_directory; ///< Absolute; where roots will be. Must exist.
  Force force = Force::no;
  std::vector<std::string> environment; ///< The executor's own, "NAME=value".
};

/// Finds the best rung by trying: makes the namespaces, the mounts and files of other owners in a
/// process of its own, and leaves nothing behind. What is not possible is a reason in the answer,
/// not an error.
Ladder probe(const ProbeRequest& request);

struct RunnerOptions {
  std::string work_directory; ///< Absolute, writable; small and temporary use.
  std::chrono::milliseconds grace = std::chrono::seconds(10);
};

/// The runner for a rung. That for Rung::none explains in an Error why nothing can be run.
/// From the first runner on, other processes cannot read the executor's memory or environment.
std::unique_ptr<Runner> make_runner(const Ladder& ladder, RunnerOptions options);

} // namespace cairn
