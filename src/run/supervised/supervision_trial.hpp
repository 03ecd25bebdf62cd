#pragma once

#include <string>
#include <vector>

namespace cairn {

/// Supervises a process that is there for nothing else, and says what of it is not possible here,
/// a line for each: "filter system calls for a supervisor: Device or resource busy (...)". Empty
/// when everything is.
std::vector<std::string> try_supervision();

} // namespace cairn
