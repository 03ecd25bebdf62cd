#include "build/cache_directory.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cairn {

namespace {

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool takes_overlay_attributes(const std::string& directory) {
  const TempDir trial(directory, ".trial-");
  return ::setxattr(trial.path().c_str(), "user.overlay.opaque", "y", 1, 0) == 0;
}

} // namespace

CacheDirectory::CacheDirectory(const std::string& path) : blobs_(path) {
  for (const auto* folder : {"/steps", "/indexes", "/unpacked"})
    make_directories(path + folder);
  // Only root can give files to the owners that layers say.
  can_unpack_ = ::geteuid() == 0 && takes_overlay_attributes(path + "/unpacked");
}

std::string CacheDirectory::place(std::string_view kind, const Digest& digest) const {
  return fmt::format("{}/{}/{}", path(), kind, digest.hex());
}

std::optional<IndexedLayer> CacheDirectory::index(const Digest& diff_id) const {
  const auto path = place("indexes", diff_id);
  try {
    auto file = try_open_at(current_directory(), path, O_RDONLY);
    if (!file)
      return std::nullopt;
    FileSource source(std::move(*file));
    return read_index(source);
  } catch (const Error&) {
    // It is made again from the layer.
    ::unlink(path.c_str());
    return std::nullopt;
  }
}

void CacheDirectory::keep_index(const Digest& diff_id, const IndexedLayer& layer) const noexcept {
  try {
    AtomicFile file(place("indexes", diff_id));
    FileSink sink(file.fd());
    write_index(layer, sink);
    file.commit();
  } catch (const Error&) {
    // Without it the layer is read again.
    return;
  }
}

std::optional<std::string> CacheDirectory::unpacked(const Digest& chain_id) const {
  auto path = place("unpacked", chain_id);
  return can_unpack_ && exists(path) ? std::optional(std::move(path)) : std::nullopt;
}

CacheDirectory::Unpacking::Unpacking(const CacheDirectory& cache)
    : cache_(cache), path_(fmt::format("{}/unpacked/.partial-{}", cache.path(), random_hex(8))) {
  make_directories(path_);
}

CacheDirectory::Unpacking::~Unpacking() {
  if (path_.empty())
    return;
  try {
    remove_tree(current_directory(), path_);
  } catch (const Error&) {
    // Nobody looks for it under that name.
    return;
  }
}

std::string CacheDirectory::Unpacking::commit(const Digest& chain_id) {
  auto whole = cache_.place("unpacked", chain_id);
  if (::rename(path_.c_str(), whole.c_str()) == 0)
    path_.clear();
  else if (errno != EEXIST && errno != ENOTEMPTY)
    throw SysError(errno, "rename '{}'", path_);
  return whole;
}

} // namespace cairn
