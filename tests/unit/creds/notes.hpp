#pragma once

#include "util/progress.hpp"

#include <string>

namespace cairn {

/// Keeps what is reported.
class Notes final : public Progress {
public:
  void log(Level level, std::string_view message) noexcept override {
    (level == Level::warn ? warnings : others) += std::string(message) + "\n";
  }
  void step_done(std::string_view, std::string_view, std::chrono::nanoseconds) noexcept override {}

  std::string warnings;
  std::string others;
};

} // namespace cairn
