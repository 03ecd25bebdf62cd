#include "overlay_mount.hpp"

#include "util/text.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mount.h>

#include <cerrno>
#include <cstring>

namespace cairn::test {

std::optional<OverlayMount> OverlayMount::create(const std::vector<std::string>& lower) {
  TempDir work("/tmp");
  const auto merged = work.path() + "/merged";
  const auto upper = work.path() + "/upper";
  for (const auto& path : {merged, upper, work.path() + "/work"})
    make_directories(path);
  const auto options = "userxattr,lowerdir=" + join(lower, ":") + ",upperdir=" + upper +
                       ",workdir=" + work.path() + "/work";
  if (::mount("overlay", merged.c_str(), "overlay", 0, options.c_str()) != 0) {
    MESSAGE("skipped: no overlay can be mounted here: ", std::strerror(errno));
    return std::nullopt;
  }
  return OverlayMount(std::move(work), merged, upper);
}

OverlayMount::OverlayMount(TempDir work, std::string merged, std::string upper)
    : work_(std::move(work)), merged_(std::move(merged)), upper_(std::move(upper)) {}

OverlayMount::OverlayMount(OverlayMount&& other) noexcept
    : work_(std::move(other.work_)), merged_(std::exchange(other.merged_, {})),
      upper_(std::move(other.upper_)) {}

OverlayMount::~OverlayMount() {
  if (!merged_.empty())
    ::umount2(merged_.c_str(), MNT_DETACH);
}

} // namespace cairn::test
