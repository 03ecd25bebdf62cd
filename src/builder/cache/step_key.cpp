#include "builder/cache/step_key.hpp"

#include <fmt/core.h>

namespace cairn {

KeyHash& KeyHash::add(std::string_view field, std::string_view value) {
  write_text(hash_, fmt::format("{} {}\n", field, value.size()));
  write_text(hash_, value);
  write_text(hash_, "\n");
  return *this;
}

} // namespace cairn
