#pragma once

#include "dockerfile/lint/linter.hpp"
#include "dockerfile/syntax/stages.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// Parses the language of frontend 1.26. `file_name` is what errors call the file. `linter` is told
/// what is doubtful, also before an error.
/// @throws Error "Dockerfile:12: ..." with an excerpt and, where one can be guessed, a suggestion.
Dockerfile parse_dockerfile(std::string text, std::string file_name, Linter& linter);
Dockerfile parse_dockerfile(std::string text, std::string file_name);

/// An ONBUILD trigger as an image's config holds it. `origin` is what errors call it, e.g.
/// "ONBUILD of busybox". Ranges count within `text`.
/// @throws Error also when it is FROM, MAINTAINER or ONBUILD.
Instruction parse_trigger(std::string text, std::string origin);

} // namespace cairn
