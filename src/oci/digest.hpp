#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// The name of some bytes, e.g. "sha256:6c3c…" (OCI image specification, Descriptor, Digests).
/// Valid by construction; SHA-256 is the one algorithm that registries and runtimes share.
class Digest {
public:
  /// @throws Error
  static Digest parse(std::string_view text);
  static std::optional<Digest> try_parse(std::string_view text);
  /// @pre `hex` is 64 lowercase hex digits
  static Digest from_hex(std::string_view hex);
  static Digest of(std::string_view bytes);

  std::string_view hex() const noexcept { return std::string_view(text_).substr(7); }
  const std::string& str() const noexcept { return text_; }

  // clang-tidy 14 takes the zero of a defaulted comparison for a pointer.
  auto operator<=>(const Digest&) const = default; // NOLINT(modernize-use-nullptr)

private:
  explicit Digest(std::string text) : text_(std::move(text)) {}

  std::string text_;
};

/// What layers add up to, from the bottom up to each of them (OCI image configuration, Layer
/// ChainID).
std::vector<Digest> chain_ids(const std::vector<Digest>& diff_ids);

} // namespace cairn
