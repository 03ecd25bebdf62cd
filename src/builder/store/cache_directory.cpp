#include "builder/store/cache_directory.hpp"

#include "builder/store/verified_blob.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <utility>

namespace cairn {

namespace {

constexpr std::string_view digests_file = "/contexts/digests";

bool takes_overlay_attributes(const std::string& directory) {
  const TempDir trial(directory, ".trial-");
  return ::setxattr(trial.path().c_str(), "user.overlay.opaque", "y", 1, 0) == 0;
}

/// @throws SysError when it cannot be written
void prepare_folder(const std::string& path) {
  make_directories(path);
  const auto folder = open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
  if (::access(path.c_str(), W_OK) != 0)
    throw SysError(errno, "write to '{}'", path);
}

/// What cannot be written may still be read, and that is nothing to speak of.
bool is_ordinary(const SysError& error) {
  return error.is(std::errc::read_only_file_system) || error.is(std::errc::permission_denied);
}

/// Makes the folders.
CacheDirectory::Access prepare(const std::string& path, Progress& progress) {
  auto access = CacheDirectory::Access::read_and_write;
  for (const std::string folder :
       {"/blobs/sha256", "/names", "/steps", "/indexes", "/contexts", "/unpacked"}) {
    try {
      prepare_folder(path + folder);
    } catch (const SysError& error) {
      if (::access(path.c_str(), R_OK | X_OK) != 0)
        throw;
      if (!is_ordinary(error))
        progress.warn("Nothing is kept in {}{}: {}", path, folder, error.what());
      if (is_ordinary(error) || folder.starts_with("/blobs"))
        access = CacheDirectory::Access::read_only;
    }
  }
  open_at(current_directory(), path, O_RDONLY | O_DIRECTORY);
  return access;
}

/// What can be done with unpacked layers here.
UnpackedLayers::Ability ability_of(const std::string& directory, CacheDirectory::Access access,
                                   Progress& progress) {
  if (::geteuid() != 0)
    return UnpackedLayers::Ability::nothing;
  if (access == CacheDirectory::Access::read_only)
    return UnpackedLayers::Ability::use;
  try {
    return takes_overlay_attributes(directory) ? UnpackedLayers::Ability::make
                                               : UnpackedLayers::Ability::use;
  } catch (const SysError& error) {
    if (!error.is(std::errc::not_a_directory))
      progress.warn("No layers are unpacked in {}: {}", directory, error.what());
    return UnpackedLayers::Ability::use;
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

bool is_itself(FdRef file, const Descriptor& blob, bool read_it) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || static_cast<std::uint64_t>(info.st_size) != blob.size)
    return false;
  RangeSource source(file, 0, blob.size);
  return !read_it || Digest::from_hex(sha256_hex(source)) == blob.digest;
}

/// Tells when what was there cannot be read any more.
class WatchedBlob final : public Source {
public:
  WatchedBlob(std::unique_ptr<Source> from, std::function<void()> lost)
      : from_(std::move(from)), lost_(std::move(lost)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    try {
      return from_->read(buffer);
    } catch (const Error&) {
      lost_();
      throw;
    }
  }

private:
  std::unique_ptr<Source> from_;
  std::function<void()> lost_;
};

} // namespace

CacheDirectory::CacheDirectory(const std::string& path, Progress& progress)
    : access_(prepare(path, progress)),
      blobs_(is_writable() ? BlobStore(path) : BlobStore::existing(path)), progress_(progress),
      unpacked_(std::make_unique<UnpackedLayers>(
          path + "/unpacked", ability_of(path + "/unpacked", access_, progress), held_, progress)) {
}

void CacheDirectory::release() const {
  unpacked_->finish();
  held_.release();
}

void CacheDirectory::tell(const CacheFailure& failure) const noexcept {
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(has_told_, true))
      return;
  }
  progress_.warn("Not everything is kept in {}: {}", path(), failure.what());
}

std::string CacheDirectory::index_path(const Digest& diff_id) const {
  return fmt::format("{}/indexes/{}", path(), diff_id.hex());
}

/// Nothing when there is no such blob. One that is damaged is removed.
std::optional<Fd> CacheDirectory::open_verified(const Descriptor& blob, Verify what) const {
  const auto path = blobs_.path(blob.digest);
  if (!held_.hold(path))
    return std::nullopt;
  try {
    auto file = open_regular(path);
    if (!file)
      return std::nullopt;
    if (is_itself(*file, blob, what == Verify::content))
      return file;
    if (is_writable())
      ::unlink(path.c_str());
  } catch (const Error&) {
    // What cannot be read is as good as not there.
    return std::nullopt;
  }
  return std::nullopt;
}

/// Whoever finds at the end of a stream that it was another one begins again (builder/build.cpp),
/// as often as that may be. So after the first time blobs are read before they are given out.
std::unique_ptr<Source> CacheDirectory::open_blob(const Descriptor& blob) const {
  auto file = open_verified(blob, lost_blobs() == 0 ? Verify::size : Verify::content);
  if (!file)
    return nullptr;
  return std::make_unique<WatchedBlob>(
      verify_blob(std::make_unique<FileSource>(std::move(*file)), blob),
      [this, digest = blob.digest] { lose(digest); });
}

bool CacheDirectory::has_blob(const Descriptor& blob) const {
  return open_verified(blob, Verify::content).has_value();
}

void CacheDirectory::doubt(const Descriptor& blob) const {
  if (::access(blobs_.path(blob.digest).c_str(), F_OK) == 0 && !has_blob(blob))
    lose(blob.digest);
}

void CacheDirectory::lose(const Digest& blob) const {
  if (is_writable())
    ::unlink(blobs_.path(blob).c_str());
  const std::lock_guard lock(mutex_);
  ++lost_blobs_;
}

std::size_t CacheDirectory::lost_blobs() const {
  const std::lock_guard lock(mutex_);
  return lost_blobs_;
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
  const auto path = index_path(diff_id);
  try {
    auto file = open_regular(path);
    if (!file)
      return std::nullopt;
    FileSource source(std::move(*file));
    auto layer = unpack_index(source);
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
  return ::access(index_path(diff_id).c_str(), F_OK) == 0;
}

ContextDigests CacheDirectory::context_digests() const {
  const auto path = this->path() + std::string(digests_file);
  try {
    auto file = open_regular(path);
    if (!file)
      return {};
    FileSource source(std::move(*file));
    ContextDigests digests(source);
    touch_entry(path);
    return digests;
  } catch (const Error& error) {
    // They are made again from the files.
    progress_.debug("'{}' is not used: {}", path, error.what());
    return {};
  }
}

void CacheDirectory::keep(ContextDigests& digests) const noexcept {
  if (!is_writable() || !digests.has_changed())
    return;
  try {
    in_cache([&] {
      AtomicFile file(path() + std::string(digests_file));
      FileSink sink(file.fd());
      digests.write(sink);
      file.commit();
    });
  } catch (const CacheFailure& failure) {
    tell(failure);
  } catch (const std::exception& error) {
    progress_.debug("Digests of files are not kept: {}", error.what());
  }
}

void CacheDirectory::keep_index(const Digest& diff_id, const PackedIndex& index) const noexcept {
  if (!is_writable())
    return;
  try {
    in_cache([&] {
      AtomicFile file(index_path(diff_id));
      file.write(index.bytes);
      file.commit();
    });
  } catch (const CacheFailure& failure) {
    tell(failure);
  } catch (const Error&) {
    // Not to be written down: the layer is read again.
    return;
  }
}

} // namespace cairn
