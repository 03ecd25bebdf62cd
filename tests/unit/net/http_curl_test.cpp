#include "net/http_curl.hpp"
#include "support/loopback_server.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace cairn;
using namespace std::chrono_literals;

namespace {

StreamBody stream(const std::string& text, std::optional<std::uint64_t> size) {
  return {[&text] { return std::make_unique<TextSource>(text); }, size};
}

} // namespace

TEST_CASE("a success flows into the sink, its headers come first") {
  LoopbackServer server("HTTP/1.1 206 x\r\nContent-Length: 5\r\nX-A: 1\r\n\r\nhello");
  TextSink sink;
  std::string seen;
  const auto response = make_http({})->send(
      {.url = server.url("/a"), .sink = &sink, .on_success = [&](const Response& head) {
         seen = sink.text() + std::to_string(head.status) + *head.headers.find("x-a");
       }});
  CHECK(response.status == 206);
  CHECK(response.body.empty());
  CHECK(sink.text() == "hello");
  CHECK(seen == "2061");
}

TEST_CASE("an error does not flow into the sink, and is cut at 64 KiB") {
  LoopbackServer server("HTTP/1.1 403 x\r\nContent-Length: 100000\r\n\r\n" +
                        std::string(100000, 'e'));
  TextSink sink;
  const auto response = make_http({})->send({.url = server.url("/"), .sink = &sink});
  CHECK(response.status == 403);
  CHECK(sink.text().empty());
  CHECK(response.body == std::string(65536, 'e'));
}

TEST_CASE("a text that is larger than its limit is an error") {
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n" + std::string(100, 'x'));
  CHECK_THROWS_WITH_AS(make_http({})->send({.url = server.url("/x"), .limit = 99}),
                       doctest::Contains("the answer is larger than 99 bytes"), Error);
}

TEST_CASE("an answer that breaks off is a temporary failure") {
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\nhalf");
  TextSink sink;
  CHECK_THROWS_AS(make_http({})->send({.url = server.url("/"), .sink = &sink}), TemporaryError);
  CHECK(sink.text() == "half");
}

TEST_CASE("what the sink throws comes out") {
  struct Refusing final : Sink {
    void write(std::span<const std::byte>) override { throw Error("disk full"); }
  } sink;
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 1\r\n\r\nx");
  CHECK_THROWS_WITH(make_http({})->send({.url = server.url("/"), .sink = &sink}), "disk full");
}

TEST_CASE("a request says who asks and nothing that it was not told to") {
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n");
  make_http({})->send(
      {.method = "POST", .url = server.url("/a/../b"), .authorization = "Bearer t"});
  const auto request = server.request();
  CHECK(request.starts_with("POST /a/../b HTTP/1.1\r\n"));
  CHECK(request.find("\r\nUser-Agent: cairn/") != std::string::npos);
  CHECK(request.find("\r\nAuthorization: Bearer t\r\n") != std::string::npos);
  CHECK(request.find("\r\nContent-Length: 0\r\n") != std::string::npos);
  CHECK(request.find("Content-Type") == std::string::npos);
  CHECK(request.find("Expect") == std::string::npos);
}

TEST_CASE("a stream of known size says its length, another one comes in chunks") {
  const std::string text = "some bytes";
  const auto sent = [&](std::optional<std::uint64_t> size) {
    LoopbackServer server("HTTP/1.1 201 x\r\nContent-Length: 0\r\n\r\n");
    make_http({})->send({.method = "PATCH", .url = server.url("/"), .body = stream(text, size)});
    return server.request();
  };
  const auto known = sent(text.size());
  CHECK(known.find("\r\nContent-Length: 10\r\n") != std::string::npos);
  CHECK(known.ends_with("\r\n\r\nsome bytes"));
  CHECK(sent(std::nullopt).find("\r\nTransfer-Encoding: chunked\r\n") != std::string::npos);
}

TEST_CASE("a stream that is not as long as it said is an error") {
  const std::string text = "some bytes";
  for (const std::uint64_t size : {9U, 11U}) {
    LoopbackServer server("HTTP/1.1 201 x\r\nContent-Length: 0\r\n\r\n");
    CHECK_THROWS_WITH_AS(
        make_http({})->send({.method = "PUT", .url = server.url("/"), .body = stream(text, size)}),
        doctest::Contains(("not " + std::to_string(size)).c_str()), Error);
  }
}

TEST_CASE("a stream that breaks off on a connection used before is not sent again unasked") {
  LoopbackServer server("HTTP/1.1 201 x\r\nContent-Length: 0\r\n\r\n",
                        LoopbackServer::After::cut_next);
  const auto http = make_http({});
  CHECK(http->send({.method = "POST", .url = server.url("/")}).status == 201);
  const std::string text(std::size_t{4} << 20, 'x');
  int opened = 0;
  const StreamBody body{[&] {
                          ++opened;
                          return std::make_unique<TextSource>(text);
                        },
                        text.size()};
  CHECK_THROWS_AS(http->send({.method = "PUT", .url = server.url("/"), .body = body}),
                  TemporaryError);
  CHECK(opened == 1);
}

TEST_CASE("nobody listening is a temporary failure that names the host") {
  const auto url = LoopbackServer("").url("/x"); // Gone by the end of the line.
  CHECK_THROWS_WITH_AS(make_http({})->send({.url = url}), doctest::Contains(url.c_str()),
                       TemporaryError);
  CHECK_THROWS_AS(make_http({})->send({.url = "http://nobody.invalid/"}), TemporaryError);
}

TEST_CASE("a server that speaks no TLS is told apart") {
  LoopbackServer server("HTTP/1.1 400 Bad Request\r\n\r\n");
  auto url = server.url("/");
  url.insert(4, "s");
  CHECK_THROWS_AS(make_http({})->send({.url = url}), TlsError);
}

TEST_CASE("a header cannot smuggle another one in") {
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n");
  CHECK_THROWS_AS(make_http({})->send({.url = server.url("/"), .headers = {{"A", "b\r\nC: d"}}}),
                  Error);
}

TEST_CASE("redirects end somewhere") {
  LoopbackServer server("HTTP/1.1 307 x\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
  CHECK_THROWS_WITH(make_http({})->send({.url = server.url("/")}),
                    doctest::Contains("more than 10 redirects"));
  LoopbackServer other("HTTP/1.1 307 x\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
  CHECK(make_http({})->send({.url = other.url("/"), .redirects = Redirects::keep}).status == 307);
}

TEST_CASE("a transfer ends when the program is told to") {
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\n", LoopbackServer::After::wait);
  std::atomic<bool> cancel = false;
  const auto http = make_http({.cancel = &cancel});
  const std::jthread soon([&] {
    std::this_thread::sleep_for(100ms);
    cancel = true;
  });
  CHECK_THROWS_AS(http->send({.url = server.url("/")}), Cancelled);
}

TEST_CASE("several threads share one client") {
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\nok");
  const auto http = make_http({});
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads(8);
    for (auto& thread : threads)
      thread = std::jthread([&] {
        for (int j = 0; j < 20; ++j)
          good += http->send({.url = server.url("/")}).body == "ok" ? 1 : 0;
      });
  }
  CHECK(good == 160);
}
