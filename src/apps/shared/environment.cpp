#include "apps/shared/environment.hpp"

#include "util/text.hpp"

#include <unistd.h>

namespace cairn {

ProcessEnvironment ProcessEnvironment::current() {
  std::vector<std::string> entries;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry)
    entries.emplace_back(*entry);
  return ProcessEnvironment(std::move(entries));
}

std::optional<std::string> ProcessEnvironment::find(std::string_view name) const {
  for (const auto& entry : entries_)
    if (const auto parts = cut(entry, '='); parts && parts->first == name)
      return std::string(parts->second);
  return std::nullopt;
}

std::string ProcessEnvironment::either(std::string_view name, std::string_view otherwise) const {
  const auto first = text(name);
  return first.empty() ? text(otherwise) : first;
}

} // namespace cairn
