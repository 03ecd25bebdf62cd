#include "net/proxy.hpp"

#include "util/text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace cairn {

namespace {

/// An address as 16 bytes, IPv4 in its mapped form.
using Address = std::array<std::uint8_t, 16>;
constexpr unsigned mapped_bits = 96;

struct ParsedAddress {
  Address bytes{};
  bool is_v4 = false;
};

std::optional<ParsedAddress> parse_address(std::string_view text) {
  const std::string name(text);
  ParsedAddress parsed;
  if (::inet_pton(AF_INET, name.c_str(), parsed.bytes.data() + 12) == 1) {
    parsed.bytes[10] = parsed.bytes[11] = 0xff;
    parsed.is_v4 = true;
    return parsed;
  }
  if (::inet_pton(AF_INET6, name.c_str(), parsed.bytes.data()) == 1)
    return parsed;
  return std::nullopt;
}

bool same_prefix(const Address& a, const Address& b, unsigned bits) {
  for (unsigned i = 0; i < a.size() && bits > 0; ++i) {
    const unsigned part = std::min(bits, 8U);
    const auto mask = static_cast<std::uint8_t>(0xff00U >> part);
    if ((a[i] & mask) != (b[i] & mask))
      return false;
    bits -= part;
  }
  return true;
}

bool in_block(const ParsedAddress& address, std::string_view block) {
  const auto parts = cut(block, '/');
  const auto base = parse_address(parts->first);
  const auto bits = parse_unsigned(parts->second);
  if (!base || !bits || base->is_v4 != address.is_v4 || *bits > (base->is_v4 ? 32U : 128U))
    return false;
  const auto prefix = static_cast<unsigned>(*bits) + (base->is_v4 ? mapped_bits : 0);
  return same_prefix(address.bytes, base->bytes, prefix);
}

bool is_loopback(std::string_view host) {
  if (host == "localhost")
    return true;
  const auto address = parse_address(host);
  return address && (in_block(*address, "127.0.0.0/8") || in_block(*address, "::1/128"));
}

/// Splits a port off an entry of NO_PROXY.
std::pair<std::string_view, std::string_view> split_port(std::string_view entry) {
  if (entry.starts_with('[')) {
    const auto end = entry.find(']');
    if (end == std::string_view::npos)
      return {entry, {}};
    const auto rest = entry.substr(end + 1);
    return {entry.substr(1, end - 1), rest.starts_with(':') ? rest.substr(1) : std::string_view()};
  }
  const auto colon = entry.find(':');
  if (colon == std::string_view::npos || entry.rfind(':') != colon)
    return {entry, {}};
  return {entry.substr(0, colon), entry.substr(colon + 1)};
}

bool covers_domain(std::string_view pattern, std::string_view host) {
  if (pattern.starts_with("*."))
    pattern.remove_prefix(1);
  if (pattern.starts_with('.'))
    return host.ends_with(pattern);
  return host == pattern || (host.size() > pattern.size() && host.ends_with(pattern) &&
                             host[host.size() - pattern.size() - 1] == '.');
}

bool covers(std::string_view entry, std::string_view host, std::string_view port) {
  if (entry == "*")
    return true;
  const auto address = parse_address(host);
  if (entry.find('/') != std::string_view::npos)
    return address && in_block(*address, entry);
  const auto [pattern, only_port] = split_port(entry);
  if (pattern.empty() || (!only_port.empty() && only_port != port))
    return false;
  if (const auto wanted = parse_address(pattern))
    return address && address->bytes == wanted->bytes;
  return covers_domain(pattern, host);
}

} // namespace

std::string proxy_for(const ProxyOptions& options, const Url& url) {
  const auto& proxy = url.scheme == "https" ? options.https : options.http;
  if (proxy.empty() || is_loopback(url.address()))
    return {};
  const auto origin = url.origin();
  const auto port = std::string_view(origin).substr(origin.rfind(':') + 1);
  for (const auto& entry : split(to_lower(options.none), ','))
    if (covers(trim(entry), url.address(), port))
      return {};
  return proxy;
}

} // namespace cairn
