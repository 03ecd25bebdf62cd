#pragma once

#include "util/fd.hpp"

namespace cairn {

/// Whether two open files hold the same from where they are read on. @throws SysError
bool same_bytes(FdRef a, FdRef b);

} // namespace cairn
