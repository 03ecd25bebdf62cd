#include "context/git/git_credentials.hpp"
#include "util/crypto.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

using Secrets = std::map<std::string, std::string>;

std::string basic(const std::string& login) {
  return "Basic " + base64_encode(login);
}

const GitAddress main_address = GitAddress::parse("https://h/x.git");
const GitAddress beside = GitAddress::parse("https://h/y.git");
const GitAddress other = GitAddress::parse("https://other/y.git");

} // namespace

TEST_CASE("a secret for a host goes before one for all, a header before a token") {
  const GitCredentials all(Secrets{{"GIT_AUTH_TOKEN", "t"},
                                   {"GIT_AUTH_HEADER", "h"},
                                   {"GIT_AUTH_TOKEN.h", "th\n"},
                                   {"GIT_AUTH_HEADER.h", "hh"}});
  CHECK(all.find(main_address, main_address).header == "hh");
  const GitCredentials token(Secrets{{"GIT_AUTH_TOKEN", "t"}, {"GIT_AUTH_TOKEN.h", "th\n"}});
  CHECK(token.find(main_address, main_address).header == basic("x-access-token:th"));
  CHECK(token.find(main_address, main_address).source == "the secret GIT_AUTH_TOKEN.h");
  const GitCredentials header(Secrets{{"GIT_AUTH_TOKEN", "t"}, {"GIT_AUTH_HEADER", "h"}});
  CHECK(header.find(main_address, main_address).header == "h");
}

TEST_CASE("a host may be named with its port") {
  const auto address = GitAddress::parse("https://h:8443/x.git");
  CHECK(GitCredentials(Secrets{{"GIT_AUTH_HEADER.h:8443", "a"}, {"GIT_AUTH_HEADER.h", "b"}})
            .find(address, address)
            .header == "a");
  CHECK(GitCredentials(Secrets{{"GIT_AUTH_HEADER.h", "b"}}).find(address, address).header == "b");
}

TEST_CASE("what names no host opens the host that was asked for alone") {
  const GitCredentials credentials(Secrets{{"GIT_AUTH_TOKEN", "t"}});
  CHECK(credentials.find(beside, main_address).header == basic("x-access-token:t"));
  CHECK(credentials.find(other, main_address).header.empty());
  CHECK(credentials.find(GitAddress::parse("http://h/x.git"), main_address).header.empty());
  CHECK(GitCredentials(Secrets{{"GIT_AUTH_TOKEN.other", "t"}}).find(other, main_address).header ==
        basic("x-access-token:t"));
}

TEST_CASE("user and password of a URL go first, and open its submodules on the same host") {
  const auto with_login = GitAddress::parse("https://me:pw@h/x.git");
  const GitCredentials credentials(Secrets{{"GIT_AUTH_TOKEN.other", "t"}});
  CHECK(credentials.find(with_login, with_login).header == basic("me:pw"));
  CHECK(credentials.find(beside, with_login).header == basic("me:pw"));
  CHECK(credentials.find(other, with_login).header == basic("x-access-token:t"));
  CHECK(GitCredentials().find(other, with_login).header.empty());
}

TEST_CASE("kaniko's login opens the context's host where no secret does") {
  GitCredentials credentials(Secrets{{"GIT_AUTH_TOKEN.h", "t"}});
  credentials.add_login(main_address, "me", "pw", "GIT_USERNAME");
  CHECK(credentials.find(main_address, main_address).header == basic("x-access-token:t"));
  GitCredentials login;
  login.add_login(main_address, "me", "pw", "GIT_USERNAME");
  CHECK(login.find(main_address, main_address).header == basic("me:pw"));
  CHECK(login.find(main_address, main_address).source == "GIT_USERNAME");
  CHECK(login.find(other, main_address).header.empty());
}
