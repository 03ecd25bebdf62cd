#include "net/proxy.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("NO_PROXY means what it means to Go programs") {
  struct Row {
    const char* none;
    const char* url;
    bool proxied;
    const char* because;
  };
  for (const auto& row : {
           Row{"", "https://a.example/", true, "nothing is excluded"},
           Row{"*", "https://a.example/", false, "everything is"},
           Row{"example", "https://a.example/", false, "a domain covers its subdomains"},
           Row{"example", "https://example/", false, "and itself"},
           Row{".example", "https://example/", true, "with a dot the subdomains alone"},
           Row{".example", "https://a.example/", false, "those it covers"},
           Row{"*.example", "https://a.example/", false, "a star is a dot"},
           Row{"ample", "https://a.example/", true, "labels are whole"},
           Row{"b, a.EXAMPLE ", "https://a.example/", false,
               "a list, blanks and case do not count"},
           Row{"a.example:443", "https://a.example/", false, "the scheme's own port"},
           Row{"a.example:80", "https://a.example/", true, "another port"},
           Row{"10.0.0.0/8", "https://10.200.1.1:5000/", false, "a block of addresses"},
           Row{"10.0.0.0/9", "https://10.200.1.1:5000/", true, "a smaller one"},
           Row{"10.0.0.0/8", "https://a.example/", true, "names are in no block"},
           Row{"fd00::/8", "https://[fd12::1]/", false, "a block of IPv6"},
           Row{"10.1.1.1", "https://10.1.1.1/", false, "an address"},
           Row{"[fd12::1]:443", "https://[fd12::1]/", false, "an address with a port"},
           Row{"10.0.0.0/99", "https://10.1.1.1/", true, "not a block"},
           Row{"", "https://localhost:5000/", false, "the machine itself"},
           Row{"", "https://127.1.2.3/", false, "loopback"},
           Row{"", "https://[::1]/", false, "loopback of IPv6"},
       }) {
    CAPTURE(row.none);
    CAPTURE(row.url);
    CAPTURE(row.because);
    const ProxyOptions options{"", "http://proxy:3128", row.none};
    CHECK(proxy_for(options, Url::parse(row.url)) == (row.proxied ? "http://proxy:3128" : ""));
  }
}

TEST_CASE("each scheme has its proxy") {
  const ProxyOptions options{"http://one", "http://two", ""};
  CHECK(proxy_for(options, Url::parse("http://a/")) == "http://one");
  CHECK(proxy_for(options, Url::parse("https://a/")) == "http://two");
}
