#pragma once

#include "context/local.hpp"
#include "fs/pattern/ignore.hpp"

#include <string>
#include <vector>

namespace cairn {

/// The build context: a directory and what .dockerignore says of it.
struct BuildContext {
  LocalContext local;
  std::string ignore_name;
  std::vector<IgnoreLine> ignore;
};

} // namespace cairn
