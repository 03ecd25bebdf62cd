#pragma once

#include "build/options.hpp"
#include "build/plan.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn {

/// What `--build-context NAME=SOURCE` names.
using NamedContext = std::variant<ImageSource, DirectorySource, GitSource>;

/// SOURCE: a path, "docker-image://REF", "oci-layout://PATH[:TAG][@DIGEST]" or a git repository.
/// @throws Error also for the kinds that are not supported yet
NamedContext parse_named_context(std::string_view source, const Platform& platform);

/// What `text` names, when it is a git repository. @throws Error
std::optional<GitSource> parse_git_source(std::string_view text);

/// What --build-arg BUILDKIT_CONTEXT_KEEP_GIT_DIR says of a context's ".git", unless the reference
/// says it. @throws Error when it is no boolean
void set_keep_git_dir(GitReference& context, const std::map<std::string, std::string>& build_args);

/// The context called `name` (case does not count), or as an image reference would be.
std::optional<NamedContext> find_named_context(const std::vector<NameValue>& contexts,
                                               std::string_view name, const Platform& platform);

} // namespace cairn
