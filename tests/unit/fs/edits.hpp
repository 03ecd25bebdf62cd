#pragma once

#include "archives.hpp"
#include "fs/tree/changes.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cairn::test {

/// What a RUN that edits a root with these files is found to have changed.
struct Edited {
  ChangeSet changes;
  std::vector<Member> members; ///< The same with contents, for another layer.
  std::string root;            ///< describe() of the root afterwards, hard links as copies.
};

/// Edits the directory at a path.
using Edit = std::function<void(const std::string& root)>;

/// Found by comparing snapshots of a directory.
Edited edit_directory(const std::vector<Member>& base, const Edit& edit,
                      const PathFilter& ignored = {});
/// Found in the upper directory of an overlay; nothing where none can be mounted.
std::optional<Edited> edit_overlay(const std::vector<Member>& base, const Edit& edit,
                                   const PathFilter& ignored = {});

/// An Edit by a script, which runs with the root as its directory.
Edit shell(const std::string& script);

/// One line for each entry, with all that is the same for the same edit: not the times of
/// directories, nor those given by the clock.
std::string describe(const ChangeSet& changes);

} // namespace cairn::test
