#include "builder/execute/mounted_files.hpp"

#include "builder/layers/directory_content.hpp"
#include "fs/archive/metadata.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fmt/core.h>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

namespace cairn {

namespace {

/// Whether everything is root's already, as files of a context are when a command sees them.
bool belongs_to_root(FdRef directory, const std::string& name) {
  const auto info = try_statx(directory, name);
  if (!info || info->stx_uid != 0 || info->stx_gid != 0)
    return false;
  if (!S_ISDIR(info->stx_mode))
    return true;
  const auto below = open_at(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  for (const auto& child : list_directory(below))
    if (!belongs_to_root(below, child))
      return false;
  return true;
}

} // namespace

std::string MountedFiles::show(const FileOrigin& from, const std::string& source) {
  const std::lock_guard lock(mutex_);
  auto& path = shown_[{identity(from), source}];
  if (path.empty())
    path = find(from, source);
  return path;
}

std::string MountedFiles::find(const FileOrigin& from, const std::string& source) {
  if (std::holds_alternative<MainContext>(from) && services_.context.ignore.empty()) {
    const auto& context = services_.context.local;
    const auto file =
        open_in_root(context.root, RootedPath::parse(source), O_PATH, FinalLink::follow);
    if (file) {
      auto path = real_path(fmt::format("/proc/self/fd/{}", file->get()));
      if (belongs_to_root(current_directory(), path))
        return path;
    }
  }
  return copy(from, source, workspace_.new_directory("m"));
}

std::string MountedFiles::copy(const FileOrigin& from, const std::string& source,
                               const std::string& directory) const {
  write_directory(subtree(from, source, services_), directory);
  return real_path(directory) + "/m";
}

void MountedFiles::fill(const FileOrigin& from, const std::string& source,
                        const std::string& path) const {
  if (std::holds_alternative<EmptyFilesystem>(from))
    return;
  const auto half = path + ".from";
  remove_tree(current_directory(), half);
  make_directories(half, 0700);
  const auto copied = copy(from, source, half);
  const auto place = source == "/" ? path : path + source;
  make_directories(place.substr(0, place.rfind('/')));
  if (::rename(copied.c_str(), place.c_str()) != 0)
    throw SysError(errno, "fill '{}'", place);
  remove_tree(current_directory(), half);
}

std::string MountedFiles::identity(const FileOrigin& from) const {
  if (std::holds_alternative<EmptyFilesystem>(from))
    return "nothing";
  if (const auto* directory = std::get_if<DirectorySource>(&from))
    return "directory " + directory->path;
  if (const auto* url = std::get_if<UrlSource>(&from))
    return "download " + services_.downloads.get(*url)->digest.str();
  if (const auto* git = std::get_if<GitSource>(&from))
    return git->identity(services_.repositories.get(*git)->commit.id);
  if (const auto* image = std::get_if<ImageSource>(&from))
    return "image " + services_.images.get(*image)->manifest.digest().str();
  if (const auto* stage = std::get_if<StageSource>(&from))
    return fmt::format("stage {}", stage->index);
  return "context";
}

} // namespace cairn
