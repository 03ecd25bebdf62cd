#pragma once

#include "builder/options/build_options.hpp"
#include "builder/roots/foreign_files.hpp"
#include "fs/tree/changes.hpp"
#include "util/progress.hpp"

#include <memory>
#include <string>
#include <vector>

namespace cairn {

/// A root that is not the build's own, lent to it for commands in place. With this value it is
/// given back as it was.
class BorrowedRoot {
public:
  virtual ~BorrowedRoot() = default;

  /// What else lies in it.
  virtual ForeignFiles& foreign_files() = 0;
  /// In no layer. It may outlive this.
  virtual PathFilter ignored() const = 0;
};

/// What a root is borrowed for.
struct Borrowing {
  const ExecutionOptions& options;     ///< Borrowed.
  std::vector<std::string> workspaces; ///< The build's own directories.
  std::string context;                 ///< The directory of the build context.
  std::string temporary;               ///< Where a temporary file goes.
  Progress& progress;                  ///< Must outlive the root.
};

/// The container's own "/". Its own files are set aside. @throws Error
std::unique_ptr<BorrowedRoot> borrow_container_root(const Borrowing& borrowing);

} // namespace cairn
