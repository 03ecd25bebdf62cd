#include "builder/plan/ports.hpp"

#include "dockerfile/syntax/values.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>

namespace cairn {

namespace {

struct PortRange {
  std::int64_t first = 0;
  std::int64_t last = 0;

  std::int64_t size() const noexcept { return last - first; }
};

std::int64_t parse_port(std::string_view text, std::string_view whole) {
  const auto port = parse_go_integer(text);
  if (!port || *port < 0 || *port > 65535)
    throw Error("EXPOSE: invalid port in '{}': it must be a number up to 65535", whole);
  return *port;
}

PortRange parse_range(std::string_view text, std::string_view whole) {
  const auto ends = cut(text, '-');
  PortRange range;
  range.first = parse_port(ends ? ends->first : text, whole);
  range.last = ends ? parse_port(ends->second, whole) : range.first;
  if (range.last < range.first)
    throw Error("EXPOSE: invalid range in '{}': it ends before it begins", whole);
  return range;
}

void check_address(std::string_view text, std::string_view whole) {
  if (text.starts_with('[') && text.ends_with(']'))
    text = text.substr(1, text.size() - 2);
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const std::string name(text);
  if (!name.empty() && ::inet_pton(AF_INET, name.c_str(), address.data()) != 1 &&
      ::inet_pton(AF_INET6, name.c_str(), address.data()) != 1)
    throw Error("EXPOSE: invalid IP address in '{}'", whole);
}

/// RTMIN, RTMIN+1 to RTMIN+15, RTMAX-14 to RTMAX-1, RTMAX.
bool is_real_time(std::string_view name) {
  const auto offset = [&](std::string_view base, char sign, std::uint64_t most) {
    if (!name.starts_with(base))
      return false;
    const auto rest = name.substr(base.size());
    const auto number =
        rest.starts_with(sign) ? parse_unsigned(rest.substr(1)) : std::optional<std::uint64_t>();
    return rest.empty() ||
           (number && *number >= 1 && *number <= most && rest.substr(1) == std::to_string(*number));
  };
  return offset("RTMIN", '+', 15) || offset("RTMAX", '-', 14);
}

bool is_signal_name(std::string_view name) {
  for (const std::string_view alias : {"CLD", "IO", "IOT"})
    if (name == alias)
      return true;
  for (int signal = 1; signal < 32; ++signal) {
    const char* known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known)
      return true;
  }
  return is_real_time(name);
}

} // namespace

std::vector<std::string> parse_ports(std::string_view text) {
  auto container = text;
  // What publishes a port on a host is checked, but says nothing about the image.
  std::string_view host;
  std::string_view address;
  if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
    container = text.substr(colon + 1);
    host = text.substr(0, colon);
    if (const auto before = host.rfind(':'); before != std::string_view::npos) {
      address = host.substr(0, before);
      host.remove_prefix(before + 1);
    }
  }
  std::string protocol = "tcp";
  if (const auto parts = cut(container, '/')) {
    container = parts->first;
    if (!parts->second.empty())
      protocol = to_lower(parts->second);
  }
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
    throw Error("EXPOSE: invalid protocol '{}' in '{}': it must be tcp, udp or sctp", protocol,
                text);
  check_address(address, text);
  const auto range = parse_range(container, text);
  if (!host.empty())
    if (const auto published = parse_range(host, text);
        published.size() != range.size() && range.size() != 0)
      throw Error("EXPOSE: invalid ranges in '{}': they differ in length", text);
  std::vector<std::string> ports;
  for (auto port = range.first; port <= range.last; ++port)
    ports.push_back(fmt::format("{}/{}", port, protocol));
  return ports;
}

void check_signal(std::string_view text) {
  if (const auto number = parse_go_integer(text); number && *number != 0)
    return;
  auto name = to_upper(text);
  if (name.starts_with("SIG"))
    name.erase(0, 3);
  if (!is_signal_name(name))
    throw with_hint(Error("STOPSIGNAL: invalid signal '{}'", printable(text)),
                    "write a number, or a name such as SIGTERM or SIGRTMIN+3");
}

} // namespace cairn
