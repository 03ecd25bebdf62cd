#include "builder/roots/container_root.hpp"

#include "builder/roots/directory_root.hpp"
#include "fs/archive/metadata.hpp"
#include "fs/archive/tar.hpp"
#include "fs/archive/xattr.hpp"
#include "fs/tree/changes.hpp"
#include "fs/tree/layer_writer.hpp"
#include "fs/tree/unpack.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace cairn {

namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{256} << 20;

Metadata metadata_of(FdRef directory) {
  const auto info = try_statx(directory, ".");
  if (!info)
    throw Error("it has gone");
  auto meta = metadata_from(*info);
  meta.xattrs = read_xattrs(directory);
  return meta;
}

void set_all(FdRef directory, const Metadata& meta) {
  set_metadata(directory, meta);
  set_time(directory, ".", meta.mtime);
}

/// All that is in a directory, in the order of a layer.
LayerEntries entries_of(FdRef root, const PathFilter& ignored) {
  return changes_since(Snapshot(), Snapshot::take(root, ignored), root, Tree(), ignored, {})
      .entries;
}

std::uint64_t bytes_of(const LayerEntries& entries) {
  std::uint64_t sum = 0;
  for (const auto& entry : entries)
    sum += entry.meta.size;
  return sum;
}

} // namespace

ContainerRoot::ContainerRoot(const Options& options)
    : options_(options), root_(open_directory("/")), root_meta_(metadata_of(root_)) {
  for (const auto& volume : options.layout.lent)
    volumes_.emplace(volume, metadata_of(open_directory(volume.str())));
  within([&] { set_aside(); }, "set the container's own files aside");
}

void ContainerRoot::set_aside() {
  const auto entries = entries_of(root_, options_.layout.reserved.filter());
  if (const auto bytes = bytes_of(entries); bytes > most_bytes) {
    options_.progress.warn("the container's own files, {} MiB, are not put back after the build: "
                           "that is more than {} MiB",
                           bytes >> 20U, most_bytes >> 20U);
    return;
  }
  const auto path = options_.directory + "/container-root";
  saved_ = open_at(current_directory(), path, O_RDWR | O_CREAT | O_EXCL, 0600);
  ::unlink(path.c_str());
  FileSink file(*saved_);
  write_tar(entries, open_contents(root_, entries), {}, file);
}

void ContainerRoot::put_back() {
  const auto& reserved = options_.layout.reserved;
  if (options_.leftovers == Leftovers::are_removed)
    clear_root(root_, reserved.filter());
  for (const auto& [path, meta] : volumes_) {
    const auto volume = open_directory(path.str());
    clear_root(volume, [](const RootedPath&) { return false; });
    set_all(volume, meta);
  }
  if (saved_) {
    if (::lseek(saved_->get(), 0, SEEK_SET) != 0)
      throw SysError(errno, "read what was set aside");
    FileSource file(std::move(*saved_));
    TarReader tar(file);
    Unpacker::Options rules;
    rules.is_protected = reserved.filter();
    Unpacker unpacker(root_, std::move(rules));
    while (const auto entry = tar.next())
      unpacker.add(*entry, tar);
    unpacker.finish();
  }
  set_all(root_, root_meta_);
}

ContainerRoot::~ContainerRoot() {
  try {
    put_back();
  } catch (const std::exception& error) {
    options_.progress.warn("put the container's own files back: {}", error.what());
  }
}

} // namespace cairn
