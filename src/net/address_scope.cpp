#include "net/address_scope.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace cairn {

namespace {

using Ipv6 = std::array<std::uint8_t, 16>;

struct Ipv4Block {
  std::uint32_t first;
  unsigned bits;
  AddressScope scope;
};

constexpr std::uint32_t ipv4(unsigned a, unsigned b, unsigned c, unsigned d) {
  return (a << 24U) | (b << 16U) | (c << 8U) | d;
}

constexpr std::array<Ipv4Block, 6> ipv4_blocks = {{
    {ipv4(127, 0, 0, 0), 8, AddressScope::loopback},
    {ipv4(0, 0, 0, 0), 8, AddressScope::loopback}, // Linux connects to itself.
    {ipv4(169, 254, 0, 0), 16, AddressScope::link_local},
    {ipv4(100, 100, 100, 200), 32, AddressScope::link_local}, // Alibaba Cloud's metadata.
    {ipv4(192, 0, 0, 192), 32, AddressScope::link_local},     // Oracle Cloud's.
    {ipv4(168, 63, 129, 16), 32, AddressScope::link_local},   // Azure's, for its agents.
}};

AddressScope scope_of_ipv4(std::uint32_t address) noexcept {
  for (const auto& block : ipv4_blocks)
    if (((address ^ block.first) >> (32U - block.bits)) == 0)
      return block.scope;
  return AddressScope::global;
}

template<std::size_t Size>
bool begins_with(const Ipv6& address, const std::array<std::uint8_t, Size>& prefix) noexcept {
  return std::equal(prefix.begin(), prefix.end(), address.begin());
}

std::uint32_t ipv4_at(const Ipv6& address, std::size_t offset) noexcept {
  return ipv4(address[offset], address[offset + 1], address[offset + 2], address[offset + 3]);
}

AddressScope scope_of_ipv6(const Ipv6& address) noexcept {
  constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<std::uint8_t, 12> compatible = {};
  constexpr std::array<std::uint8_t, 12> nat64 = {0, 0x64, 0xff, 0x9b};
  constexpr std::array<std::uint8_t, 2> six_to_four = {0x20, 0x02};
  constexpr std::array<std::uint8_t, 4> amazon = {0xfd, 0x00, 0x0e, 0xc2};
  constexpr std::array<std::uint8_t, 4> google = {0xfd, 0x20, 0x00, 0xce};
  constexpr std::size_t tail = 12;
  constexpr Ipv6 self = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (address == self)
    return AddressScope::loopback;
  if (begins_with(address, mapped) || begins_with(address, compatible) ||
      begins_with(address, nat64))
    return scope_of_ipv4(ipv4_at(address, tail));
  if (begins_with(address, six_to_four))
    return scope_of_ipv4(ipv4_at(address, six_to_four.size()));
  const bool is_link_local = address[0] == 0xfe && (address[1] & 0xc0U) == 0x80U;
  return is_link_local || begins_with(address, amazon) || begins_with(address, google)
             ? AddressScope::link_local
             : AddressScope::global;
}

} // namespace

AddressScope address_scope(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    return scope_of_ipv4(ntohl(in.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6)
    return AddressScope::global;
  sockaddr_in6 in6{};
  std::memcpy(&in6, &address, sizeof in6);
  Ipv6 bytes{};
  std::copy(std::begin(in6.sin6_addr.s6_addr), std::end(in6.sin6_addr.s6_addr), bytes.begin());
  return scope_of_ipv6(bytes);
}

std::optional<AddressScope> address_scope(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  // The zone of a link-local address ("fe80::1%eth0") says nothing more.
  const std::string text(host.substr(0, host.find('%')));
  in_addr four{};
  if (::inet_aton(text.c_str(), &four) != 0)
    return scope_of_ipv4(ntohl(four.s_addr));
  Ipv6 six{};
  if (::inet_pton(AF_INET6, text.c_str(), six.data()) == 1)
    return scope_of_ipv6(six);
  return std::nullopt;
}

std::string_view scope_words(AddressScope scope) noexcept {
  switch (scope) {
  case AddressScope::loopback:
    return "an address of this machine";
  case AddressScope::link_local:
    return "a link-local address";
  case AddressScope::global:
    break;
  }
  return "an address like others";
}

} // namespace cairn
