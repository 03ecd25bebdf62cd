#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace cairn {

/// Many short texts, each named by a number of 32 bits: names of files, targets of links. Nothing
/// is ever removed. A copy shares what both had, and adds to itself alone.
class TextPool {
public:
  using Position = std::uint32_t;

  TextPool() = default;
  TextPool(const TextPool& other) : blocks_(other.blocks_) {}
  TextPool(TextPool&&) noexcept = default;
  TextPool& operator=(const TextPool&) = delete;
  TextPool& operator=(TextPool&&) noexcept = default;
  ~TextPool() = default;

  /// @throws Error when there is no more room: after gigabytes
  Position add(std::string_view text);

  /// Valid as long as this or a copy of it. @pre add() has returned the position
  std::string_view at(Position position) const noexcept;

private:
  void begin_block(std::size_t at_least);

  std::vector<std::shared_ptr<char[]>> blocks_;
  std::size_t used_ = 0; ///< Of the last block.
  std::size_t room_ = 0; ///< In the last block; none after a copy, for others write there.
};

} // namespace cairn
