#include "apps/shared/environment.hpp"

#include <unistd.h>

namespace cairn {

ProcessEnvironment ProcessEnvironment::current() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    entries.emplace_back(*entry);
  return ProcessEnvironment(std::move(entries));
}

} // namespace cairn
