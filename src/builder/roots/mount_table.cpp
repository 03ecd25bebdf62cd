#include "builder/roots/mount_table.hpp"

#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

/// mountinfo writes blanks, tabs, line feeds and backslashes as \ooo.
std::string unescape(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text[i] == '\\' ? parse_octal(text.substr(i + 1, 3)) : std::nullopt;
    out += code ? static_cast<char>(*code) : text[i];
    i += code ? 3 : 0;
  }
  return out;
}

bool is_read_only(std::string_view options) {
  const auto all = split(options, ',');
  return std::find(all.begin(), all.end(), "ro") != all.end();
}

} // namespace

std::vector<MountEntry> parse_mount_table(std::string_view mountinfo) {
  std::vector<MountEntry> mounts;
  for (const auto& line : split(mountinfo, '\n')) {
    const auto fields = split(line, ' ');
    constexpr std::size_t first_optional = 6;
    if (fields.size() < first_optional)
      continue;
    // Optional fields end with a "-"; type, source and the file system's own options follow.
    const auto separator = std::find(fields.begin() + first_optional, fields.end(), "-");
    if (fields.end() - separator < 4)
      continue;
    mounts.push_back({RootedPath::parse(unescape(fields[4])), std::string(separator[1]),
                      is_read_only(fields[5]) || is_read_only(separator[3])
                          ? MountMode::read_only
                          : MountMode::read_write});
  }
  return mounts;
}

} // namespace cairn
