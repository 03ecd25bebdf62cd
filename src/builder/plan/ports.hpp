#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// The ports that one word of EXPOSE means, e.g. "8000-8001/UDP" -> {"8000/udp", "8001/udp"}.
/// "ip:host:container" forms count for their container part. @throws Error
std::vector<std::string> parse_ports(std::string_view text);

/// Accepts a signal's number or its name with or without "SIG". @throws Error
void check_signal(std::string_view text);

} // namespace cairn
