#include "build/git_library.hpp"

#include "util/error.hpp"

#include <exception>

namespace cairn {

std::shared_ptr<const GitCheckout> GitLibrary::get(const GitSource& source) {
  std::promise<CheckoutPtr> promise;
  {
    std::unique_lock lock(mutex_);
    auto& known = checkouts_[source.key()];
    if (known.valid()) {
      const auto waited_for = known;
      lock.unlock();
      return waited_for.get();
    }
    known = promise.get_future().share();
  }
  try {
    auto checkout = std::make_shared<GitCheckout>(check_out_git(source.reference, services_));
    promise.set_value(checkout);
    return checkout;
  } catch (const TemporaryError& error) {
    // Others get an error of their own: whoever catches one adds to it.
    promise.set_exception(std::make_exception_ptr(TemporaryError(error)));
    throw;
  } catch (const Error& error) {
    promise.set_exception(std::make_exception_ptr(Error(error)));
    throw;
  }
}

} // namespace cairn
