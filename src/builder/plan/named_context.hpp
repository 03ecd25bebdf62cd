#pragma once

#include "builder/options/build_options.hpp"
#include "builder/plan/plan.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn {

/// What `--build-context NAME=SOURCE` names.
using NamedContext =
    std::variant<ImageSource, DirectorySource, UrlSource, GitSource, EmptyFilesystem>;

/// SOURCE: a path, "docker-image://REF", "oci-layout://PATH[:TAG][@DIGEST]", "https://URL" or a git
/// repository. @throws Error
NamedContext parse_named_context(std::string_view source, const Platform& platform);

/// The path on this machine that SOURCE names, be it right or not; nothing when it names something
/// elsewhere.
std::optional<std::string> local_path_of(std::string_view source);

/// The context called `name`, whatever its case and however an image of Docker Hub is spelled:
/// "alpine" is "docker.io/library/alpine:latest". "NAME::PLATFORM" goes before "NAME", the spelling
/// that is used before others, a later one before an earlier one. The names "scratch" and "context"
/// are never replaced.
std::optional<NamedContext> find_named_context(const std::vector<NameValue>& contexts,
                                               std::string_view name, const Platform& platform);

} // namespace cairn
