#pragma once

#include "builder/inputs/build_context.hpp"
#include "builder/inputs/git_library.hpp"
#include "builder/options/build_options.hpp"
#include "builder/options/build_services.hpp"
#include "builder/store/workspace.hpp"
#include "context/download/downloader.hpp"
#include "context/local.hpp"
#include "dockerfile/dockerfile.hpp"
#include "dockerfile/lint/linter.hpp"
#include "run/process/agent_proxy.hpp"

#include <map>
#include <optional>
#include <string>

namespace cairn {

/// The ways to what a build fetches from elsewhere. The arguments must outlive it.
struct Fetching {
  std::map<std::string, AgentSocket> agents;
  Downloader downloader;
  GitServices git;
  GitLibrary repositories;

  /// @throws Error
  Fetching(const BuildOptions& options, const BuildServices& services, const Workspace& workspace);
};

/// Has `downloader` look into a --cache-dir that cannot be written.
void read_kept_downloads(const ExecutionOptions& options, Downloader& downloader);

/// A context and a Dockerfile that nobody has looked into.
struct InputFiles {
  LocalContext context;
  DockerfileText dockerfile;
  std::optional<Time> time; ///< Of the context, when it has one.
};

/// What make_plan() and execute() work on.
struct BuildInput {
  BuildContext context;
  Dockerfile dockerfile;
  Linter linter;            ///< Has logged what the text alone tells.
  std::optional<Time> time; ///< Of the context, when it has one.
};

/// Both: @throws Error
InputFiles find_input(const BuildOptions& options, Fetching& fetching);
BuildInput read_input(const BuildOptions& options, Fetching& fetching, Progress& progress);

} // namespace cairn
