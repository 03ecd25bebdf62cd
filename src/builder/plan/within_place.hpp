#pragma once

#include "builder/plan/plan.hpp"
#include "util/error.hpp"

#include <utility>

namespace cairn {

/// Runs `body`; an Error without a place gains this one.
template<class Body>
decltype(auto) within_place(const Place& place, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (Error& error) {
    add_place(error, *place.source, place.range);
    throw;
  }
}

} // namespace cairn
