#pragma once

#include "util/error.hpp"

namespace cairn {

/// A directory that is kept from build to build refused something: it is full, gone, not a
/// directory, its disk is broken. Never a reason for a build to fail: whoever meets it goes on
/// without what the directory was for.
class CacheFailure : public Error {
public:
  explicit CacheFailure(const Error& cause) : Error(cause) {}
  [[noreturn]] void raise() const override { throw CacheFailure(*this); }
};

/// Runs `body`, which works in such a directory and nowhere else. @throws CacheFailure
template<class Body>
decltype(auto) in_cache(Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const SysError& error) {
    throw CacheFailure(error);
  }
}

} // namespace cairn
