#include "context/download/downloader.hpp"
#include "context/download/url_context.hpp"
#include "support/fake_http.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

/// A Downloader with a server that is a function, and no pauses.
class Place {
public:
  explicit Place(FakeHttp::Answer answer, std::map<std::string, std::string> secrets = {})
      : http(std::move(answer)), secrets_(std::move(secrets)),
        downloader({http, progress_, secrets_, cancel_, {.first = Milliseconds(0)}},
                   {directory_.path() + "/downloads"}) {}

  std::string text(const std::string& url) {
    const auto file = downloader.fetch(UrlSource::parse(url));
    return read_all(*file.open(), 1 << 20);
  }

  std::string error(const UrlSource& source) {
    try {
      downloader.fetch(source);
    } catch (const Error& error) {
      return error.what();
    }
    return {};
  }

private:
  TempDir directory_{"/tmp"};
  SilentProgress progress_;
  std::atomic<bool> cancel_ = false;

public:
  FakeHttp http;

private:
  std::map<std::string, std::string> secrets_;

public:
  Downloader downloader;
};

Response with(const std::string& body, Headers headers = {}) {
  return {.status = 200, .headers = std::move(headers), .body = body};
}

std::string header(const Request& request, std::string_view name) {
  const auto* value = request.headers.find(name);
  return value != nullptr ? *value : "";
}

} // namespace

TEST_CASE("http and https are downloaded, repositories of git are not") {
  for (const auto* text :
       {"http://h", "https://h/a.tar.gz", "https://h/a.git/b", "https://h/x?y.git"})
    CHECK(is_url(text));
  for (const auto* text :
       {"https://h/a.git", "https://h/a.git#main:dir", "https://h/a.git?ref=x", "HTTP://h/",
        "git://h/a", "git@h:a", "/a", "http:/a", "docker-image://a"})
    CHECK_FALSE(is_url(text));
}

TEST_CASE("a URL names its file, or does not") {
  struct Row {
    const char* url;
    const char* name;
  };
  for (const auto& row :
       {Row{"https://h/a/b", "b"}, Row{"https://h/a/b/", "b"}, Row{"https://h/b?c=d/e#f/g", "b"},
        Row{"https://h/a%20b", "a b"}, Row{"https://h/a b", "a b"},
        Row{"https://h/\xC3\xA4", "\xC3\xA4"}, Row{"https://h/a%2fb", "b"},
        Row{"https://h/100%", "100%"}, Row{"https://h", ""}, Row{"https://h/", ""},
        Row{"https://h//", ""}, Row{"https://h/a/..", ""}, Row{"https://h/%2e%2e", ""},
        Row{"https://h/a%00", ""}}) {
    CAPTURE(row.url);
    CHECK(UrlSource::parse(row.url).file_name() == row.name);
  }
  CHECK(UrlSource::parse("https://h/a b\xC3\xA4").url == "https://h/a%20b%C3%A4");
  for (const auto* text : {"https://", "https://[x/", "https://h\n/", "ftp://h/"})
    CHECK_THROWS_WITH_AS(UrlSource::parse(text), doctest::Contains("is not an http or https URL"),
                         Error);
}

TEST_CASE("what is downloaded says when it was changed and how it could be called") {
  Place place([](const Request&) {
    return with("text", {{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"},
                         {"Content-Disposition", "attachment; filename=\"x/name\""}});
  });
  const auto file = place.downloader.fetch(UrlSource::parse("https://h/"));
  CHECK(file.size == 4);
  CHECK(file.modified == from_unix(784'111'777));
  CHECK(file.suggested_name == "name");
  CHECK(file.digest == Digest::of("text"));
  const auto request = place.http.requests().front();
  CHECK(header(request, "accept-encoding") == "identity");
  CHECK(request.authorization.empty());
  CHECK(request.plaintext == Plaintext::refuse);
}

TEST_CASE("a kept file is asked about by its tag, or else by its time") {
  for (const bool tagged : {true, false}) {
    Place place([&](const Request& request) {
      const auto* name = tagged ? "if-none-match" : "if-modified-since";
      if (!header(request, name).empty())
        return Response{.status = 304};
      return tagged ? with("text", {{"ETag", "W/\"1\""}, {"Last-Modified", "x"}})
                    : with("text", {{"Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"}});
    });
    CHECK(place.text("https://ann:secret@h/f") == "text");
    CHECK(place.text("https://h/f") == "text");
    CHECK(place.http.requests().size() == 2);
    CHECK(place.text("https://h/other") == "text");
    CHECK(header(place.http.requests().back(), tagged ? "if-none-match" : "if-modified-since") ==
          "");
  }
}

TEST_CASE("an answer that nothing has changed is an error when nothing is kept") {
  Place place([](const Request&) { return Response{.status = 304}; });
  CHECK(place.error(UrlSource::parse("https://h/f")) == "GET https://h/f: 304");
}

TEST_CASE("with a checksum a kept file is taken without asking, another digest is refused") {
  Place place([](const Request&) { return with("text", {{"ETag", "\"1\""}}); });
  auto source = UrlSource::parse("https://h/f?key=hush");
  source.checksum = Digest::of("text");
  CHECK(place.error(source).empty());
  CHECK(place.error(source).empty());
  CHECK(place.http.requests().size() == 1);
  CHECK(place.http.requests().front().plaintext == Plaintext::allow);
  source.checksum = Digest::of("other");
  CHECK(place.error(source) ==
        "digest mismatch for https://h/f?key=***: " + Digest::of("text").str() +
            " (expected: " + Digest::of("other").str() + ")");
  CHECK(header(place.http.requests().back(), "if-none-match").empty());
}

TEST_CASE(
    "secrets are for one host, the token before the header, without the line break of a file") {
  const std::map<std::string, std::string> secrets = {{"HTTP_AUTH_HEADER_a", "Basic x\n"},
                                                      {"HTTP_AUTH_TOKEN_B.example", "t\n"},
                                                      {"HTTP_AUTH_HEADER_b.example", "Basic y"},
                                                      {"HTTP_AUTH_TOKEN_::1", "six"},
                                                      {"HTTP_AUTH_TOKEN_", "nobody"}};
  Place place([](const Request&) { return with(""); }, secrets);
  for (const auto* url :
       {"https://a/f", "http://a:8080/f", "https://b.example/f", "https://[::1]/f",
        "https://sub.b.example/f", "https://c/HTTP_AUTH_TOKEN_a"})
    place.text(url);
  std::vector<std::string> sent;
  for (const auto& request : place.http.requests())
    sent.push_back(request.authorization);
  CHECK(sent == std::vector<std::string>{"Basic x", "Basic x", "Bearer t", "Bearer six", "", ""});
}

TEST_CASE("a download goes on where it broke, as long as the tag is a strong one") {
  struct Row {
    const char* tag;
    bool resumes;
  };
  for (const auto& row : {Row{"\"1\"", true}, Row{"W/\"1\"", false}, Row{"", false}}) {
    int count = 0;
    Place place([&](const Request& request) -> Response {
      if (count++ > 0 && !header(request, "range").empty())
        return {.status = 206, .headers = {{"Content-Range", "bytes 2-3/4"}}, .body = "xt"};
      if (count > 1)
        return with("text");
      const auto head = with("", {{"ETag", row.tag}});
      request.on_success(head);
      write_text(*request.sink, "te");
      throw TemporaryError("cut");
    });
    CHECK(place.text("https://h/f") == "text");
    const auto again = place.http.requests().back();
    CHECK(header(again, "range") == (row.resumes ? "bytes=2-" : ""));
    CHECK(header(again, "if-range") == (row.resumes ? row.tag : ""));
  }
}

TEST_CASE("a failure that stays keeps its kind") {
  Place broken([](const Request&) { return Response{.status = 503}; });
  CHECK_THROWS_AS(broken.text("https://h/f"), TemporaryError);
  CHECK(broken.http.requests().size() == 4);
  Place gone([](const Request&) { return Response{.status = 410}; });
  CHECK(gone.error(UrlSource::parse("https://h/f")) == "GET https://h/f: 410");
  CHECK(gone.http.requests().size() == 1);
}

TEST_CASE("a downloader that was stopped waits no longer") {
  Place place([](const Request&) { return Response{.status = 503}; });
  place.downloader.stop();
  CHECK_THROWS_AS(place.text("https://h/f"), Cancelled);
}

TEST_CASE("a download that is no text is no Dockerfile") {
  Place place([](const Request& request) {
    return with(request.url.ends_with("/text") ? "FROM scratch\n" : std::string("\x7f\0", 2));
  });
  const auto text = place.downloader.fetch(UrlSource::parse("https://h/text"));
  CHECK(context_shape(text) == ContextShape::single_file);
  CHECK(dockerfile_of(text, "x").text == "FROM scratch\n");
  CHECK_THROWS_WITH_AS(dockerfile_of(place.downloader.fetch(UrlSource::parse("https://h/")), "x"),
                       "x: it is neither a tar archive nor a Dockerfile", Error);
}
