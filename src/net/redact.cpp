#include "net/redact.hpp"

#include "net/url.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

constexpr std::array<std::string_view, 9> harmless = {
    "digest", "mount", "from", "scope", "service", "n", "version", "last", "ref"};

std::string redact_query(const std::string& query) {
  std::vector<std::string> parts;
  for (const auto& field : split(query, '&')) {
    const auto pair = cut(field, '=');
    if (!pair || std::find(harmless.begin(), harmless.end(), pair->first) != harmless.end())
      parts.push_back(pair ? field : "***");
    else
      parts.push_back(std::string(pair->first) + "=***");
  }
  return join(parts, "&");
}

} // namespace

std::string redact_url(std::string_view text) {
  auto url = Url::try_parse(text);
  if (!url)
    return "<url>";
  url->userinfo.clear();
  if (!url->query.empty())
    url->query = redact_query(url->query);
  return url->str();
}

std::string redact_text(std::string_view text) {
  constexpr std::string_view mark = "://";
  std::string shown;
  for (auto begin = text.find(mark); begin != std::string_view::npos; begin = text.find(mark)) {
    const auto start = begin + mark.size();
    const auto scheme = text.substr(0, begin);
    shown += text.substr(0, start);
    text.remove_prefix(start);
    const auto authority = text.substr(0, text.find_first_of("/?#\"'`<> \t\r\n"));
    const auto at = authority.rfind('@');
    if (at == std::string_view::npos)
      continue;
    const auto user = text.substr(0, at);
    const bool is_secret = user.find(':') != std::string_view::npos || !scheme.ends_with("ssh");
    shown += is_secret ? "***" : user;
    text.remove_prefix(at);
  }
  shown += text;
  return shown;
}

} // namespace cairn
