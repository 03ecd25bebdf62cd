#include "builder/store/workspace.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <sys/stat.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr std::string_view prefix = "build-";

} // namespace

Workspace::Workspace(const std::vector<std::string>& candidates) {
  for (const auto& candidate : candidates)
    remove_abandoned(candidate, prefix);
  std::vector<std::string> refusals;
  for (const auto& candidate : candidates) {
    try {
      make_directories(candidate);
      directory_.emplace(candidate, prefix);
      break;
    } catch (const Error& error) {
      refusals.emplace_back(error.what());
    }
  }
  if (!directory_)
    throw with_hint(Error("no directory for the build can be written: {}", join(refusals, "; ")),
                    "mount a volume at " + candidates.front() + " or set --kaniko-dir");
  store_.emplace(path() + "/store");
  temporary_ = path() + "/tmp";
  make_directories(temporary_, 0700);
}

std::string Workspace::new_directory(const std::string& kind) {
  // Short names: many of them go into one overlay mount's options.
  auto name = path() + "/" + kind + std::to_string(next_++);
  if (::mkdir(name.c_str(), 0755) != 0)
    throw SysError(errno, "create directory '{}'", name);
  return name;
}

} // namespace cairn
