#pragma once

#include "parts.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

namespace cairn::test {

/// Holds every row of the part called `path` against the code, in a unit test; says so where the
/// data is not on this machine.
inline void check_part(const std::vector<Part>& parts, const std::string& path) {
  for (const auto& part : parts) {
    if (part.path != path)
      continue;
    const auto root = conformance_root();
    if (!is_there(root, part)) {
      MESSAGE("skip: " << root << "/" << path << " is not there");
      return;
    }
    for (const auto& row : part.read(root + "/" + path)) {
      const auto verdict = check_row(part, row);
      CAPTURE(row.name);
      CAPTURE(verdict.detail);
      CHECK(verdict.kind != Verdict::Kind::differs);
    }
    return;
  }
  throw std::logic_error("no part is called " + path);
}

} // namespace cairn::test
