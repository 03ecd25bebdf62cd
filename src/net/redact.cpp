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

} // namespace cairn
