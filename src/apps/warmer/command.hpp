#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/help.hpp"
#include "apps/shared/log.hpp"
#include "apps/shared/registry_use.hpp"
#include "builder/warm/warm.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace cairn {

/// Whether what could not be had makes the program fail.
enum class WarmFailures { fail, allow };

struct WarmCommand {
  WarmRequest request;
  std::string list; ///< A file of images, or "-"; "" for none.
  std::string report;
  WarmFailures failures = WarmFailures::fail;
  RegistryUse registry;
  LogOptions log;
  std::vector<std::string> warnings; ///< About the command line, for the log.
};

/// What the warmer is to do.
using WarmerCommand = std::variant<WarmCommand, TextCommand>;

} // namespace cairn
