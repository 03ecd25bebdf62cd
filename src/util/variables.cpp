#include "util/variables.hpp"

#include "util/text.hpp"

namespace cairn {

std::optional<std::string> Variables::find(std::string_view name) const {
  for (const auto& entry : entries_)
    if (const auto parts = cut(entry, '='); parts && parts->first == name)
      return std::string(parts->second);
  return std::nullopt;
}

std::string Variables::either(std::string_view name, std::string_view otherwise) const {
  const auto first = text(name);
  return first.empty() ? text(otherwise) : first;
}

} // namespace cairn
