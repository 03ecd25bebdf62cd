#pragma once

#include "oci/image_config.hpp"

#include <map>
#include <string>
#include <string_view>

namespace cairn {

/// The variables that the predefined proxy arguments set for commands. As with BuildKit HTTP_PROXY
/// and http_proxy are one argument in any case: both variables get its value, over that of an ENV.
Environment proxy_variables(const std::map<std::string, std::string>& build_args);

/// Whether a --build-arg means something although no ARG declares it: the proxies,
/// SOURCE_DATE_EPOCH, and what configures BuildKit.
bool is_known_argument(std::string_view name);

} // namespace cairn
