#pragma once

#include "builder/options/build_options.hpp"
#include "builder/roots/root_layout.hpp"
#include "fs/archive/entry.hpp"
#include "util/fd.hpp"
#include "util/progress.hpp"

#include <map>
#include <optional>
#include <string>

namespace cairn {

/// The container's own files and the volumes that were lent, while its "/" is the root of a build.
/// With this value they come back, so that the container can be used again: credentials are where
/// they were, and so are its shell and the directory that it works in.
class ContainerRoot {
public:
  struct Options {
    const RootLayout& layout; ///< Must outlive it.
    Leftovers leftovers = Leftovers::stay;
    std::string directory; ///< For a temporary file.
    Progress& progress;    ///< Must outlive it.
  };

  /// Sets the container's own files aside. More than 256 MiB are not kept, with a warning.
  explicit ContainerRoot(const Options& options);
  ContainerRoot(const ContainerRoot&) = delete;
  ContainerRoot& operator=(const ContainerRoot&) = delete;
  ~ContainerRoot();

private:
  void set_aside();
  void put_back();

  Options options_;
  Fd root_;
  Metadata root_meta_;
  std::map<RootedPath, Metadata> volumes_; ///< Those that were lent.
  std::optional<Fd> saved_;                ///< A tar archive.
};

} // namespace cairn
