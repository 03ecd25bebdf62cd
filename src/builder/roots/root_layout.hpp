#pragma once

#include "builder/options/build_options.hpp"
#include "builder/roots/mount_table.hpp"
#include "builder/roots/reserved_paths.hpp"

#include <functional>
#include <string>
#include <vector>

namespace cairn {

/// How a root is divided between the image and whoever else is in it.
struct RootLayout {
  ReservedPaths reserved; ///< In no layer; in place neither written nor removed.

  // In place alone:
  std::vector<MountEntry> mounts; ///< All but "/" and what is below the kernel's directories.
  /// Empty volumes that become part of the image's root for the time of the build.
  std::vector<RootedPath> lent;
  /// What changes while commands run and is not their doing: what the executor and the programs of
  /// pipelines write, and what is too large to be looked at.
  ReservedPaths volatile_paths;
  std::vector<RootedPath> too_large; ///< Of those.
  /// What options name to be read: nobody changes it during the build.
  std::vector<RootedPath> inputs;

  /// The mount that `path` lies in; null when that is the root's.
  const MountEntry* mount_of(const RootedPath& path) const;
  /// Whether `path` lies in a volume that has an input somewhere below it, but in no input: others
  /// may write there, as Jenkins does beside the workspace.
  bool is_beside_inputs(const RootedPath& path) const;
};

/// The kernel's file systems and --ignore-path: for roots of the build's own.
RootLayout private_root_layout(const ExecutionOptions& options);

/// What is known of the container whose "/" is to be the root. Paths are real ones: absolute, free
/// of symbolic links.
struct ContainerSurvey {
  std::vector<MountEntry> mounts;
  std::vector<NamedPath> named;
  std::string program;                 ///< The executor's file.
  std::vector<std::string> workspaces; ///< The build's own directories.
  /// Whether a directory has nothing in it and can be written to.
  std::function<bool(const RootedPath&)> is_free;
  /// Whether it takes long to look at all that is in a directory.
  std::function<bool(const RootedPath&)> is_large;
};

/// @throws Error naming the option whose path cannot be kept
RootLayout inplace_root_layout(const ExecutionOptions& options, const ContainerSurvey& places);

/// What this process finds around it. `context` is the directory of the build context.
/// @throws SysError
ContainerSurvey survey_container(const ExecutionOptions& options,
                                 const std::vector<std::string>& workspaces,
                                 const std::string& context);

} // namespace cairn
