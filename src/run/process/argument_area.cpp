#include "run/process/argument_area.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <cstdint>

namespace cairn {

std::span<char> argument_area() {
  constexpr std::size_t start_field = 45; // counted from 0 behind the program's name
  const auto text = read_file(current_directory(), "/proc/self/stat", 1 << 16);
  const auto name_end = text.rfind(") ");
  if (name_end == std::string::npos)
    return {};
  const auto fields = split(std::string_view(text).substr(name_end + 2), ' ');
  if (fields.size() <= start_field + 1)
    return {};
  const auto start = parse_unsigned(fields[start_field]);
  const auto end = parse_unsigned(fields[start_field + 1]);
  if (!start || !end || *start == 0 || *end <= *start)
    return {};
  // The kernel tells addresses as numbers.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return {reinterpret_cast<char*>(static_cast<std::uintptr_t>(*start)),
          static_cast<std::size_t>(*end - *start)};
}

} // namespace cairn
