#pragma once

#include "net/http_curl.hpp"
#include "util/variables.hpp"

#include <atomic>

namespace cairn {

/// How the program reaches the world: authorities and proxies of the environment. `cancel` is
/// borrowed, and so is who is told about what is slow, which may be nobody.
HttpOptions http_options(const Variables& environment, const std::atomic<bool>& cancel,
                         Progress* progress = nullptr);

/// How it reaches addresses of its own machine, where clouds tell who it is: no proxy, and little
/// patience, since elsewhere nobody is there.
HttpOptions metadata_http_options(const std::atomic<bool>& cancel);

} // namespace cairn
