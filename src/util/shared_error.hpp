#pragma once

#include "util/error.hpp"

namespace cairn {

/// Throws a copy of an error that several threads are told: each adds its own context. Of its type
/// remains whether it may go away by itself.
[[noreturn]] inline void throw_copy(const Error& error) {
  if (const auto* temporary = dynamic_cast<const TemporaryError*>(&error))
    throw TemporaryError(*temporary);
  throw Error(error);
}

} // namespace cairn
