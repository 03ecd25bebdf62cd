#include "net/url.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <vector>

namespace cairn {

namespace {

constexpr std::size_t max_url = std::size_t{16} * 1024;

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool is_host(std::string_view host) {
  if (host.starts_with('['))
    return host.size() > 2 && host.back() == ']' &&
           host.substr(1, host.size() - 2).find_first_not_of("0123456789abcdef:.%") ==
               std::string_view::npos;
  return !host.empty() && std::all_of(host.begin(), host.end(), is_unreserved);
}

bool is_port(std::string_view port) {
  const auto number = parse_unsigned(port);
  return number && *number > 0 && *number <= 65535;
}

/// Splits "host:port"; false when it is neither that nor a host.
bool set_authority(Url& url, std::string_view authority) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    url.userinfo = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto port = authority.substr(colon + 1);
    if (!port.empty() && !is_port(port))
      return false;
    url.port = port;
    authority = authority.substr(0, colon);
  }
  url.host = to_lower(authority);
  return is_host(url.host);
}

/// RFC 3986 section 5.2.4.
std::string remove_dot_segments(std::string_view path) {
  std::vector<std::string_view> kept;
  bool directory = false;
  for (std::size_t start = 1; start <= path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    const auto segment = path.substr(start, end - start);
    directory = segment == "." || segment == "..";
    if (segment == ".." && !kept.empty())
      kept.pop_back();
    else if (!directory)
      kept.push_back(segment);
    start = end + 1;
  }
  std::string out;
  for (const auto segment : kept) {
    out += '/';
    out += segment;
  }
  if (directory || out.empty())
    out += '/';
  return out;
}

std::string_view without_fragment(std::string_view text) {
  return text.substr(0, text.find('#'));
}

/// Takes the query off the end of `text`.
std::string take_query(std::string_view& text) {
  const auto parts = cut(text, '?');
  if (!parts)
    return {};
  std::string query(parts->second);
  text = parts->first;
  return query;
}

bool has_scheme(std::string_view text) {
  const auto colon = text.find(':');
  return colon != std::string_view::npos && colon < text.find_first_of("/?");
}

} // namespace

std::optional<Url> Url::try_parse(std::string_view text) {
  // A blank or control character in a URL could end the request line early.
  const auto odd = [](char c) { return c <= ' ' || c == 0x7f; };
  if (text.size() > max_url || std::any_of(text.begin(), text.end(), odd))
    return std::nullopt;
  const auto colon = text.find("://");
  if (colon == std::string_view::npos)
    return std::nullopt;
  Url url;
  url.scheme = to_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https")
    return std::nullopt;
  auto rest = without_fragment(text.substr(colon + 3));
  url.query = take_query(rest);
  const auto slash = std::min(rest.find('/'), rest.size());
  if (!set_authority(url, rest.substr(0, slash)))
    return std::nullopt;
  url.path = slash == rest.size() ? "/" : std::string(rest.substr(slash));
  return url;
}

Url Url::parse(std::string_view text) {
  if (auto url = try_parse(text))
    return *std::move(url);
  // Whatever it is may hold a password, so that it is not repeated.
  throw Error("not an http or https URL");
}

std::string Url::str() const {
  std::string text = scheme + "://";
  if (!userinfo.empty())
    text += userinfo + "@";
  text += authority() + path;
  if (!query.empty())
    text += "?" + query;
  return text;
}

std::string Url::authority() const {
  return port.empty() ? host : host + ":" + port;
}

std::string Url::origin() const {
  const auto* standard = scheme == "https" ? "443" : "80";
  return scheme + "://" + host + ":" + (port.empty() ? standard : port);
}

std::string_view Url::address() const noexcept {
  const std::string_view text = host;
  return text.starts_with('[') ? text.substr(1, text.size() - 2) : text;
}

Url Url::resolve(std::string_view reference) const {
  if (has_scheme(reference))
    return parse(reference);
  if (reference.starts_with("//"))
    return parse(scheme + ":" + std::string(reference));
  auto rest = without_fragment(reference);
  Url target = *this;
  if (rest.find('?') != std::string_view::npos || !rest.empty())
    target.query = take_query(rest);
  if (rest.starts_with('/'))
    target.path = remove_dot_segments(rest);
  else if (!rest.empty())
    target.path = remove_dot_segments(path.substr(0, path.rfind('/') + 1) + std::string(rest));
  return parse(target.str());
}

Url& Url::add_query(std::string_view name, std::string_view value) {
  if (!query.empty())
    query += '&';
  query += percent_encode(name) + "=" + percent_encode(value);
  return *this;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (is_unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
  return out;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size() || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0)
      return std::nullopt;
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

} // namespace cairn
