#include "build/cache_directory.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cairn {

namespace {

bool takes_overlay_attributes(const std::string& directory) {
  const TempDir trial(directory, ".trial-");
  return ::setxattr(trial.path().c_str(), "user.overlay.opaque", "y", 1, 0) == 0;
}

/// Makes the folders. What cannot be written may still be read.
CacheDirectory::Access prepare(const std::string& path) {
  try {
    for (const auto* folder : {"/blobs/sha256", "/names", "/steps", "/indexes", "/unpacked"}) {
      make_directories(path + folder);
      if (::access((path + folder).c_str(), W_OK) != 0)
        throw SysError(errno, "write to '{}'", path + folder);
    }
    return CacheDirectory::Access::read_and_write;
  } catch (const SysError&) {
    if (::access(path.c_str(), R_OK | X_OK) != 0)
      throw;
    return CacheDirectory::Access::read_only;
  }
}

/// A regular file; nothing when there is none. Nothing that waits is opened: who knows what is
/// there.
std::optional<Fd> open_regular(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return std::nullopt;
  return file;
}

} // namespace

CacheDirectory::CacheDirectory(const std::string& path)
    : access_(prepare(path)), blobs_(is_writable() ? BlobStore(path) : BlobStore::existing(path)) {
  // Only root can give files to the owners that layers say.
  can_use_unpacked_ = ::geteuid() == 0;
  can_unpack_ = is_writable() && can_use_unpacked_ && takes_overlay_attributes(path + "/unpacked");
}

std::string CacheDirectory::place(std::string_view kind, const Digest& digest) const {
  return fmt::format("{}/{}/{}", path(), kind, digest.hex());
}

/// Whoever reads a stream cannot give back what was wrong in it: so it is read once before. That is
/// done once for a blob.
bool CacheDirectory::is_intact(FdRef file, const Descriptor& blob) const {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || static_cast<std::uint64_t>(info.st_size) != blob.size)
    return false;
  {
    const std::lock_guard lock(mutex_);
    if (intact_.contains(blob.digest))
      return true;
  }
  RangeSource source(file, 0, blob.size);
  if (Digest::from_hex(sha256_hex(source)) != blob.digest)
    return false;
  const std::lock_guard lock(mutex_);
  intact_.insert(blob.digest);
  return true;
}

std::unique_ptr<Source> CacheDirectory::open_blob(const Descriptor& blob) const {
  const auto path = blobs_.path(blob.digest);
  if (!held_.hold(path))
    return nullptr;
  try {
    if (auto file = open_regular(path)) {
      if (is_intact(*file, blob))
        return std::make_unique<FileSource>(std::move(*file));
      if (is_writable())
        ::unlink(path.c_str());
    }
  } catch (const Error&) {
    // What cannot be read is as good as not there.
    return nullptr;
  }
  return nullptr;
}

std::optional<std::string> CacheDirectory::blob_text(const Digest& digest,
                                                     std::uint64_t limit) const {
  const auto path = blobs_.path(digest);
  try {
    auto file = open_regular(path);
    if (!file)
      return std::nullopt;
    auto text = read_file(*file, limit);
    if (Digest::of(text) != digest)
      return std::nullopt;
    touch_entry(path);
    return text;
  } catch (const Error&) {
    return std::nullopt;
  }
}

std::optional<IndexedLayer> CacheDirectory::index(const Digest& diff_id) const {
  const auto path = place("indexes", diff_id);
  try {
    auto file = open_regular(path);
    if (!file)
      return std::nullopt;
    FileSource source(std::move(*file));
    auto layer = read_index(source);
    touch_entry(path);
    return layer;
  } catch (const Error&) {
    // It is made again from the layer.
    if (is_writable())
      ::unlink(path.c_str());
    return std::nullopt;
  }
}

bool CacheDirectory::has_index(const Digest& diff_id) const {
  return ::access(place("indexes", diff_id).c_str(), F_OK) == 0;
}

void CacheDirectory::keep_index(const Digest& diff_id, const IndexedLayer& layer) const noexcept {
  if (!is_writable())
    return;
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
  struct stat info {};
  if (!can_use_unpacked_ || ::lstat(path.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) ||
      !held_.hold(path))
    return std::nullopt;
  return path;
}

CacheDirectory::Unpacking::Unpacking(const CacheDirectory& cache)
    : cache_(cache), path_(fmt::format("{}/unpacked/.partial-{}", cache.path(), random_hex(8))) {
  make_directories(path_);
  held_ = open_at(current_directory(), path_, O_RDONLY | O_DIRECTORY);
  share_entry(held_);
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
  constexpr int tries = 3;
  auto whole = cache_.place("unpacked", chain_id);
  for (int i = 0; i < tries; ++i) {
    if (::rename(path_.c_str(), whole.c_str()) == 0)
      path_.clear();
    else if (errno != EEXIST && errno != ENOTEMPTY)
      throw SysError(errno, "rename '{}'", path_);
    // What another build had unpacked may be removed just now.
    if (cache_.hold(whole))
      return whole;
  }
  throw TemporaryError("'{}' was removed while it was made", whole);
}

} // namespace cairn
