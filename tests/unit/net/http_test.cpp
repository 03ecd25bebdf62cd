#include "net/http.hpp"
#include "net/redirect.hpp"
#include "net/retry.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("header names compare without case") {
  Headers headers{{"Content-Type", "a"}, {"X", "1"}, {"x", "2"}};
  CHECK(*headers.find("content-type") == "a");
  CHECK(headers.all("X") == std::vector<std::string>{"1", "2"});
  headers.set("X", "3");
  CHECK(headers.all("x") == std::vector<std::string>{"3"});
  CHECK(headers.find("y") == nullptr);
}

TEST_CASE("an answer is told in the server's words") {
  struct Row {
    int status;
    const char* body;
    const char* text;
  };
  for (const auto& [status, body, text] : {
           Row{404, "", "404 Not Found"},
           Row{599, "", "599"},
           Row{503, "try later\nstack trace", "503 Service Unavailable: try later"},
           Row{502, "<html><body>nginx</body></html>", "502 Bad Gateway"},
           Row{403, R"({"errors":[{"code":"DENIED","message":"no","detail":{}}]})",
               "403 Forbidden: DENIED: no"},
           Row{401, R"({"errors":[{"code":"A","detail":[{"Name":"x"}]},{"code":"B"}]})",
               R"(401 Unauthorized: A: [{"Name":"x"}]; B)"},
           Row{400, R"({"error":"invalid_grant","error_description":"expired"})",
               "400 Bad Request: invalid_grant: expired"},
           Row{401, R"({"details":"incorrect username or password"})",
               "401 Unauthorized: incorrect username or password"},
           Row{500, R"({"errors":"odd"})", "500 Internal Server Error"},
           Row{500, R"({"errors":[1,null,{"code":5}]})", "500 Internal Server Error"},
           Row{500, "{broken", "500 Internal Server Error: {broken"},
           Row{500, "a\x1b[31mb", "500 Internal Server Error: a\\x1b[31mb"},
       })
    CHECK(describe(Response{status, {}, body}) == text);
  CHECK(describe(Response{500, {}, std::string(5000, 'x')}).size() < 400);
}

TEST_CASE("an answer that is no success becomes an error of the right kind") {
  const Request request{.url = "https://a/b?key=1"};
  CHECK_NOTHROW(require_success(request, Response{204}));
  CHECK_THROWS_AS(require_success(request, Response{503}), TransientStatus);
  CHECK_THROWS_WITH_AS(require_success(request, Response{404}),
                       "GET https://a/b?key=***: 404 Not Found", Error);
}

TEST_CASE("a redirect carries the request on") {
  const Request get{
      .url = "https://a/x", .headers = {{"Range", "bytes=5-"}}, .authorization = "Basic s"};
  const auto moved = [](int status, const char* to) {
    return Response{status, {{"Location", to}}};
  };

  SUBCASE("to the same origin with the authorization") {
    const auto next = redirected(get, moved(307, "/y"));
    REQUIRE(next);
    CHECK(next->url == "https://a/y");
    CHECK(next->authorization == "Basic s");
  }
  SUBCASE("to another host without it") {
    const auto next = redirected(get, moved(302, "https://storage/y?sig=1"));
    REQUIRE(next);
    CHECK(next->authorization.empty());
    CHECK(*next->headers.find("range") == "bytes=5-");
  }
  SUBCASE("to another port without it") {
    CHECK(redirected(get, moved(307, "https://a:444/y"))->authorization.empty());
  }
  SUBCASE("not out of TLS") {
    CHECK_THROWS_WITH(redirected(get, moved(307, "http://a/y?sig=1")),
                      "GET https://a/x: redirect to http://a/y?sig=***: refused, it leaves TLS");
    auto allowed = get;
    allowed.plaintext = Plaintext::allow;
    CHECK(redirected(allowed, moved(307, "http://a/y"))->authorization.empty());
  }
  SUBCASE("as GET after 303, otherwise as it was") {
    const Request put{.method = "PUT", .url = "https://a/x", .body = "text"};
    CHECK(redirected(put, moved(303, "/y"))->method == "GET");
    CHECK(redirected(put, moved(303, "/y"))->body.index() == 0);
    CHECK(redirected(put, moved(308, "/y"))->method == "PUT");
    CHECK(redirected(put, moved(308, "/y"))->body.index() == 1);
  }
  SUBCASE("a body not to another origin") {
    const Request put{.method = "PUT", .url = "https://a/x", .body = "text"};
    for (const int status : {301, 302, 307, 308})
      CHECK_THROWS_WITH_AS(redirected(put, moved(status, "https://b/y")),
                           "PUT https://a/x: redirect to https://b/y: refused, what is sent would "
                           "go to another server",
                           ForeignRedirect);
    const Request stream{.method = "PATCH", .url = "https://a/x", .body = StreamBody{}};
    CHECK_THROWS_AS(redirected(stream, moved(307, "https://a:444/y")), ForeignRedirect);
    CHECK(redirected(put, moved(303, "https://b/y"))->method == "GET");
  }
  SUBCASE("a secret not to another origin when it is asked to stay") {
    auto login = get;
    login.redirects = Redirects::same_origin;
    CHECK(redirected(login, moved(302, "/y"))->authorization == "Basic s");
    CHECK_THROWS_AS(redirected(login, moved(302, "https://b/y")), ForeignRedirect);
    CHECK_THROWS_AS(redirected(login, moved(303, "https://b/y")), ForeignRedirect);
  }
  SUBCASE("what is for one server stays with it") {
    auto trusting = get;
    const auto own = std::make_shared<TlsOptions>();
    const auto others = std::make_shared<TlsOptions>();
    trusting.tls = own;
    CHECK(redirected(trusting, moved(302, "/y"))->tls == own);
    CHECK(redirected(trusting, moved(302, "https://b:5/y"))->tls == nullptr);
    trusting.tls_elsewhere = [&](const std::string& host) {
      return host == "b:5" ? others : nullptr;
    };
    CHECK(redirected(trusting, moved(302, "https://b:5/y"))->tls == others);
    CHECK(redirected(trusting, moved(302, "https://c/y"))->tls == nullptr);
  }
  SUBCASE("knowing from where it was led") {
    CHECK_FALSE(get.led_from);
    auto answer = moved(302, "https://b/y");
    CHECK(redirected(get, answer)->led_from == AddressScope::global);
    answer.peer = AddressScope::loopback;
    const auto next = redirected(get, answer);
    CHECK(next->led_from == AddressScope::loopback);
    CHECK(redirected(*next, answer)->led_from == AddressScope::loopback);
    answer.peer = AddressScope::link_local;
    CHECK(redirected(*next, answer)->led_from == AddressScope::global);
  }
  SUBCASE("but only when it is one") {
    CHECK_FALSE(redirected(get, moved(200, "/y")));
    CHECK_FALSE(redirected(get, moved(201, "/y")));
    CHECK_FALSE(redirected(get, moved(304, "/y")));
    CHECK_FALSE(redirected(get, Response{307}));
    CHECK_THROWS_AS(redirected(get, moved(307, "file:///etc/passwd")), Error);
  }
}
