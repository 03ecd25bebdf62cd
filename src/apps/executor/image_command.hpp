#pragma once

#include "apps/shared/environment.hpp"
#include "apps/shared/flags.hpp"
#include "apps/shared/log.hpp"
#include "apps/shared/registry_use.hpp"
#include "builder/options/build_options.hpp"

#include <string>
#include <variant>
#include <vector>

namespace cairn {

/// What commands that push what exists already have in common.
struct PushSettings {
  std::vector<ImageRef> destinations; ///< At least one.
  ReportOptions reports;
  RegistryUse registry;
  LogOptions log;
};

/// Pushes an image out of a file or directory.
struct PushCommand {
  PushSettings settings;
  std::string path;
  std::string work_directory = "/kaniko"; ///< What an archive holds goes there.
  ExpansionLimit unpacked = {};           ///< Of the archive.
};

/// Makes an index of images that were pushed.
struct IndexCommand {
  PushSettings settings;
  std::vector<ImageRef> images; ///< At least one.
  Annotations annotations;
};

/// What these commands have instead when help is asked for.
struct HelpCommand {
  std::string text;
};

/// Read what follows `push` and `index`. @throws Error naming the flag
std::variant<PushCommand, HelpCommand> parse_push(const std::vector<std::string>& arguments,
                                                  const ProcessEnvironment& environment);
std::variant<IndexCommand, HelpCommand> parse_index(const std::vector<std::string>& arguments,
                                                    const ProcessEnvironment& environment);

/// The flags of the two, as their help lists them.
std::vector<FlagSpec> push_flag_specs();
std::vector<FlagSpec> index_flag_specs();

} // namespace cairn
