#include "builder/plan/known_arguments.hpp"

#include "util/text.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

constexpr std::array<std::string_view, 5> proxies = {"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY",
                                                     "NO_PROXY", "ALL_PROXY"};

} // namespace

Environment proxy_variables(const std::map<std::string, std::string>& build_args) {
  Environment variables;
  for (const auto proxy : proxies) {
    std::string value;
    for (const auto& [name, given] : build_args) // in order: http_proxy goes over HTTP_PROXY
      if (equals_ignoring_case(name, proxy))
        value = given;
    if (value.empty())
      continue;
    variables.set(proxy, value);
    variables.set(to_lower(proxy), value);
  }
  return variables;
}

bool is_known_argument(std::string_view name) {
  return name == "SOURCE_DATE_EPOCH" || name.starts_with("BUILDKIT_") ||
         std::any_of(proxies.begin(), proxies.end(),
                     [&](std::string_view proxy) { return equals_ignoring_case(proxy, name); });
}

} // namespace cairn
