#include "net/ca_pool.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

/// A DER sequence with `content`, as a PEM block: as much of a certificate as the pool looks at.
std::string block(const std::string& content, std::size_t stated) {
  std::string der("\x30");
  der += static_cast<char>(stated);
  der += content;
  return "-----BEGIN CERTIFICATE-----\n" + base64_encode(der) + "\n-----END CERTIFICATE-----\n";
}

std::string good(const std::string& content) {
  return block(content, content.size());
}

std::size_t count(const std::string& pool) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = pool.find("BEGIN", at)) != std::string::npos; ++at)
    ++found;
  return found;
}

struct Folder {
  TempDir directory{"/tmp"};

  std::string put(const std::string& name, const std::string& text) const {
    auto path = directory.path() + "/" + name;
    AtomicFile file(path);
    file.write(text);
    file.commit();
    return path;
  }
};

} // namespace

TEST_CASE_FIXTURE(Folder, "every file of a folder counts, each certificate once") {
  put("a.pem", "a comment\n" + good("one") + good("two"));
  put("b.crt", good("two") + "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  put("c", good("three"));
  const auto pool = load_ca_pool({.file = "/nonexistent", .directories = directory.path()});
  CHECK(count(pool) == 3);
  CHECK(pool.find("PRIVATE") == std::string::npos);
}

TEST_CASE_FIXTURE(Folder, "what is no certificate spoils nothing") {
  put("a", block("short", 99) + good("whole") +
               "-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n" +
               "-----BEGIN CERTIFICATE-----\nnever ends");
  CHECK(count(load_ca_pool({.file = "/nonexistent", .directories = directory.path()})) == 1);
}

TEST_CASE_FIXTURE(Folder, "a file named by SSL_CERT_FILE replaces the usual ones") {
  const auto file = put("mine.pem", good("mine"));
  CHECK(count(load_ca_pool({.file = file, .directories = "/nonexistent"})) == 1);
  CHECK(load_ca_pool({.file = "/nonexistent", .directories = "/nonexistent"}).empty());
}

TEST_CASE_FIXTURE(Folder, "a file that a flag names must be there and hold something") {
  CHECK_THROWS_AS(load_pem(directory.path() + "/none"), Error);
  CHECK_THROWS_AS(load_pem(put("text", "hello")), Error);
  CHECK(load_pem(put("key", "-----BEGIN PRIVATE KEY-----\n")) == "-----BEGIN PRIVATE KEY-----\n");
}
