#include "build/ports.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

#include <csignal>
#include <cstdlib>
#include <cstring>

namespace cairn {

namespace {

std::uint64_t parse_port(std::string_view text, std::string_view whole) {
  const auto port = parse_unsigned(text);
  if (!port || *port > 65535)
    throw Error("EXPOSE: invalid port in '{}': it must be a number up to 65535", whole);
  return *port;
}

} // namespace

std::vector<std::string> parse_ports(std::string_view text) {
  std::string_view rest = text;
  std::string protocol = "tcp";
  if (const auto parts = cut(rest, '/')) {
    rest = parts->first;
    protocol = to_lower(parts->second);
  }
  if (protocol.empty())
    protocol = "tcp";
  if (protocol != "tcp" && protocol != "udp" && protocol != "sctp")
    throw Error("EXPOSE: invalid protocol '{}' in '{}': it must be tcp, udp or sctp", protocol,
                text);
  // What publishes a port on a host says nothing about the image.
  if (const auto colon = rest.rfind(':'); colon != std::string_view::npos)
    rest.remove_prefix(colon + 1);
  const auto range = cut(rest, '-');
  const auto first = parse_port(range ? range->first : rest, text);
  const auto last = range ? parse_port(range->second, text) : first;
  if (last < first)
    throw Error("EXPOSE: invalid range in '{}': it ends before it begins", text);
  std::vector<std::string> ports;
  for (auto port = first; port <= last; ++port)
    ports.push_back(fmt::format("{}/{}", port, protocol));
  return ports;
}

void check_signal(std::string_view text) {
  if (const auto number = parse_signed(text)) {
    if (*number <= 0 || *number > SIGRTMAX)
      throw Error("STOPSIGNAL: invalid signal '{}'", text);
    return;
  }
  auto name = to_upper(text);
  if (name.starts_with("SIG"))
    name.erase(0, 3);
  if (name.starts_with("RTMIN") || name.starts_with("RTMAX") || name == "CLD" || name == "POLL" ||
      name == "IOT" || name == "UNUSED")
    return;
  for (int signal = 1; signal < 32; ++signal) {
    const char* known = ::sigabbrev_np(signal);
    if (known != nullptr && name == known)
      return;
  }
  throw Error("STOPSIGNAL: invalid signal '{}'", text);
}

} // namespace cairn
