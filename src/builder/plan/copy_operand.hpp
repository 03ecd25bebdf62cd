#pragma once

#include "builder/plan/plan.hpp"

#include <string>
#include <vector>

namespace cairn {

/// What COPY and ADD are given to copy, and what their flags say of it.

/// A path, or for ADD a URL or a git repository. @throws Error for a COPY of the latter
CopyOperand copy_operand(const std::string& text, CopyAction::Kind kind);

/// --checksum, which goes with a single source that is fetched. @throws Error
void set_checksum(CopyAction& action, const std::string& text);

/// --keep-git-dir, which the query of a reference may say as well. @throws Error when it says the
/// opposite
void set_keep_git_dir(CopyAction& action, bool keep);

/// "COPY --chown=1:1 a b # buildkit", of `sources` as they are written after expansion, without
/// the passwords of URLs.
std::string copy_history(const CopyAction& action, const std::vector<std::string>& sources);

} // namespace cairn
