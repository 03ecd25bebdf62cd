#include "run/chroot/meant.hpp"

#include "run/process/capabilities.hpp"

#include <fmt/format.h>

#include <linux/capability.h>

namespace cairn {

namespace {

struct stat info_of(FdRef file) {
  struct stat info {};
  ::fstat(file.get(), &info);
  return info;
}

/// Where a path leads, or in what directory it would.
std::optional<Meant> meant_by_path(const KernelView& view, const Call& call, int directory,
                                   const std::string& path, FinalLink last) {
  const auto found = view.find_inside(call, directory, path, last);
  if (!found)
    return std::nullopt;
  if (found->error == 0)
    return Meant{view.read_only().find(found->file), true, info_of(found->file), found->thread};
  const auto place = view.find_inside(call, directory, parent_of(path), FinalLink::follow);
  if (!place || place->error != 0)
    return std::nullopt;
  auto in_directory = view.read_only().find(place->file);
  if (in_directory)
    in_directory->is_place = false;
  return Meant{in_directory, false, {}, found->thread};
}

bool has(const ThreadStatus& thread, int number) {
  return (thread.effective & capability(number)) != 0;
}

} // namespace

std::optional<Meant> meant_by(const KernelView& view, const Call& call, const Operand& operand) {
  if (is_descriptor(call, operand)) {
    const auto path = view.path_of_descriptor(call, directory_of(call, operand));
    return Meant{view.read_only().find(path), true};
  }
  const auto path = call.path(static_cast<unsigned>(operand.path));
  if (path.error != 0)
    return std::nullopt;
  if (operand.kind == Operand::Kind::file)
    return meant_by_path(view, call, directory_of(call, operand), path.text,
                         last_of(call, operand));
  const auto parent = parent_of(path.text);
  if (parent.empty())
    return std::nullopt;
  return meant_by_path(view, call, directory_of(call, operand),
                       fmt::format("{}/{}", parent, last_name_of(path.text)), FinalLink::keep);
}

std::optional<Meant> directory_of_name(const KernelView& view, const Call& call,
                                       const Operand& operand) {
  const auto path = call.path(static_cast<unsigned>(operand.path));
  return path.error != 0 ? std::nullopt
                         : meant_by_path(view, call, directory_of(call, operand),
                                         parent_of(path.text), FinalLink::follow);
}

bool is_closed_to_thread(const Meant& meant) noexcept {
  // By which of its groups a thread may write is the kernel's to know.
  const mode_t others = meant.info.st_mode & (S_IWGRP | S_IWOTH);
  const bool is_owner = meant.thread.users.filesystem == meant.info.st_uid;
  const bool may_write = is_owner ? (meant.info.st_mode & S_IWUSR) != 0 : others != 0;
  return meant.exists && !may_write && !has(meant.thread, CAP_DAC_OVERRIDE);
}

bool holds_fast(const Meant& directory, const Meant& entry) noexcept {
  const auto user = entry.thread.users.filesystem;
  const bool is_sticky = (directory.info.st_mode & S_ISVTX) != 0 && user != entry.info.st_uid &&
                         user != directory.info.st_uid && !has(entry.thread, CAP_FOWNER);
  return is_closed_to_thread(directory) || (entry.exists && is_sticky);
}

} // namespace cairn
