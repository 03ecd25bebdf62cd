#pragma once

#include <cstddef>
#include <string>

namespace cairn {

/// How many CPUs this process may keep busy, at least one: those it may run on (sched_getaffinity),
/// and no more than the quota of its control groups lets it, rounded up (cpu.max of version 2,
/// cpu.cfs_quota_us of version 1). `root` is where /proc and /sys are looked for.
std::size_t usable_cpus(const std::string& root = "");

} // namespace cairn
