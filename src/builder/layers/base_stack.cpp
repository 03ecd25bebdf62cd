#include "builder/layers/base_stack.hpp"

#include "util/error.hpp"

namespace cairn {

namespace {

/// Each who is told of a failure adds words of its own to it.
[[noreturn]] void rethrow_copy(const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    error.raise();
  }
}

} // namespace

LayerStack::Base::Loaded BaseStack::load(LayerStack::Loader* loader) {
  const std::lock_guard lock(mutex_);
  if (failure_)
    rethrow_copy(failure_);
  bool shown = false;
  if (!stack_.loaded()) {
    try {
      if (load_) {
        load_(stack_);
        stack_.tree();
      } else {
        stack_.load(loader);
        shown = true;
      }
    } catch (...) {
      failure_ = std::current_exception();
      rethrow_copy(failure_);
    }
  }
  return {stack_.loaded_tree(), stack_.small_files(), shown};
}

} // namespace cairn
