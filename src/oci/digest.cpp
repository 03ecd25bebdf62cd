#include "oci/digest.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"

namespace cairn {

std::optional<Digest> Digest::try_parse(std::string_view text) {
  if (!text.starts_with("sha256:"))
    return std::nullopt;
  const auto hex = text.substr(7);
  if (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  return Digest(std::string(text));
}

Digest Digest::parse(std::string_view text) {
  if (auto digest = try_parse(text))
    return *std::move(digest);
  throw Error("digest '{}' is not 'sha256:' and 64 lowercase hex digits", text.substr(0, 100));
}

Digest Digest::from_hex(std::string_view hex) {
  return parse("sha256:" + std::string(hex));
}

Digest Digest::of(std::string_view bytes) {
  return from_hex(sha256_hex(bytes));
}

std::vector<Digest> chain_ids(const std::vector<Digest>& diff_ids) {
  std::vector<Digest> chain;
  for (const auto& diff_id : diff_ids)
    chain.push_back(chain.empty() ? diff_id : Digest::of(chain.back().str() + " " + diff_id.str()));
  return chain;
}

} // namespace cairn
