#include "build/cache_directory.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <vector>

namespace cairn {

namespace {

constexpr std::uint64_t max_note = std::uint64_t{64} << 10;

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

bool takes_overlay_attributes(const std::string& directory) {
  const TempDir trial(directory, ".trial-");
  return ::setxattr(trial.path().c_str(), "user.overlay.opaque", "y", 1, 0) == 0;
}

/// Something that can be removed by itself.
struct Item {
  std::string path;
  timespec used;
  std::uint64_t bytes = 0;
};

bool earlier(const Item& a, const Item& b) {
  return a.used.tv_sec != b.used.tv_sec ? a.used.tv_sec < b.used.tv_sec
                                        : a.used.tv_nsec < b.used.tv_nsec;
}

std::uint64_t unpacked_size(const std::string& path) {
  const auto file = try_open_at(current_directory(), path + "/size", O_RDONLY);
  return file ? parse_unsigned(read_file(*file, max_note)).value_or(0) : 0;
}

std::vector<Item> items_of(const std::string& root) {
  std::vector<Item> items;
  for (const auto* folder : {"blobs/sha256", "steps", "images", "indexes", "unpacked"}) {
    const auto directory =
        try_open_at(current_directory(), root + "/" + folder, O_RDONLY | O_DIRECTORY);
    if (!directory)
      continue;
    for (const auto& name : list_directory(*directory)) {
      const auto path = fmt::format("{}/{}/{}", root, folder, name);
      struct stat info {};
      if (::lstat(path.c_str(), &info) != 0)
        continue;
      const auto size = static_cast<std::uint64_t>(info.st_size);
      items.push_back({path, info.st_mtim, S_ISDIR(info.st_mode) ? unpacked_size(path) : size});
    }
  }
  return items;
}

} // namespace

CacheDirectory::CacheDirectory(const std::string& path)
    : blobs_(path), lock_(open_at(current_directory(), path + "/lock", O_RDWR | O_CREAT, 0644)) {
  for (const auto* folder : {"/steps", "/images", "/indexes", "/unpacked"})
    make_directories(path + folder);
  if (::flock(lock_.get(), LOCK_SH) != 0)
    throw SysError(errno, "lock '{}'", path);
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
    auto layer = read_index(source);
    touch(path);
    return layer;
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
  const auto path = place("unpacked", chain_id);
  if (!can_unpack_ || !exists(path + "/root"))
    return std::nullopt;
  touch(path);
  return path + "/root";
}

std::optional<std::string> CacheDirectory::note(std::string_view name) const {
  const auto path = fmt::format("{}/images/{}.json", this->path(), sha256_hex(name));
  const auto file = try_open_at(current_directory(), path, O_RDONLY);
  if (!file)
    return std::nullopt;
  touch(path);
  return read_file(*file, max_note);
}

void CacheDirectory::keep_note(std::string_view name, std::string_view text) const noexcept {
  try {
    AtomicFile file(fmt::format("{}/images/{}.json", path(), sha256_hex(name)));
    file.write(text);
    file.commit();
  } catch (const Error&) {
    // The registry is asked again.
    return;
  }
}

void CacheDirectory::touch(const std::string& path) noexcept {
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
}

std::uint64_t CacheDirectory::shrink(std::uint64_t bytes) const {
  // A second description of the file: the shared lock goes only when nobody else has one.
  const auto alone = open_at(current_directory(), path() + "/lock", O_RDWR);
  ::flock(lock_.get(), LOCK_UN);
  const bool may_remove = ::flock(alone.get(), LOCK_EX | LOCK_NB) == 0;
  std::uint64_t removed = 0;
  if (may_remove) {
    auto items = items_of(path());
    std::sort(items.begin(), items.end(), earlier);
    std::uint64_t total = 0;
    for (const auto& item : items)
      total += item.bytes;
    for (auto item = items.begin(); item != items.end() && total > bytes; ++item) {
      remove_tree(current_directory(), item->path);
      total -= item->bytes;
      removed += item->bytes;
    }
    ::flock(alone.get(), LOCK_UN);
  }
  ::flock(lock_.get(), LOCK_SH);
  return removed;
}

CacheDirectory::Unpacking::Unpacking(const CacheDirectory& cache)
    : cache_(cache), path_(fmt::format("{}/unpacked/.partial-{}", cache.path(), random_hex(8))) {
  make_directories(root());
}

CacheDirectory::Unpacking::~Unpacking() {
  if (path_.empty())
    return;
  try {
    remove_tree(current_directory(), path_);
  } catch (const Error&) {
    // It goes when the directory is shrunk.
    return;
  }
}

std::string CacheDirectory::Unpacking::commit(const Digest& chain_id, std::uint64_t bytes) {
  AtomicFile size(path_ + "/size");
  size.write(std::to_string(bytes));
  size.commit();
  const auto whole = cache_.place("unpacked", chain_id);
  if (::rename(path_.c_str(), whole.c_str()) == 0)
    path_.clear();
  else if (errno != EEXIST && errno != ENOTEMPTY)
    throw SysError(errno, "rename '{}'", path_);
  return whole + "/root";
}

} // namespace cairn
