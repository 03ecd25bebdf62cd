#include "net/address_scope.hpp"

#include <doctest/doctest.h>

using namespace cairn;

TEST_CASE("an address is told from others in whichever form it is written") {
  struct Row {
    const char* host;
    AddressScope scope;
  };
  for (const auto& row : {
           Row{"93.184.216.34", AddressScope::global},
           Row{"10.0.0.5", AddressScope::global}, // storage of private registries
           Row{"[2606:2800:220:1::1]", AddressScope::global},
           Row{"169.253.255.255", AddressScope::global},
           Row{"169.255.0.0", AddressScope::global},
           Row{"128.0.0.1", AddressScope::global},
           Row{"127.0.0.1", AddressScope::loopback},
           Row{"127.255.255.254", AddressScope::loopback},
           Row{"127.1", AddressScope::loopback},
           Row{"0x7f000001", AddressScope::loopback},
           Row{"0", AddressScope::loopback},
           Row{"[::1]", AddressScope::loopback},
           Row{"[::]", AddressScope::loopback},
           Row{"[::ffff:127.0.0.1]", AddressScope::loopback},
           Row{"169.254.169.254", AddressScope::link_local},
           Row{"169.254.0.0", AddressScope::link_local},
           Row{"2852039166", AddressScope::link_local},          // decimal
           Row{"0xa9fea9fe", AddressScope::link_local},          // hexadecimal
           Row{"0251.0376.0251.0376", AddressScope::link_local}, // octal
           Row{"169.254.43518", AddressScope::link_local},       // three parts
           Row{"[::ffff:169.254.169.254]", AddressScope::link_local},
           Row{"::ffff:a9fe:a9fe", AddressScope::link_local},
           Row{"[::169.254.169.254]", AddressScope::link_local},
           Row{"[64:ff9b::a9fe:a9fe]", AddressScope::link_local}, // NAT64
           Row{"[2002:a9fe:a9fe::1]", AddressScope::link_local},  // 6to4
           Row{"[fe80::1]", AddressScope::link_local},
           Row{"[fe80::1%25eth0]", AddressScope::link_local},
           Row{"[febf::1]", AddressScope::link_local},
           Row{"[fec0::1]", AddressScope::global},
           Row{"[fd00:ec2::254]", AddressScope::link_local}, // Amazon
           Row{"[fd20:ce::254]", AddressScope::link_local},  // Google
           Row{"100.100.100.200", AddressScope::link_local}, // Alibaba
           Row{"192.0.0.192", AddressScope::link_local},     // Oracle
           Row{"168.63.129.16", AddressScope::link_local},   // Azure
       }) {
    CAPTURE(row.host);
    REQUIRE(address_scope(row.host));
    CHECK(*address_scope(row.host) == row.scope);
  }
  for (const auto* name : {"metadata.google.internal", "localhost", "a.1", "", "1.2.3.4.5"})
    CHECK_FALSE(address_scope(name));
}

TEST_CASE("servers lead to where they live themselves, and to the world") {
  using enum AddressScope;
  CHECK(may_lead(global, global));
  CHECK(may_lead(loopback, global));
  CHECK(may_lead(loopback, loopback));
  CHECK(may_lead(link_local, link_local));
  CHECK_FALSE(may_lead(global, loopback));
  CHECK_FALSE(may_lead(global, link_local));
  CHECK_FALSE(may_lead(loopback, link_local));
  CHECK_FALSE(may_lead(link_local, loopback));
}
