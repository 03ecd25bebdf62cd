#include "net/http_curl.hpp"
#include "support/loopback_server.hpp"
#include "util/cancelled.hpp"
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
  CHECK_THROWS_WITH_AS(http->send({.method = "PUT", .url = server.url("/"), .body = body}),
                       doctest::Contains(" of 4194304 bytes)"), TemporaryError);
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

TEST_CASE("a server elsewhere leads nobody to this machine") {
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\nok",
                        LoopbackServer::After::wait);
  const auto http = make_http({});
  for (const auto led_from : {AddressScope::global, AddressScope::link_local}) {
    CHECK_THROWS_WITH_AS(http->send({.url = server.url("/"), .led_from = led_from}),
                         doctest::Contains("must not lead to an address of this machine"), Error);
    auto named = server.url("/");
    named.replace(named.find("127.0.0.1"), 9, "localhost");
    CHECK_THROWS_WITH_AS(http->send({.url = named, .led_from = led_from}),
                         doctest::Contains("must not lead to an address of this machine"), Error);
  }
  CHECK(server.request().empty());
  const auto response = http->send({.url = server.url("/"), .led_from = AddressScope::loopback});
  CHECK(response.body == "ok");
  CHECK(response.peer == AddressScope::loopback);
}

TEST_CASE("an open connection opens no way to this machine") {
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 2\r\n\r\nok",
                        LoopbackServer::After::serve);
  const auto http = make_http({});
  auto url = server.url("/");
  url.replace(url.find("127.0.0.1"), 9, "localhost");
  CHECK(http->send({.url = url}).body == "ok");
  CHECK(http->send({.url = url}).body == "ok");
  CHECK(server.connections() == 1);
  CHECK_THROWS_WITH(http->send({.url = url, .led_from = AddressScope::global}),
                    doctest::Contains("must not lead"));
}

TEST_CASE("a redirect to a link-local address is refused") {
  for (const auto* host :
       {"169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "[fe80::1]"}) {
    LoopbackServer server("HTTP/1.1 302 x\r\nLocation: http://" + std::string(host) +
                          "/latest/meta-data/\r\nContent-Length: 0\r\n\r\n");
    CHECK_THROWS_WITH_AS(make_http({})->send({.url = server.url("/")}),
                         doctest::Contains("must not lead to a link-local address"), Error);
  }
}

TEST_CASE("headers have a limit, and one beyond it is no passing failure") {
  const auto answer = [](const std::string& headers) {
    LoopbackServer server("HTTP/1.1 200 x\r\n" + headers + "Content-Length: 0\r\n\r\n");
    try {
      make_http({})->send({.url = server.url("/")});
      return std::string("no error");
    } catch (const TemporaryError& error) {
      return std::string("temporary: ") + error.what();
    } catch (const Error& error) {
      return std::string(error.what());
    }
  };
  std::string many;
  for (int i = 0; i < 3000; ++i)
    many += "A: b\r\n";
  std::string long_ones;
  for (int i = 0; i < 10; ++i)
    long_ones += "A: " + std::string(60'000, 'b') + "\r\n";
  CHECK(answer("A: " + std::string(200'000, 'x') + "\r\n").find("headers that are too large") !=
        std::string::npos);
  CHECK(answer(many).find("more than 2000 headers") != std::string::npos);
  CHECK(answer(long_ones).find("256 KiB of headers") != std::string::npos);
  CHECK(answer("A: " + std::string(50'000, 'x') + "\r\n") == "no error");
}

TEST_CASE("a server that does not answer is told of, and given up") {
  struct Notes final : Progress {
    void log(Level, std::string_view message) noexcept override { text += message; }
    void step_done(std::string_view, std::string_view, std::chrono::nanoseconds) noexcept override {
    }
    std::string text;
  } notes;
  LoopbackServer server("", LoopbackServer::After::wait);
  const auto http = make_http({.pace = {.stall = 2s, .report = 1s}, .progress = &notes});
  CHECK_THROWS_WITH_AS(http->send({.url = server.url("/x")}),
                       doctest::Contains("/x: no answer for 2 seconds"), TemporaryError);
  CHECK(notes.text.find("/x: no answer for 1 s") != std::string::npos);
}

TEST_CASE("an answer that stops in its middle is given up") {
  LoopbackServer server("HTTP/1.1 200 x\r\nContent-Length: 9\r\n\r\nhalf",
                        LoopbackServer::After::wait);
  CHECK_THROWS_WITH_AS(make_http({.pace = {.stall = 1s}})->send({.url = server.url("/")}),
                       doctest::Contains("nothing moved for 1 seconds"), TemporaryError);
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
