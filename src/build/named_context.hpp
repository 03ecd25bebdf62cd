#pragma once

#include "build/options.hpp"
#include "build/plan.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn {

/// What `--build-context NAME=SOURCE` names.
using NamedContext = std::variant<ImageSource, DirectorySource, UrlSource>;

/// SOURCE: a path, "docker-image://REF", "oci-layout://PATH[:TAG][@DIGEST]" or "https://URL".
/// @throws Error also for the kinds that are not supported yet
NamedContext parse_named_context(std::string_view source, const Platform& platform);

/// The context called `name` (case does not count), or as an image reference would be.
std::optional<NamedContext> find_named_context(const std::vector<NameValue>& contexts,
                                               std::string_view name, const Platform& platform);

} // namespace cairn
