#include "run/chroot/kernel_texts.hpp"

#include "run/supervised/thread_status.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

#include <sys/prctl.h>

namespace cairn {

namespace {

std::string ids_line(std::string_view name, const ThreadStatus::Ids& ids) {
  return fmt::format("{}\t{}\t{}\t{}\t{}\n", name, ids.real,
                     ids.are_assumed() ? ids.filesystem : ids.effective, ids.saved, ids.filesystem);
}

} // namespace

std::string mounts_text(std::string_view file) {
  if (file == "mountinfo")
    return "20 1 0:20 / / rw,relatime - overlay overlay rw\n"
           "21 20 0:21 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n"
           "22 20 0:22 / /sys ro,nosuid,nodev,noexec,relatime - sysfs sysfs ro\n"
           "23 20 0:23 / /dev/pts rw,nosuid,noexec,relatime - devpts devpts rw\n"
           "24 20 0:24 / /dev/shm rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw\n";
  if (file == "mountstats")
    return "device overlay mounted on / with fstype overlay\n"
           "device proc mounted on /proc with fstype proc\n"
           "device sysfs mounted on /sys with fstype sysfs\n"
           "device devpts mounted on /dev/pts with fstype devpts\n"
           "device tmpfs mounted on /dev/shm with fstype tmpfs\n";
  return "overlay / overlay rw,relatime 0 0\n"
         "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n"
         "sysfs /sys sysfs ro,nosuid,nodev,noexec,relatime 0 0\n"
         "devpts /dev/pts devpts rw,nosuid,noexec,relatime 0 0\n"
         "tmpfs /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime 0 0\n";
}

std::string status_text(std::string_view text) {
  const auto status = parse_thread_status(text);
  const bool sleeps = status && status->is_asleep();
  const int own = ::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
  std::string shown;
  for (const auto& line : split(text, '\n')) {
    if (line.empty())
      continue;
    const auto name = std::string_view(line).substr(0, line.find('\t'));
    const bool is_set =
        name == "CapInh:" || name == "CapPrm:" || name == "CapEff:" || name == "CapAmb:";
    if (sleeps && is_set)
      shown += fmt::format("{}\t{:016x}\n", name, 0);
    else if (status && name == "Uid:")
      shown += ids_line(name, status->users);
    else if (status && name == "Gid:")
      shown += ids_line(name, status->groups);
    else if (name == "NoNewPrivs:")
      shown += fmt::format("{}\t{}\n", name, own);
    else
      shown.append(line).append("\n");
  }
  return shown;
}

} // namespace cairn
