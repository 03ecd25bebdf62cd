#include "context/git/git_id.hpp"

namespace cairn {

namespace {

constexpr std::size_t sha1_digits = 40;
constexpr std::size_t sha256_digits = 64;

} // namespace

std::optional<GitId> GitId::parse(std::string_view text) {
  const bool is_hex = text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!is_hex || (text.size() != sha1_digits && text.size() != sha256_digits))
    return std::nullopt;
  return GitId(std::string(text));
}

GitHash GitId::hash() const noexcept {
  return hex_.size() == sha1_digits ? GitHash::sha1 : GitHash::sha256;
}

} // namespace cairn
