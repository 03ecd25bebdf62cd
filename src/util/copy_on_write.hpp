#pragma once

#include <atomic>
#include <cstddef>
#include <utility>

namespace cairn {

/// A T that copies share until one of them is changed: copying takes no time, and what others hold
/// stays as it is. Copies may be used in different threads, each by one at a time, and one copy may
/// be read by many.
template<class T>
class CopyOnWrite {
public:
  CopyOnWrite() = default; ///< T(), for which nothing is allocated.
  CopyOnWrite(const CopyOnWrite& other) noexcept : shared_(other.shared_) {
    if (shared_ != nullptr)
      shared_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  CopyOnWrite(CopyOnWrite&& other) noexcept : shared_(std::exchange(other.shared_, nullptr)) {}
  CopyOnWrite& operator=(CopyOnWrite other) noexcept {
    std::swap(shared_, other.shared_);
    return *this;
  }
  ~CopyOnWrite() {
    if (shared_ != nullptr && shared_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1)
      delete shared_;
  }

  /// Valid until change() is called or this is destroyed.
  const T& operator*() const noexcept {
    static const T nothing;
    return shared_ != nullptr ? shared_->value : nothing;
  }
  const T* operator->() const noexcept { return &**this; }

  /// The value, for this one to change: copied first when others have it too.
  T& change() {
    if (shared_ == nullptr)
      shared_ = new Shared();
    else if (shared_->owners.load(std::memory_order_acquire) != 1)
      *this = CopyOnWrite(new Shared(shared_->value));
    return shared_->value;
  }

private:
  struct Shared {
    Shared() = default;
    explicit Shared(const T& from) : value(from) {}

    T value;
    std::atomic<std::size_t> owners{1};
  };

  explicit CopyOnWrite(Shared* shared) noexcept : shared_(shared) {}

  Shared* shared_ = nullptr;
};

} // namespace cairn
