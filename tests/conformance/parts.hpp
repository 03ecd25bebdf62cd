#pragma once

#include "row.hpp"

#include <vector>

namespace cairn::test {

// Each floor's parts, checked by that floor's unit tests and, all together, by the program `rows`.
// A table that no part names is reported as skipped, row by row.

std::vector<Part> parser_parts();
std::vector<Part> word_parts();
std::vector<Part> fs_parts();
std::vector<Part> oci_parts();
std::vector<Part> git_parts();
std::vector<Part> lint_parts();

} // namespace cairn::test
