#include "builder/images/base_volumes.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <set>
#include <variant>

namespace cairn {

namespace {

void check_volume(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    throw SysError(errno, "'{}'", printable(path));
  if (!S_ISDIR(info.st_mode))
    throw Error("'{}' is not a directory", printable(path));
  struct statvfs mount {};
  if (::statvfs(path.c_str(), &mount) != 0)
    throw SysError(errno, "'{}'", printable(path));
  if ((mount.f_flag & ST_RDONLY) == 0)
    throw with_hint(Error("'{}' can be written to", printable(path)),
                    "mount it with readOnly: true; image volumes are read-only by themselves");
}

} // namespace

void check_base_volumes(const std::vector<BaseVolume>& volumes) {
  for (const auto& volume : volumes)
    within([&] { check_volume(volume.path); }, "--base-volume");
}

BaseVolumes::BaseVolumes(const std::vector<BaseVolume>& volumes) {
  for (const auto& volume : volumes)
    paths_.emplace(volume.image.str(), volume.path);
}

std::optional<std::string> BaseVolumes::find(const ImageSource& image) const {
  if (!image.reference)
    return std::nullopt;
  const auto found = paths_.find(image.reference->str());
  return found != paths_.end() ? std::optional(found->second) : std::nullopt;
}

void BaseVolumes::check_use(const Plan& plan, Progress& progress) const {
  std::set<std::string> used;
  const auto use = [&](const ImageSource* image) {
    if (image != nullptr && image->reference)
      used.insert(image->reference->str());
  };
  for (const auto& stage : plan.stages) {
    use(std::get_if<ImageSource>(&stage.base));
    for (const auto& step : stage.steps)
      visit_origins(step.action,
                    [&](const FileOrigin& origin) { use(std::get_if<ImageSource>(&origin)); });
  }
  for (const auto& [image, path] : paths_)
    if (!used.contains(image))
      progress.warn("--base-volume: no FROM of this build uses '{}'", image);
}

} // namespace cairn
