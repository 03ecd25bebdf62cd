#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/help.hpp"
#include "apps/shared/log.hpp"
#include "apps/shared/registry_use.hpp"
#include "build/warm.hpp"

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

/// Reads the command line, without the program's name, and the variables that go with it
/// (docs/warmer.md). @throws Error naming the flag or variable
WarmerCommand parse_warmer(const std::vector<std::string>& arguments,
                           const ProcessEnvironment& environment);

/// The images of a list: one a line; what follows a "#" is a comment. `name` is for messages.
/// @throws Error with the line
std::vector<ImageRef> parse_image_list(std::string_view text, std::string_view name);

} // namespace cairn
