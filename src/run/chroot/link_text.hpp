#pragma once

#include "util/fd.hpp"

#include <string>

namespace cairn {

/// What a symbolic link says; empty when it is none, or cannot be read.
std::string link_text(const std::string& path);
/// The same of an O_PATH descriptor of the link itself.
std::string link_text(FdRef link);

/// By which calls that know only paths reach the file of an own descriptor.
std::string own_path(FdRef file);

/// Where the file of a descriptor lies, as the executor sees it; not absolute for what has no path.
std::string path_text(FdRef file);

} // namespace cairn
