#pragma once

#include "builder/plan/plan.hpp"
#include "util/clock.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace cairn {

/// What is fetched from elsewhere.
using RemoteSource = std::variant<UrlSource, GitSource>;

/// When a source was made: a commit, a file as its server or an archive's entries say. Nothing when
/// nothing says it.
using RemoteTime = std::function<std::optional<Time>(const RemoteSource& source)>;

/// What `text` names, when it is a git repository. @throws Error
std::optional<GitSource> parse_git_source(std::string_view text);

/// What --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR says of a context's ".git", unless the reference
/// says it. @throws Error when it is no boolean
void set_keep_git_dir(GitReference& context, const std::map<std::string, std::string>& build_args);

} // namespace cairn
