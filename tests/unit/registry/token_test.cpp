#include "registry/token.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace std::chrono_literals;

namespace {

constexpr Time now = from_unix(1'000'000);

Challenge bearer(const std::string& realm) {
  return {"bearer", {{"realm", realm}, {"service", "my registry"}}};
}

Credential with_password() {
  Credential credential;
  credential.username = "me";
  credential.password = "p:w";
  return credential;
}

} // namespace

TEST_CASE("a token is used until shortly before it ends") {
  struct Row {
    const char* body;
    std::int64_t seconds;
    const char* because;
  };
  for (const auto& row : {
           Row{R"({"token": "t", "expires_in": 300})", 290, "what is said, less a margin"},
           Row{R"({"token": "t", "expires_in": 20})", 18, "a short life has a small margin"},
           Row{R"({"token": "t"})", 54, "a minute if it is not said"},
           Row{R"({"token": "t", "expires_in": 0})", 54, "or said to be none"},
           Row{R"({"token": "t", "expires_in": "300"})", 54, "or no number"},
           Row{R"({"token": "t", "expires_in": 99999999})", 86390, "a day at most"},
           Row{R"({"token": "t", "expires_in": 300, "issued_at": "1970-01-12T13:45:00Z"})", 190,
               "issued 100 s ago"},
           Row{R"({"token": "t", "expires_in": 300, "issued_at": "1970-01-12T13:50:00Z"})", 290,
               "issued by a clock ahead"},
           Row{R"({"token": "t", "expires_in": 300, "issued_at": "1970-01-10T00:00:00Z"})", 290,
               "issued by a clock that is wrong"},
           Row{R"({"token": "t", "expires_in": 300, "issued_at": 5})", 290, "issued at nonsense"},
           Row{R"({"access_token": "t"})", 54, "the name that OAuth 2 uses"},
       }) {
    CAPTURE(row.because);
    const auto token = parse_token(row.body, now);
    CHECK(token.text == "t");
    CHECK(token.expires - now == std::chrono::seconds(row.seconds));
  }
}

TEST_CASE("an answer without a usable token is an error") {
  for (const char* body :
       {"", "[]", "{}", R"({"token": ""})", R"({"token": "a\r\nHost: b"})", "<html>"}) {
    CAPTURE(body);
    CHECK_THROWS_AS(parse_token(body, now), Error);
  }
}

TEST_CASE("a token is asked for with every scope") {
  const auto request =
      token_request(bearer("https://auth/token?a=1"),
                    {"repository:a/b:pull,push", "repository:c:pull"}, std::nullopt);
  CHECK(request.method == "GET");
  CHECK(request.url ==
        "https://auth/token?a=1&service=my%20registry&scope=repository%3Aa%2Fb%3Apull%2Cpush"
        "&scope=repository%3Ac%3Apull");
  CHECK(request.authorization.empty());
}

TEST_CASE("a password goes to the token server alone") {
  const auto request = token_request(bearer("https://auth/token"), {}, with_password());
  CHECK(request.authorization == "Basic bWU6cDp3");
  CHECK(request.url == "https://auth/token?service=my%20registry&client_id=cairn");
}

TEST_CASE("an identity token is exchanged in the body of a POST") {
  auto credential = with_password();
  credential.identity_token = "a+b&c";
  const auto request = token_request(bearer("https://auth/token"), {"s1", "s2"}, credential);
  CHECK(request.method == "POST");
  CHECK(request.url == "https://auth/token");
  CHECK(request.authorization.empty());
  CHECK(std::get<std::string>(request.body) ==
        "grant_type=refresh_token&client_id=cairn&service=my%20registry&scope=s1%20s2&refresh_"
        "token=a%2Bb%26c");
}

TEST_CASE("a realm must be a URL") {
  CHECK_THROWS_WITH(token_request(bearer("auth.example"), {}, std::nullopt),
                    "realm of the challenge: not an http or https URL");
}
