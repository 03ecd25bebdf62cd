#include "fs/pattern/utf8.hpp"

namespace cairn {

namespace {

struct Lead {
  std::size_t width = 0;
  char32_t bits = 0;
  char32_t least = 0; // shorter sequences hold smaller values
};

Lead lead_of(unsigned char byte) noexcept {
  if (byte < 0x80)
    return {1, byte, 0};
  if (byte >= 0xC2 && byte < 0xE0)
    return {2, byte & 0x1FU, 0x80};
  if (byte >= 0xE0 && byte < 0xF0)
    return {3, byte & 0x0FU, 0x800};
  if (byte >= 0xF0 && byte < 0xF5)
    return {4, byte & 0x07U, 0x10000};
  return {};
}

} // namespace

Rune decode_rune(std::string_view text) noexcept {
  const auto lead = lead_of(static_cast<unsigned char>(text.front()));
  if (lead.width == 0 || lead.width > text.size())
    return {};
  char32_t value = lead.bits;
  for (const char c : text.substr(1, lead.width - 1)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) != 0x80)
      return {};
    value = (value << 6U) | (byte & 0x3FU);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  if (value < lead.least || surrogate || value > 0x10FFFF)
    return {};
  return {value, lead.width};
}

} // namespace cairn
