#pragma once

#include "util/environment.hpp"

namespace cairn {

/// The program's environment as it was at the start; nothing below apps/ looks at the real one.
class ProcessEnvironment : public Environment {
public:
  using Environment::Environment;

  /// What this process was started with.
  static ProcessEnvironment current();
};

} // namespace cairn
