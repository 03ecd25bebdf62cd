#pragma once

#include "builder/layers/layer_stack.hpp"

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace cairn {

/// The layers of a base image, or the lower ones that several have in common: read once in a build,
/// whoever needs them first.
class BaseStack final : public LayerStack::Base {
public:
  /// Loads the stack, and may unpack its layers on the way.
  using Load = std::function<void(LayerStack&)>;

  /// Without `load` the stack is loaded as the first who needs it wants to.
  explicit BaseStack(LayerStack stack, Load load = {})
      : stack_(std::move(stack)), load_(std::move(load)) {}
  BaseStack(const BaseStack&) = delete;
  BaseStack& operator=(const BaseStack&) = delete;

  const LayerStack::Layers& layers() const noexcept override { return stack_.layers(); }
  LayerStack::Base::Loaded load(LayerStack::Loader* loader) override;

private:
  std::mutex mutex_;
  LayerStack stack_;
  Load load_;
  std::exception_ptr failure_; ///< Of the one try.
};

} // namespace cairn
