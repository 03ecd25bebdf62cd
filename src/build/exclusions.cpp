#include "build/exclusions.hpp"

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

} // namespace

void Exclusions::add(const RootedPath& path) {
  if (path.is_root() || covers(path))
    return;
  std::erase_if(paths_, [&](const RootedPath& known) { return path.contains(known); });
  paths_.insert(std::upper_bound(paths_.begin(), paths_.end(), path), path);
}

bool Exclusions::covers(const RootedPath& path) const {
  // The one path that can hold `path` is the last that does not sort behind it.
  const auto next = std::upper_bound(paths_.begin(), paths_.end(), path);
  return next != paths_.begin() && std::prev(next)->contains(path);
}

PathFilter Exclusions::filter() const {
  return [copy = *this](const RootedPath& path) { return copy.covers(path); };
}

std::vector<RootedPath> mount_points(std::string_view mountinfo) {
  std::vector<RootedPath> points;
  for (const auto& line : split(mountinfo, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 5)
      continue;
    auto point = RootedPath::parse(unescape(fields[4]));
    if (!point.is_root())
      points.push_back(std::move(point));
  }
  return points;
}

Exclusions exclusions_for(Rung rung, const ExecutionOptions& options,
                          const std::vector<std::string>& own, std::string_view mountinfo) {
  Exclusions exclusions;
  for (const auto* path : {"/proc", "/sys", "/dev"})
    exclusions.add(RootedPath::parse(path));
  for (const auto& path : options.ignore_paths)
    exclusions.add(RootedPath::parse(path));
  if (rung != Rung::inplace)
    return exclusions;
  for (const auto& path : mount_points(mountinfo))
    exclusions.add(path);
  for (const auto& path : own)
    if (!path.empty())
      exclusions.add(RootedPath::parse(path));
  // The container runtime writes these three, as mounts or as files.
  for (const auto* path : {"/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/etc/mtab",
                           "/.dockerenv", "/run/.containerenv"})
    exclusions.add(RootedPath::parse(path));
  return exclusions;
}

} // namespace cairn
