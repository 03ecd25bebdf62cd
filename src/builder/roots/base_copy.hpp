#pragma once

#include "fs/tree/tree.hpp"

#include <cstddef>
#include <string>

namespace cairn {

/// Makes `to`, an empty directory, what a Tree says, with the content of its files from `from`,
/// which has them under their names. Names of one file become hard links. Files are copied by up to
/// `threads` threads, this one among them. Device nodes that may not be made here are left out.
/// @throws Error; then `to` holds anything
void copy_base(const Tree& tree, const std::string& from, const std::string& to,
               std::size_t threads);

} // namespace cairn
