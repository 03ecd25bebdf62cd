#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

/// The fields of one CSV record (RFC 4180): `a,"b,c"` gives "a" and "b,c".
/// @throws Error without a place on a stray quote
std::vector<std::string> parse_csv_record(std::string_view text);

/// "1", "t", "true", "True"... or "0", "f", "false"..., as Go's strconv.ParseBool knows them.
std::optional<bool> parse_bool(std::string_view text);

/// "5", "+05", "-1": a decimal number as Go's strconv reads it.
std::optional<std::int64_t> parse_go_integer(std::string_view text);

/// "64", "100m", "1.5 GiB": bytes in powers of 1024, as Docker's flags take them.
std::optional<std::uint64_t> parse_binary_size(std::string_view text);

} // namespace cairn
