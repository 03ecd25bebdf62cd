#include "builder/plan/ports.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_SUITE_BEGIN("builder/ports");

TEST_CASE("a word of EXPOSE means one port or a range of them") {
  using Ports = std::vector<std::string>;
  CHECK(parse_ports("80") == Ports{"80/tcp"});
  CHECK(parse_ports("53/UDP") == Ports{"53/udp"});
  CHECK(parse_ports("8000-8002/sctp") == Ports{"8000/sctp", "8001/sctp", "8002/sctp"});
  CHECK(parse_ports("127.0.0.1:80:8080") == Ports{"8080/tcp"});
  CHECK(parse_ports("80:8080/udp") == Ports{"8080/udp"});
  CHECK(parse_ports("[::1]:80-81:8080-8081") == Ports{"8080/tcp", "8081/tcp"});
  CHECK(parse_ports("::1:80-82:8080") == Ports{"8080/tcp"});
  CHECK(parse_ports("1.2.3.4::80") == Ports{"80/tcp"});
  CHECK(parse_ports("+0080/") == Ports{"80/tcp"});
  CHECK(parse_ports("9-11") == Ports{"9/tcp", "10/tcp", "11/tcp"});
  for (const char* bad : {"", "x", "80/http", "65536", "3-1", "1-", "-1", "/tcp", "80/tcp/udp",
                          "80:", "x:80", "host:80:80", "1:2:3:4", "[::1:80:80", "999.1.1.1:1:80",
                          "01.2.3.4:1:80", "fe80::1%eth0:1:80", "80-82:8080-8081"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(parse_ports(bad), Error);
  }
}

TEST_CASE("a stop signal is a number or a name") {
  for (const char* good : {"9", "SIGTERM", "term", "SIGRTMIN+3", "USR1", "RTMAX-14", "rtmin", "IO",
                           "POLL", "IOT", "CLD", "65", "-1", "+5"})
    CHECK_NOTHROW(check_signal(good));
  for (const char* bad : {"", "0", "SIGNOPE", "RTMIN+16", "RTMAX-15", "RTMIN-1", "RTMIN+0",
                          "RTMIN+03", "RTMIN+", "UNUSED", "SIGSIGTERM", "0x9", "A B"}) {
    CAPTURE(bad);
    CHECK_THROWS_AS(check_signal(bad), Error);
  }
}

TEST_SUITE_END();
