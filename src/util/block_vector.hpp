#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace cairn {

/// A vector of small things in blocks: it grows without ever holding all of them twice, and never
/// has much more room than it needs.
template<class T>
class BlockVector {
public:
  std::size_t size() const noexcept {
    return blocks_.empty() ? 0 : ((blocks_.size() - 1) << block_bits) + blocks_.back().size();
  }
  bool empty() const noexcept { return blocks_.empty(); }

  /// @pre n < size(); valid until the next push_back()
  const T& operator[](std::size_t n) const noexcept {
    return blocks_[n >> block_bits][n & block_mask];
  }
  T& operator[](std::size_t n) noexcept { return blocks_[n >> block_bits][n & block_mask]; }

  void push_back(T value) {
    if (blocks_.empty() || blocks_.back().size() > block_mask)
      blocks_.emplace_back();
    blocks_.back().push_back(std::move(value));
  }

private:
  static constexpr unsigned block_bits = 11;
  static constexpr std::size_t block_mask = (std::size_t{1} << block_bits) - 1;

  std::vector<std::vector<T>> blocks_;
};

} // namespace cairn
