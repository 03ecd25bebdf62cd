#pragma once

#include "builder/options/build_options.hpp"
#include "builder/plan/plan.hpp"
#include "util/progress.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// What a command could change in such a directory would be the base of builds to come.
/// @throws Error naming the option, for what is no directory or can be written to
void check_base_volumes(const std::vector<BaseVolume>& volumes);

/// The images that are mounted where the build runs (--base-volume).
class BaseVolumes {
public:
  explicit BaseVolumes(const std::vector<BaseVolume>& volumes);

  /// Where an image is mounted; nothing for an image that is not.
  std::optional<std::string> find(const ImageSource& image) const;
  /// Warns of those that a plan has no use for.
  void check_use(const Plan& plan, Progress& progress) const;

private:
  std::map<std::string, std::string> paths_; ///< By the whole reference.
};

} // namespace cairn
