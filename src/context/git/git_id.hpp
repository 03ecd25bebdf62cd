#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

enum class GitHash { sha1, sha256 };

/// The name of an object: 40 lowercase hex digits, 64 in a repository of SHA-256.
class GitId {
public:
  static std::optional<GitId> parse(std::string_view text);

  const std::string& hex() const noexcept { return hex_; }
  GitHash hash() const noexcept;
  bool operator==(const GitId&) const = default;

private:
  explicit GitId(std::string hex) : hex_(std::move(hex)) {}

  std::string hex_;
};

} // namespace cairn
