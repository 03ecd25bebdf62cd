#include "net/redact.hpp"
#include "net/url.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("a URL is taken apart and put together again") {
  const auto url = Url::parse("HTTPS://user:pw@Example.COM:8443/a/b?x=1&y=2#part");
  CHECK(url.scheme == "https");
  CHECK(url.userinfo == "user:pw");
  CHECK(url.host == "example.com");
  CHECK(url.port == "8443");
  CHECK(url.path == "/a/b");
  CHECK(url.query == "x=1&y=2");
  CHECK(url.str() == "https://user:pw@example.com:8443/a/b?x=1&y=2");
}

TEST_CASE("a host has one origin, however its port is written") {
  CHECK(Url::parse("https://a/x").origin() == Url::parse("https://A:443").origin());
  CHECK(Url::parse("http://a").origin() == Url::parse("http://a:80/").origin());
  CHECK(Url::parse("http://a").origin() != Url::parse("https://a").origin());
  CHECK(Url::parse("https://[::1]:5000/").address() == "::1");
}

TEST_CASE("what is no http URL is refused") {
  struct Row {
    const char* text;
    const char* because;
  };
  for (const auto& row : {
           Row{"", "nothing"},
           Row{"example.com/x", "no scheme"},
           Row{"file:///etc/passwd", "another scheme"},
           Row{"https://", "no host"},
           Row{"https://a b/", "a blank"},
           Row{"https://a/\r\nHost: b", "a line break"},
           Row{"https://a:0/", "port zero"},
           Row{"https://a:99999/", "no such port"},
           Row{"https://a:x/", "a port of letters"},
           Row{"https://[::1/", "an open bracket"},
           Row{"https://a\\b/", "a backslash"},
       }) {
    CAPTURE(row.text);
    CAPTURE(row.because);
    CHECK_FALSE(Url::try_parse(row.text));
    CHECK_THROWS_AS(Url::parse(row.text), Error);
  }
}

TEST_CASE("a Location is followed from where it was sent") {
  struct Row {
    const char* reference;
    const char* target;
    const char* because;
  };
  for (const auto& row : {
           Row{"https://b/u?_state=x", "https://b/u?_state=x", "absolute"},
           Row{"//b/u", "http://b/u", "another host, the same scheme"},
           Row{"/u?_state=a%3D", "http://a:5000/u?_state=a%3D", "another path with a query"},
           Row{"c", "http://a:5000/v2/x/c", "a sibling"},
           Row{"../c?d", "http://a:5000/v2/c?d", "one folder up"},
           Row{"./", "http://a:5000/v2/x/", "the folder itself"},
           Row{"/../../u", "http://a:5000/u", "not above the root"},
           Row{"?n=2", "http://a:5000/v2/x/y?n=2", "a query alone"},
           Row{"", "http://a:5000/v2/x/y?z=1", "the same place"},
           Row{"/a:b", "http://a:5000/a:b", "a colon in a path is no scheme"},
       }) {
    CAPTURE(row.because);
    CHECK(Url::parse("http://a:5000/v2/x/y?z=1").resolve(row.reference).str() == row.target);
  }
  CHECK_THROWS_AS(Url::parse("http://a/").resolve("ftp://b/"), Error);
  CHECK_THROWS_AS(Url::parse("http://a/").resolve("javascript:x"), Error);
}

TEST_CASE("a query grows by encoded members") {
  auto url = Url::parse("https://a/u?_state=x%3D");
  url.add_query("digest", "sha256:ab");
  CHECK(url.str() == "https://a/u?_state=x%3D&digest=sha256%3Aab");
  CHECK(percent_decode("a%20b%2F") == "a b/");
  CHECK_FALSE(percent_decode("a%2"));
  CHECK_FALSE(percent_decode("%zz"));
}

TEST_CASE("text is shown without the passwords of its URLs") {
  struct Row {
    const char* text;
    const char* shown;
  };
  for (const auto& [text, shown] : {
           Row{"RUN git clone https://user:pw@a/x && wget http://tok@b",
               "RUN git clone https://***@a/x && wget http://***@b"},
           Row{"pip --index-url=\"https://u:p%40@pypi/simple\"",
               "pip --index-url=\"https://***@pypi/simple\""},
           Row{"https://u:p@ss@a/x", "https://***@a/x"},
           Row{"ftp://u:p@a", "ftp://***@a"},
           Row{"ssh://git@a/x git+ssh://git:pw@a", "ssh://git@a/x git+ssh://***@a"},
           Row{"https://a/x@y mail me@b", "https://a/x@y mail me@b"},
           Row{"https://a?x=u:p@b", "https://a?x=u:p@b"},
           Row{"https://'u@a'", "https://'u@a'"},
           Row{"://u:p@a", "://***@a"},
           Row{"https://", "https://"},
           Row{"", ""},
       })
    CHECK(redact_text(text) == shown);
}

TEST_CASE("a URL is shown without its secrets") {
  struct Row {
    const char* url;
    const char* shown;
  };
  for (const auto& [url, shown] : {
           Row{"https://user:pw@a/x", "https://a/x"},
           Row{"https://a/u?digest=sha256%3Aab&_state=secret",
               "https://a/u?digest=sha256%3Aab&_state=***"},
           Row{"https://a/t?service=s&scope=r&account=me",
               "https://a/t?service=s&scope=r&account=***"},
           Row{"https://a/x?X-Amz-Signature=abc", "https://a/x?X-Amz-Signature=***"},
           Row{"https://a/x?sometoken", "https://a/x?***"},
           Row{"not a url with password", "<url>"},
       })
    CHECK(redact_url(url) == shown);
}
