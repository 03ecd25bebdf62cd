#include "net/response_head.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

constexpr std::uint64_t max_bytes = std::uint64_t{256} << 10;
constexpr std::size_t max_fields = 2000;

/// "HTTP/1.1 100 Continue" (RFC 9110 15.2).
bool is_interim(std::string_view status_line) {
  const auto space = status_line.find(' ');
  return space != std::string_view::npos && status_line.substr(space + 1).starts_with('1');
}

} // namespace

ResponseHead::Line ResponseHead::take(std::string_view line) {
  line = trim(line);
  bytes_ += line.size();
  if (bytes_ > max_bytes)
    throw Error("more than {} KiB of headers", max_bytes >> 10);
  if (line.starts_with("HTTP/")) {
    headers_ = {};
    return is_interim(line) ? Line::interim_status : Line::status;
  }
  if (const auto parts = cut(line, ':')) {
    if (headers_.fields().size() >= max_fields)
      throw Error("more than {} headers", max_fields);
    headers_.add(std::string(trim(parts->first)), std::string(trim(parts->second)));
  }
  return Line::field;
}

} // namespace cairn
