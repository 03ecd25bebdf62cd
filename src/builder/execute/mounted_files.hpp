#pragma once

#include "builder/execute/copy_step.hpp"
#include "builder/plan/plan.hpp"
#include "builder/store/workspace.hpp"

#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace cairn {

/// Files of stages, images and contexts as directories that can be mounted. Thread-safe.
class MountedFiles {
public:
  /// `services` is borrowed.
  MountedFiles(const CopyServices& services, Workspace& workspace)
      : services_(services), workspace_(workspace) {}

  /// A file or directory to be mounted read-only: one for all commands of the build, which may be
  /// the context's own. Absolute, without links. @throws Error when there is no such source
  std::string show(const FileOrigin& from, const std::string& source);

  /// A copy in `directory`, which exists and is empty. Returns its path.
  std::string copy(const FileOrigin& from, const std::string& source,
                   const std::string& directory) const;

  /// Puts `source` where it belongs below the empty directory `path`, which stands for the root.
  void fill(const FileOrigin& from, const std::string& source, const std::string& path) const;

  /// Tells origins apart whose files may differ.
  std::string identity(const FileOrigin& from) const;

private:
  std::string find(const FileOrigin& from, const std::string& source);

  const CopyServices& services_;
  Workspace& workspace_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::string> shown_;
};

} // namespace cairn
