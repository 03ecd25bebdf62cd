#include "util/crypto.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <algorithm>
#include <vector>

namespace cairn {

namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

using PrivateKey = std::unique_ptr<EVP_PKEY, decltype([](EVP_PKEY* k) { EVP_PKEY_free(k); })>;

/// OpenSSL would ask the terminal for the passphrase of a key that has one.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

PrivateKey read_rsa_key(std::string_view pem) {
  const std::unique_ptr<BIO, decltype([](BIO* b) { BIO_free(b); })> text(
      BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  PrivateKey key(text ? PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr)
                      : nullptr);
  if (!key)
    throw Error("the private key is no unencrypted PEM text");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
    throw Error("the private key is not one of RSA");
  return key;
}

} // namespace

void ignore_crypto_settings() noexcept {
  (void)::OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr);
}

struct Sha256::State {
  std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* c) { EVP_MD_CTX_free(c); })> context{
      EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->context || EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) != 1)
    throw Error("start SHA-256: OpenSSL refused");
}

Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::write(std::span<const std::byte> bytes) {
  if (EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) != 1)
    throw Error("compute SHA-256: OpenSSL refused");
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  if (EVP_DigestFinal_ex(state_->context.get(), digest, &size) != 1)
    throw Error("finish SHA-256: OpenSSL refused");
  return fmt::format("{:02x}", fmt::join(digest, digest + size, ""));
}

std::string sha256_hex(std::string_view text) {
  Sha256 hash;
  write_text(hash, text);
  return hash.hex();
}

std::string sha256_hex(Source& from) {
  Sha256 hash;
  copy(from, hash);
  return hash.hex();
}

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  unsigned int size = 0;
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(),
           reinterpret_cast<unsigned char*>(mac.data()), &size) == nullptr)
    throw Error("compute HMAC: OpenSSL refused");
  mac.resize(size);
  return mac;
}

std::string sign_rs256(std::string_view key, std::string_view text) {
  const auto rsa = read_rsa_key(key);
  const std::unique_ptr<EVP_MD_CTX, decltype([](EVP_MD_CTX* c) { EVP_MD_CTX_free(c); })> context(
      EVP_MD_CTX_new());
  std::string signature(static_cast<std::size_t>(EVP_PKEY_get_size(rsa.get())), '\0');
  auto size = signature.size();
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, rsa.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes_of(text), text.size()) != 1)
    throw Error("sign with the private key: OpenSSL refused");
  signature.resize(size);
  return signature;
}

std::string base64_encode(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                    reinterpret_cast<const unsigned char*>(bytes.data()),
                                    static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string padded(trim(text));
  while (padded.ends_with('='))
    padded.pop_back();
  const auto missing = (4 - padded.size() % 4) % 4;
  if (missing == 3 || padded.find('=') != std::string::npos)
    return std::nullopt;
  padded.append(missing, '=');
  std::string out(padded.size() / 4 * 3, '\0');
  const auto size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                    reinterpret_cast<const unsigned char*>(padded.data()),
                                    static_cast<int>(padded.size()));
  if (size < 0)
    return std::nullopt;
  out.resize(static_cast<std::size_t>(size) - missing);
  return out;
}

std::string base64url_encode(std::string_view bytes) {
  auto text = base64_encode(bytes);
  text.erase(std::min(text.find('='), text.size()));
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string hex_encode(std::string_view bytes) {
  return fmt::format("{:02x}", fmt::join(bytes_of(bytes), bytes_of(bytes) + bytes.size(), ""));
}

std::string random_hex(std::size_t count) {
  std::vector<unsigned char> bytes(count);
  if (RAND_bytes(bytes.data(), static_cast<int>(count)) != 1)
    throw Error("get random bytes: OpenSSL refused");
  return fmt::format("{:02x}", fmt::join(bytes, ""));
}

} // namespace cairn
