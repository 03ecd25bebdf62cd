#pragma once

#include "util/stream.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace cairn {

/// SHA-256 of everything written to it (FIPS 180-4).
class Sha256 final : public Sink {
public:
  Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  ~Sha256() override;

  void write(std::span<const std::byte> bytes) override;
  /// 64 lowercase hex digits. May be called once.
  std::string hex();

private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view text);
/// Of all that `from` still has.
std::string sha256_hex(Source& from);

/// HMAC with SHA-256 (RFC 2104): 32 bytes, not text.
std::string hmac_sha256(std::string_view key, std::string_view text);

/// RSASSA-PKCS1-v1_5 with SHA-256, the RS256 of RFC 7518: the signature's bytes. `key` is an
/// unencrypted private key, PEM text. @throws Error, without a word of the key
std::string sign_rs256(std::string_view key, std::string_view text);

/// Keeps the library from reading openssl.cnf, which could name shared libraries to load: the one
/// of a base image that is unpacked in place, for instance. Call before anything else of this file.
void ignore_crypto_settings() noexcept;

/// Standard alphabet with padding (RFC 4648 section 4).
std::string base64_encode(std::string_view bytes);
/// Accepts missing padding; nothing when the text is not base64.
std::optional<std::string> base64_decode(std::string_view text);
/// The alphabet for URLs without padding (RFC 4648 section 5), as JSON Web Tokens have it.
std::string base64url_encode(std::string_view bytes);

/// Two lowercase digits for each byte.
std::string hex_encode(std::string_view bytes);

/// `count` random bytes as hex, for names that must not collide.
std::string random_hex(std::size_t count);

} // namespace cairn
