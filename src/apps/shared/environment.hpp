#pragma once

#include "util/variables.hpp"

namespace cairn {

/// The program's environment as it was at the start; nothing below apps/ looks at the real one.
class ProcessEnvironment : public Variables {
public:
  using Variables::Variables;

  /// What this process was started with.
  static ProcessEnvironment current();
};

} // namespace cairn
