#pragma once

#include <string_view>

namespace cairn {

/// Whether a variable's name says that it holds a secret: a word of it, between underscores, is
/// "key", "token" and the like, and none says that it is public, a file's name or a version.
bool sounds_secret(std::string_view name);

} // namespace cairn
