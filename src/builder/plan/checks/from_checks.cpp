#include "builder/plan/checks/from_checks.hpp"

#include "util/error.hpp"

#include <fmt/core.h>

#include <algorithm>

namespace cairn {

namespace {

bool is_reference(const std::string& text) {
  try {
    (void)ImageRef::parse(text);
    return true;
  } catch (const Error&) {
    return false;
  }
}

bool is_empty(const ImageConfig& image) {
  return image.diff_ids.empty() &&
         std::all_of(image.history.begin(), image.history.end(),
                     [](const HistoryEntry& entry) { return entry.empty_layer; });
}

std::string shown(const Platform& platform) {
  return platform.os.empty() ? "unknown" : platform.str();
}

} // namespace

void FromChecks::arguments(const instruction::From& from, const Expansion& expansion) const {
  for (const auto& name : expansion.unmatched)
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      checks_.report(
          LintRule::undefined_arg_in_from, from,
          fmt::format("FROM argument '{}' is not declared{}", name, meant_name(name, known_, "")));
}

void FromChecks::base(const instruction::From& from, const Expansion& name) const {
  arguments(from, name);
}

void FromChecks::platform(const instruction::From& from, const Expansion& platform,
                          const std::string& target) const {
  arguments(from, platform);
  if (platform.unmatched.empty() && platform.matched.size() == 1 &&
      platform.matched.contains("TARGETPLATFORM") && platform.word == target)
    checks_.report(LintRule::redundant_target_platform, from,
                   fmt::format("Setting platform to predefined {} in FROM is redundant as this is "
                               "the default behavior",
                               *from.platform));
  if (!platform.matched.empty() || !platform.unmatched.empty())
    return;
  Platform constant;
  try {
    constant = Platform::parse(platform.word);
  } catch (const Error&) {
    return; // The stage is refused for it.
  }
  // A stage that is named after its platform is meant to have it.
  const auto name = from.name.value_or("");
  if (name.find(constant.os) == std::string::npos &&
      name.find(constant.architecture) == std::string::npos)
    checks_.report(
        LintRule::from_platform_flag_const_disallowed, from,
        fmt::format("FROM --platform flag should not use constant value \"{}\"", platform.word));
}

void check_default_base(const PlanChecks& checks, const instruction::From& from,
                        const VariableLookup& defaults, char escape) {
  if (!is_reference(expand_word(from.image, defaults, escape)))
    checks.report(LintRule::invalid_default_arg_in_from, from,
                  fmt::format("Default value for ARG {} results in empty or invalid base image "
                              "name",
                              from.image));
}

void check_base_platform(const PlanChecks& checks, const instruction::From& from,
                         const ImageSource& asked, const ImageConfig& image) {
  const auto& expected = asked.platform;
  const auto& actual = image.platform;
  if (is_empty(image) || (expected.os == actual.os && expected.architecture == actual.architecture))
    return;
  checks.report(LintRule::invalid_base_image_platform, from,
                fmt::format("Base image {} was pulled with platform \"{}\", expected \"{}\" for "
                            "current build",
                            asked.name, shown(actual), shown(expected)));
}

} // namespace cairn
