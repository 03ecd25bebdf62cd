#include "builder/images/kaniko_entry.hpp"

#include "builder/store/verified_blob.hpp"
#include "fs/archive/tar.hpp"
#include "util/cache_locks.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>

namespace cairn {

namespace {

/// A regular file; null when there is none that can be read.
std::unique_ptr<Source> open_file(const std::string& path) {
  Fd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!file || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return nullptr;
  return std::make_unique<FileSource>(std::move(file));
}

/// What an archive may call a blob: kaniko's names for layers and configurations, then docker's.
bool is_name_of(std::string_view name, const Digest& blob) {
  const std::string hex(blob.hex());
  const std::array<std::string, 4> names = {hex + ".tar.gz", blob.str(), hex + ".tar",
                                            hex + ".json"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

void copy_member(const std::string& archive, const Digest& blob, Sink& sink) {
  const auto file = open_file(archive);
  if (!file)
    throw Error("'{}' is gone", archive);
  TarReader reader(*file);
  while (const auto entry = reader.next())
    if (entry->meta.type == FileType::regular && is_name_of(entry->path.relative(), blob)) {
      reader.copy_to(sink);
      return;
    }
  throw Error("'{}' does not hold {}", archive, blob.str());
}

} // namespace

bool KanikoEntry::counts(std::chrono::nanoseconds time_to_live, Time now) const {
  struct stat info {};
  return ::stat(path_.c_str(), &info) == 0 &&
         elapsed(from_unix(info.st_mtim.tv_sec, info.st_mtim.tv_nsec), now) < time_to_live;
}

std::optional<std::string> KanikoEntry::manifest(std::uint64_t limit) const {
  const auto in_layout = path_ + "/blobs/sha256/" + std::string(manifest_.hex());
  for (const auto& path : {in_layout, path_ + ".json"}) {
    try {
      if (const auto file = open_file(path))
        if (auto text = read_all(*file, limit); Digest::of(text) == manifest_) {
          touch_entry(path_);
          touch_entry(path_ + ".json");
          return text;
        }
    } catch (const Error&) {
      // As good as not there.
      continue;
    }
  }
  return std::nullopt;
}

std::unique_ptr<Source> KanikoEntry::open_unverified(const Descriptor& blob) const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0)
    return nullptr;
  if (S_ISDIR(info.st_mode))
    return open_file(path_ + "/blobs/sha256/" + std::string(blob.digest.hex()));
  return std::make_unique<ThreadSource>(
      [path = path_, digest = blob.digest](Sink& sink) { copy_member(path, digest, sink); });
}

std::unique_ptr<Source> KanikoEntry::open(const Descriptor& blob) const {
  try {
    // Whoever reads a stream cannot give back what was wrong in it.
    auto trial = open_unverified(blob);
    if (!trial)
      return nullptr;
    LimitSource limited(*trial, blob.size, "a blob");
    if (Digest::from_hex(sha256_hex(limited)) != blob.digest)
      return nullptr;
    return verify_blob(open_unverified(blob), blob);
  } catch (const Error&) {
    return nullptr;
  }
}

} // namespace cairn
