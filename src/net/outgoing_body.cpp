#include "net/outgoing_body.hpp"

#include "util/error.hpp"

namespace cairn {

std::size_t OutgoingBody::read(std::span<std::byte> buffer) {
  const auto count = source_->read(buffer);
  sent_ += count;
  // Whoever sends it may ask for no byte beyond the size.
  if (std::byte beyond{}; size_ && count > 0 && sent_ == *size_)
    sent_ += source_->read({&beyond, 1});
  ended_ = ended_ || count == 0 || (size_ && sent_ >= *size_);
  if (size_ && (sent_ > *size_ || (count == 0 && sent_ < *size_)))
    throw Error("the body has {} bytes or {}, not {}", sent_, sent_ > *size_ ? "more" : "fewer",
                *size_);
  return count;
}

std::string OutgoingBody::progress() const {
  return size_ ? fmt::format("after {} of {} bytes", sent_, *size_)
               : fmt::format("after {} bytes", sent_);
}

} // namespace cairn
