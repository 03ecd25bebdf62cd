#include "fs/archive/text_pool.hpp"

#include "util/error.hpp"

#include <algorithm>
#include <cstring>

namespace cairn {

namespace {

// A position is the number of a block and a place in it.
constexpr unsigned place_bits = 16;
constexpr std::size_t largest_block = std::size_t{1} << place_bits;
constexpr std::size_t most_blocks = std::size_t{1} << (32 - place_bits);
constexpr std::size_t first_block = 512;
constexpr unsigned doublings = 7; // from the first to the largest

// Texts are led by their length, seven bits in each byte.
constexpr unsigned length_bits = 7;
constexpr unsigned length_mask = 0x7f;
constexpr unsigned more_bit = 0x80;

std::size_t bytes_of_length(std::size_t length) {
  std::size_t bytes = 1;
  for (; length > length_mask; length >>= length_bits)
    ++bytes;
  return bytes;
}

} // namespace

TextPool::Position TextPool::add(std::string_view text) {
  const auto size = bytes_of_length(text.size()) + text.size();
  if (blocks_.empty() || size > room_ - used_ || used_ >= largest_block)
    begin_block(size);
  const auto position = static_cast<Position>(((blocks_.size() - 1) << place_bits) | used_);
  auto* to = blocks_.back().get() + used_;
  auto length = text.size();
  for (; length > length_mask; length >>= length_bits)
    *to++ = static_cast<char>((length & length_mask) | more_bit);
  *to++ = static_cast<char>(length);
  if (!text.empty())
    std::memcpy(to, text.data(), text.size());
  used_ += size;
  return position;
}

void TextPool::begin_block(std::size_t at_least) {
  if (blocks_.size() == most_blocks)
    throw Error("names of files take more than gigabytes");
  const auto usual = first_block << std::min<std::size_t>(blocks_.size(), doublings);
  room_ = std::max(usual, at_least);
  used_ = 0;
  blocks_.emplace_back(new char[room_]);
}

std::string_view TextPool::at(Position position) const noexcept {
  const auto* from = blocks_[position >> place_bits].get() + (position & (largest_block - 1));
  std::size_t length = 0;
  for (unsigned shift = 0;; shift += length_bits) {
    const auto byte = static_cast<unsigned char>(*from++);
    length |= static_cast<std::size_t>(byte & length_mask) << shift;
    if ((byte & more_bit) == 0)
      return {from, length};
  }
}

} // namespace cairn
