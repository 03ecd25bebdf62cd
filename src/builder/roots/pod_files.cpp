#include "builder/roots/pod_files.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace cairn {

namespace {

bool is_directory(const LayerEntry& entry) {
  return entry.meta.type == FileType::directory && !entry.hard_link;
}

} // namespace

void PodFiles::blocked(LayerOrigin origin, const LayerEntry& entry, const RootedPath& place) {
  const auto* reserved = layout_.reserved.covering(place);
  if (reserved == nullptr)
    return refuse_cover(place);
  // A directory is there, whosever it is.
  const bool stands_for_it = is_directory(entry) && place == reserved->path;
  if (reserved->is_expected() || stands_for_it)
    return;
  if (origin == LayerOrigin::build || reserved->owner == PathOwner::option)
    throw conflict(entry.path, *reserved);
  warn_once(reserved->path,
            fmt::format("the base image has '{}', which {} hides from commands in place",
                        entry.path.str(), reserved->description()));
}

void PodFiles::admit(const LayerEntry& entry) {
  if (const auto* reserved = layout_.reserved.covering(entry.path)) {
    if (!reserved->is_expected())
      throw conflict(entry.path, *reserved);
  } else if (!is_directory(entry)) {
    refuse_cover(entry.path);
  }
}

void PodFiles::admit(const Invocation& invocation) {
  // Nothing may be there yet.
  const auto& wanted = invocation.working_directory.str();
  const auto directory = RootedPath::parse(try_real_path(wanted).value_or(wanted));
  if (const auto* reserved = layout_.reserved.covering(directory);
      reserved != nullptr && !reserved->is_expected())
    throw conflict(directory, *reserved);
}

void PodFiles::changed(const RootedPath& path) {
  const auto& reserved = *layout_.reserved.covering(path);
  const auto text = fmt::format("'{}' in {} changed while the command ran: in place what a command "
                                "writes there is not in the image",
                                path.str(), reserved.description());
  if (layout_.is_beside_inputs(path))
    return warn_once(reserved.path, text);
  throw with_hint(
      Error("{}", text),
      fmt::format("--ignore-path={} says that it does not belong there", reserved.path.str()));
}

std::string PodFiles::visible_hint() const {
  std::vector<std::string> names;
  for (const auto& mount : layout_.mounts)
    names.push_back(fmt::format("'{}'{}", mount.point.str(),
                                mount.mode == MountMode::read_only ? " (read-only)" : ""));
  return names.empty() ? ""
                       : fmt::format("in place a command sees the pod's mounts among the image's "
                                     "files, {}: docs/security.md says how it would not",
                                     join(names, ", "));
}

Error PodFiles::conflict(const RootedPath& path, const ReservedPath& reserved) const {
  Error error("'{}' meets {}: in place a command would not see the image's files there", path.str(),
              reserved.description());
  const auto& inputs = layout_.inputs;
  const bool holds_input = std::any_of(inputs.begin(), inputs.end(), [&](const RootedPath& input) {
    return reserved.path.contains(input);
  });
  if (reserved.owner == PathOwner::mount && holds_input)
    error.add_hint(
        "mount the build context where no Dockerfile works, such as /kaniko/context, and "
        "name it with --context");
  else if (reserved.owner == PathOwner::mount)
    error.add_hint("mount it at another path");
  else if (reserved.owner == PathOwner::option)
    error.add_hint(fmt::format("give {} another path", reserved.option));
  error.add_hint("with namespaces a command has a root of its own: docs/security.md says what they "
                 "need");
  return error;
}

/// What is no directory cannot take the place of one that something lies below.
void PodFiles::refuse_cover(const RootedPath& place) const {
  const auto* reserved = layout_.reserved.inside(place);
  if (reserved == nullptr || reserved->is_expected())
    return;
  throw with_hint(Error("'{}' is no directory in the image, but {} lies below it", place.str(),
                        reserved->description()),
                  "mount it at another path, or start from an image of Cairn, which has the links "
                  "that base images have");
}

void PodFiles::warn_once(const RootedPath& about, const std::string& text) {
  if (warned_.insert(about).second)
    progress_.warn("{}", text);
}

} // namespace cairn
