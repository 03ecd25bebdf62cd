#include "apps/shared/name_service.hpp"

#include <nss.h>

#include <utility>

namespace cairn {

void fix_name_service() noexcept {
  constexpr std::pair<const char*, const char*> lookups[] = {
      {"hosts", "files dns"}, {"passwd", "files"},    {"group", "files"},
      {"services", "files"},  {"protocols", "files"}, {"networks", "files"}};
  // A database that cannot be set is one that this libc does not know.
  for (const auto& [database, services] : lookups)
    (void)::__nss_configure_lookup(database, services);
}

} // namespace cairn
