#pragma once

#include "builder/options/build_options.hpp"
#include "builder/options/build_services.hpp"
#include "builder/plan/checks/check_report.hpp"
#include "builder/roots/borrowed_root.hpp"
#include "builder/roots/make_root_filesystem.hpp"
#include "oci/manifest.hpp"
#include "run/isolation_probe.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// What was built.
struct BuildReport {
  Digest digest;
  std::vector<Descriptor> layers;
  IsolationMode mode = IsolationMode::none;
};

/// How commands are run: where that is possible, by whom, and in which roots.
struct CommandServices {
  std::function<IsolationProbe(const ProbeRequest&)> probe = probe_isolation;
  std::function<std::unique_ptr<Runner>(const IsolationProbe&, RunnerOptions)> make_runner =
      cairn::make_runner;
  RootFactory make_root = make_root_filesystem;
  /// Called for a directory that somebody else has filled before it becomes part of an overlay.
  std::function<void(const std::string& lower, const std::string& work)> try_lower =
      try_overlay_over;
  /// Called for commands in place.
  std::function<std::unique_ptr<BorrowedRoot>(const Borrowing&)> borrow_root =
      borrow_container_root;
};

/// Everything from a Dockerfile to pushed tags. @throws Error; Cancelled
BuildReport build_image(const BuildOptions& options, const BuildServices& services,
                        const CommandServices& commands = {});

/// What is doubtful in the Dockerfile. Builds and writes nothing. @throws Error when there is
/// nothing to check; what a build would fail with is part of the report
CheckReport check_build(const BuildOptions& options, const BuildServices& services);

/// The plan alone, as text. Touches nothing but base images' configurations.
std::string dry_run(const BuildOptions& options, const BuildServices& services);

} // namespace cairn
