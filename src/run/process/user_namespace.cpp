#include "run/process/user_namespace.hpp"

#include "run/process/handshake.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

#include <optional>
#include <span>
#include <vector>

namespace cairn {

namespace {

std::vector<std::uint64_t> numbers(std::string_view line) {
  std::vector<std::uint64_t> found;
  for (const auto& word : split(line, ' ')) {
    if (word.empty())
      continue;
    const auto number = parse_unsigned(word);
    if (!number)
      return {};
    found.push_back(*number);
  }
  return found;
}

} // namespace

std::string identity_map(std::string_view own_map) {
  std::string text;
  for (const auto& line : split(trim(own_map), '\n')) {
    const auto range = numbers(line);
    if (range.size() != 3)
      throw Error("map of ids has a line '{}'", printable(line));
    text += fmt::format("{} {} {}\n", range[0], range[0], range[2]);
  }
  return text;
}

void map_identity(pid_t process) {
  constexpr std::uint64_t most = 1 << 16;
  for (const char* name : {"uid_map", "gid_map"}) {
    const auto own = read_file(current_directory(), fmt::format("/proc/self/{}", name), most);
    const auto text = identity_map(own);
    try {
      const auto file =
          open_at(current_directory(), fmt::format("/proc/{}/{}", process, name), O_WRONLY);
      // The kernel takes a map in one write, and only one.
      write_all(file, std::as_bytes(std::span(text)));
    } catch (const SysError& error) {
      throw SetupError(SetupStep::map_ids, error.code());
    }
  }
}

} // namespace cairn
