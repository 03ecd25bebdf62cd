#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// The name that a Content-Disposition header suggests for a file (RFC 6266): "filename*" before
/// "filename", and of a path the last component. Nothing when the header is damaged or has none.
/// The name may still be anything that is_file_name() refuses.
std::optional<std::string> suggested_file_name(std::string_view header);

/// Whether `name` can be the name of a file in a directory: not "", "." or "..", without "/" and
/// NUL, at most 255 bytes.
bool is_file_name(std::string_view name);

} // namespace cairn
