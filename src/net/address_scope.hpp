#pragma once

#include <optional>
#include <string_view>

struct sockaddr;

namespace cairn {

/// Addresses that lead somewhere else on each machine, and the rest of them.
enum class AddressScope {
  global,    ///< Everywhere else; private networks are no exception, storage often is in one.
  loopback,  ///< This machine: 127.0.0.0/8, ::1, 0.0.0.0/8 and ::.
  link_local ///< This link: 169.254.0.0/16, fe80::/10, and all that clouds use as such.
};

/// Of an address that a socket is opened for. IPv4 within IPv6 counts as what it is.
AddressScope address_scope(const sockaddr& address) noexcept;

/// Of the host of a URL, with or without brackets, in any form that resolvers take: "0x7f.1",
/// "2852039166". Nothing when it is a name.
std::optional<AddressScope> address_scope(std::string_view host);

/// Whether a server at `from` may send clients to `to`: to others that live where it lives itself,
/// and to the world.
constexpr bool may_lead(AddressScope from, AddressScope to) noexcept {
  return to == AddressScope::global || to == from;
}

/// "a link-local address"
std::string_view scope_words(AddressScope scope) noexcept;

} // namespace cairn
