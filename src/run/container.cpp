#include "run/container.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <string_view>

namespace cairn {

namespace {

constexpr const char* marker_files[] = {
    ".dockerenv",
    "run/.containerenv",
    "var/run/secrets/kubernetes.io/serviceaccount",
    "run/secrets/kubernetes.io/serviceaccount",
    "run/systemd/container",
    "__runsc_containers__",
};

constexpr const char* marker_variables[] = {"container=", "KUBERNETES_SERVICE_HOST="};

constexpr const char* control_group_names[] = {"kubepods", "docker", "containerd",
                                               "libpod",   "crio",   "lxc"};

bool exists(FdRef root, const char* path) {
  struct stat info {};
  return ::fstatat(root.get(), path, &info, 0) == 0;
}

/// The text of a file of /proc, or "" when it cannot be read.
std::string text_of(FdRef root, const char* path) {
  constexpr std::uint64_t most = std::uint64_t{4} << 20;
  try {
    return read_file(root, path, most);
  } catch (const Error&) {
    return {};
  }
}

/// True when the last file system mounted on "/" is an overlay.
bool root_is_overlay(std::string_view mounts) {
  bool found = false;
  for (const auto& line : split(mounts, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() > 2 && fields[1] == "/")
      found = fields[2] == "overlay";
  }
  return found;
}

} // namespace

std::optional<std::string> container_evidence(FdRef root,
                                              const std::vector<std::string>& environment) {
  for (const char* path : marker_files) {
    if (exists(root, path))
      return fmt::format("/{} exists", path);
  }
  for (const auto& variable : environment) {
    for (const std::string_view name : marker_variables) {
      if (variable.starts_with(name) && variable.size() > name.size())
        return fmt::format("{} is set", name.substr(0, name.size() - 1));
    }
  }
  const auto groups = text_of(root, "proc/self/cgroup");
  for (const char* name : control_group_names) {
    if (groups.find(name) != std::string::npos)
      return fmt::format("the control group's name holds \"{}\"", name);
  }
  // OpenVZ shows /proc/vz to its containers, and /proc/bc to the host alone.
  if (exists(root, "proc/vz") && !exists(root, "proc/bc"))
    return "/proc/vz exists";
  if (root_is_overlay(text_of(root, "proc/self/mounts")))
    return "/ is an overlay";
  return std::nullopt;
}

} // namespace cairn
