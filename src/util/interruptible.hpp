#pragma once

#include "util/cancelled.hpp"
#include "util/stream.hpp"

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>

namespace cairn {

/// Reads until somebody says that it is not wanted any more: then it ends with Cancelled. `stopped`
/// must outlive it.
class InterruptibleSource final : public Source {
public:
  InterruptibleSource(std::unique_ptr<Source> from, const std::atomic<bool>& stopped)
      : from_(std::move(from)), stopped_(stopped) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (stopped_)
      throw Cancelled("the build was told to stop");
    return from_->read(buffer);
  }

private:
  std::unique_ptr<Source> from_;
  const std::atomic<bool>& stopped_;
};

} // namespace cairn
