#include "build/ports.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("build/ports");

TEST_CASE("a word of EXPOSE means one port or a range of them") {
  using Ports = std::vector<std::string>;
  CHECK(parse_ports("80") == Ports{"80/tcp"});
  CHECK(parse_ports("53/UDP") == Ports{"53/udp"});
  CHECK(parse_ports("8000-8002/sctp") == Ports{"8000/sctp", "8001/sctp", "8002/sctp"});
  CHECK(parse_ports("127.0.0.1:80:8080") == Ports{"8080/tcp"});
  for (const char* bad : {"", "x", "80/http", "65536", "3-1", "1-", "-1"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_ports(bad), Error);
  }
}

TEST_CASE("a stop signal is a number or a name") {
  for (const char* good : {"9", "SIGTERM", "term", "SIGRTMIN+3", "USR1"})
    CHECK_NOTHROW(check_signal(good));
  for (const char* bad : {"", "0", "-1", "99", "SIGNOPE"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(check_signal(bad), Error);
  }
}

TEST_SUITE_END();
