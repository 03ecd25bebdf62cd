#include "builder/images/blob_fetcher.hpp"

#include "net/http.hpp"
#include "registry/error.hpp"
#include "util/cancelled.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fmt/core.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

namespace cairn {

namespace {

std::uint64_t size_of(FdRef file) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0)
    throw SysError(errno, "look at a download");
  return static_cast<std::uint64_t>(info.st_size);
}

bool is_at(FdRef file, const std::string& path) {
  struct stat own {};
  struct stat there {};
  return ::fstat(file.get(), &own) == 0 && ::lstat(path.c_str(), &there) == 0 &&
         own.st_ino == there.st_ino && own.st_dev == there.st_dev;
}

void empty(FdRef file) {
  if (::ftruncate(file.get(), 0) != 0)
    throw SysError(errno, "empty a download");
}

bool take_alone(FdRef file, const std::string& path) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0)
    return true;
  if (errno != EWOULDBLOCK && errno != EINTR)
    throw SysError(errno, "lock '{}'", path);
  return false;
}

/// The beginning of a blob, ours alone: another program that fetches it is waited for. When that
/// one gives it its final name it is in use there, perhaps for long, and not what is waited for.
Fd open_partial(const std::string& path, const std::atomic<bool>& cancel) {
  constexpr auto pause = std::chrono::milliseconds(50);
  for (;;) {
    auto file = open_at(current_directory(), path, O_RDWR | O_CREAT | O_NOFOLLOW, 0644);
    while (is_at(file, path)) {
      if (take_alone(file, path)) {
        if (is_at(file, path))
          return file;
        break;
      }
      if (cancel)
        throw Cancelled("'{}': told to stop", path);
      std::this_thread::sleep_for(pause);
    }
  }
}

} // namespace

BlobOutcome BlobFetcher::fetch(const std::vector<ImageRef>& places, const Descriptor& blob,
                               Refetch refetch) const {
  if (refetch == Refetch::no && cache_.has_blob(blob))
    return {0, blob.size};
  const auto whole = cache_.blobs().path(blob.digest);
  const auto path = fmt::format("{}/blobs/sha256/.fetching-{}", cache_.path(), blob.digest.hex());
  const auto partial = open_partial(path, cancel_);
  if (refetch == Refetch::no && cache_.has_blob(blob)) {
    ::unlink(path.c_str());
    return {0, blob.size};
  }
  const auto outcome = fetch_into(partial, places, blob);
  if (::rename(path.c_str(), whole.c_str()) != 0)
    throw SysError(errno, "store blob {}", blob.digest.str());
  return outcome;
}

BlobOutcome BlobFetcher::fetch_into(FdRef partial, const std::vector<ImageRef>& places,
                                    const Descriptor& blob) const {
  for (std::size_t i = 0;; ++i) {
    try {
      const auto reused = fetch_from(places.at(i), blob, partial);
      return {blob.size - reused, reused};
    } catch (const Error&) {
      if (i + 1 == places.size())
        throw;
    }
  }
}

/// How many of its bytes were there.
std::uint64_t BlobFetcher::fetch_from(const ImageRef& place, const Descriptor& blob,
                                      FdRef partial) const {
  auto there = size_of(partial);
  if (there > blob.size) {
    empty(partial);
    there = 0;
  }
  for (;;) {
    try {
      RangeSource begun(partial, 0, there);
      if (::lseek(partial.get(), static_cast<off_t>(there), SEEK_SET) < 0)
        throw SysError(errno, "go on with a download");
      FileSink rest(partial);
      registry_.resume_blob(place, blob, begun, rest);
      return there;
    } catch (const DigestMismatch&) {
      // What was there may be what is wrong.
      empty(partial);
      if (there == 0)
        throw;
      there = 0;
    }
  }
}

} // namespace cairn
