#include "util/crypto.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("util/crypto");

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(sha256_hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256_hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("base64 goes there and back") {
  for (const char* text : {"", "a", "ab", "abc", "user:p\xc3\xa4ss"}) {
    CAPTURE(text);
    CHECK(base64_decode(base64_encode(text)) == text);
  }
  CHECK(base64_encode("user:pass") == "dXNlcjpwYXNz");
  CHECK(base64_decode("dXNlcjpwYXM") == "user:pas");
  CHECK_FALSE(base64_decode("a").has_value());
  CHECK_FALSE(base64_decode("!!!!").has_value());
}

TEST_CASE("HMAC with SHA-256 gives the values of RFC 4231") {
  CHECK(hex_encode(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  CHECK(hex_encode(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(hex_encode(hmac_sha256(std::string(131, '\xaa'),
                               "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  CHECK(hmac_sha256("", "").size() == 32);
}

TEST_CASE("base64 for URLs has other letters and no padding") {
  CHECK(base64url_encode("\xfb\xff\xfe") == "-__-");
  CHECK(base64url_encode("a") == "YQ");
  CHECK(base64url_encode("") == "");
}

TEST_CASE("a key that cannot sign is refused, without a word of it and without asking for more") {
  constexpr const char* encrypted =
      "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
      "DEK-Info: AES-128-CBC,00000000000000000000000000000000\n\naHVzaA==\n"
      "-----END RSA PRIVATE KEY-----\n";
  // secp256r1
  constexpr const char* elliptic =
      "-----BEGIN PRIVATE KEY-----\n"
      "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgWoqt8Tf4sgyrDs6L\n"
      "7P64prio3wHOe/22AGm27mObMRuhRANCAAS8TX6UeSF6tACms+YaGuzkKTb8Zjts\n"
      "0FO75d2iE0gwVxL8AqXqMzey8dHzSF2x5Hs9BJQ6pyAzj5x579wQ+ABV\n"
      "-----END PRIVATE KEY-----\n";
  for (const char* key : {"", "hush", encrypted})
    CHECK_THROWS_WITH(sign_rs256(key, "text"), "the private key is no unencrypted PEM text");
  CHECK_THROWS_WITH(sign_rs256(elliptic, "text"), "the private key is not one of RSA");
}

TEST_CASE("random names differ") {
  CHECK(random_hex(8).size() == 16);
  CHECK(random_hex(8) != random_hex(8));
}

TEST_SUITE_END();
