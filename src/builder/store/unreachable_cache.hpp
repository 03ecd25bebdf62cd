#pragma once

#include "util/error.hpp"

namespace cairn {

/// There is no way to a cache, which has been told. It is not asked again.
class UnreachableCache final : public Error {
public:
  using Error::Error;
  [[noreturn]] void raise() const override { throw UnreachableCache(*this); }
};

} // namespace cairn
