#include "util/cpus.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sched.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace cairn {

namespace {

constexpr std::uint64_t max_text = std::uint64_t{64} << 10;

std::string text_of(const std::string& path) {
  try {
    const auto file = try_open_at(current_directory(), path, O_RDONLY);
    return file ? read_file(*file, max_text) : std::string();
  } catch (const Error&) {
    return {};
  }
}

std::size_t allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  // It fails with more CPUs than the set holds: there is no want of them then.
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? static_cast<std::size_t>(CPU_COUNT(&set))
                                                       : CPU_SETSIZE;
}

/// CPUs that are paid for, rounded up. "max" and -1 are no limit.
std::optional<std::size_t> quotient(std::string_view quota, std::string_view period) {
  const auto time = parse_signed(quota);
  const auto of = parse_signed(period);
  if (!time || !of || *time <= 0 || *of <= 0)
    return std::nullopt;
  return static_cast<std::size_t>((*time + *of - 1) / *of);
}

std::optional<std::size_t> quota_at(const std::string& root, const std::string& group) {
  const auto second = text_of(root + "/sys/fs/cgroup" + group + "/cpu.max");
  if (const auto parts = cut(trim(second), ' '))
    return quotient(parts->first, parts->second);
  const auto first = root + "/sys/fs/cgroup/cpu" + group;
  const auto quota = text_of(first + "/cpu.cfs_quota_us");
  const auto period = text_of(first + "/cpu.cfs_period_us");
  return quotient(trim(quota), trim(period));
}

/// The groups of this process: "0::/a" of version 2, "4:cpu,cpuacct:/a" of version 1. In a
/// container that is "/", or a path that only the host sees.
std::string own_group(const std::string& root) {
  std::string group;
  for (const auto& line : split(text_of(root + "/proc/self/cgroup"), '\n')) {
    const auto number = cut(line, ':');
    const auto rest = number ? cut(number->second, ':') : std::nullopt;
    if (!rest)
      continue;
    const auto controllers = split(std::string(rest->first), ',');
    if (rest->first.empty() && group.empty())
      group = rest->second;
    else if (std::find(controllers.begin(), controllers.end(), "cpu") != controllers.end())
      group = rest->second;
  }
  return group == "/" ? std::string() : group;
}

} // namespace

std::size_t usable_cpus(const std::string& root) {
  auto cpus = allowed_cpus();
  auto group = own_group(root);
  for (;;) {
    if (const auto quota = quota_at(root, group))
      cpus = std::min(cpus, *quota);
    const auto above = group.rfind('/');
    if (above == std::string::npos)
      break;
    group.resize(above);
  }
  return std::max<std::size_t>(cpus, 1);
}

} // namespace cairn
