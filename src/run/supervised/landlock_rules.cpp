#include "run/supervised/landlock_rules.hpp"

#include "util/error.hpp"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace cairn {

namespace {

// By number, for headers know no more than the kernel that they are from.
constexpr std::uint64_t write_file = 1U << 1;
constexpr std::uint64_t read_files = 1U << 2;
constexpr std::uint64_t read_directory = 1U << 3;
constexpr std::uint64_t truncate_file = 1U << 14;
constexpr std::uint64_t control_device = 1U << 15;
constexpr std::uint64_t signal_others = 1U << 1;

/// Before this version no file can be moved to another directory.
constexpr long moves_files = 2;
constexpr long knows_truncate = 3;
constexpr long knows_network = 4;
constexpr long knows_devices = 5;
constexpr long knows_signals = 6;

struct RulesetAttributes {
  std::uint64_t files = 0;
  std::uint64_t network = 0;
  std::uint64_t scoped = 0;
};

std::uint64_t all_rights(long version) {
  if (version >= knows_devices)
    return 0xffff;
  return version >= knows_truncate ? 0x7fff : 0x3fff;
}

std::size_t size_for(long version) {
  if (version >= knows_signals)
    return 3 * sizeof(std::uint64_t);
  return (version >= knows_network ? 2 : 1) * sizeof(std::uint64_t);
}

void allow(FdRef rules, const char* path, std::uint64_t rights) {
  const Fd directory(::open(path, O_PATH | O_CLOEXEC));
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = directory.get();
  if (!directory ||
      ::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
    throw SysError(errno, "allow a command to use '{}'", path);
}

} // namespace

Fd make_landlock_rules(const std::string& root) {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < moves_files)
    return {};
  const auto all = all_rights(version);
  const RulesetAttributes attributes{all, 0, version >= knows_signals ? signal_others : 0};
  Fd rules(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, size_for(version), 0)));
  if (!rules)
    throw SysError(errno, "make rules for a command");
  allow(rules, root.c_str(), all);
  constexpr auto use = write_file | read_files | read_directory | truncate_file | control_device;
  for (const char* directory : {"/proc", "/sys", "/dev"})
    allow(rules, directory, use & all);
  return rules;
}

int submit_to_rules(int rules) noexcept {
  return ::syscall(SYS_landlock_restrict_self, rules, 0) == 0 ? 0 : errno;
}

} // namespace cairn
