#include "context/download/download_store.hpp"

#include "net/content_disposition.hpp"
#include "net/http_date.hpp"
#include "net/redact.hpp"
#include "net/url.hpp"
#include "util/cache_locks.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/json.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace cairn {

namespace {

constexpr std::uint64_t max_record = std::uint64_t{64} << 10;
/// Others may pass through a cache directory; downloads can need a secret to get at.
constexpr mode_t passable = 0711;
constexpr mode_t own = 0700;

std::string made(const std::string& directory) {
  make_directories(directory.substr(0, directory.rfind('/')), passable);
  make_directories(directory, own);
  make_directories(directory + "/urls", own);
  if (::access(directory.c_str(), W_OK) != 0)
    throw SysError(errno, "write to '{}'", directory);
  return directory;
}

Time time_of(const std::string& last_modified) {
  return parse_http_date(last_modified).value_or(Time{});
}

struct stat status_of(FdRef file) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0)
    throw SysError(errno, "look at a download");
  return info;
}

DownloadedFile open_blob(const BlobStore& blobs, const Digest& digest) {
  auto file = blobs.open(digest);
  const auto info = status_of(file);
  if (!S_ISREG(info.st_mode))
    throw Error("download {}: it is not a regular file", digest.str());
  lock_shared(file);
  return {digest, std::move(file), static_cast<std::uint64_t>(info.st_size),
          from_unix(info.st_mtim.tv_sec), ""};
}

bool is_intact(const DownloadedFile& file) {
  return sha256_hex(*file.open()) == file.digest.hex();
}

DownloadRecord parse_record(const std::string& text) {
  const auto json = Json::parse(text);
  DownloadRecord record{Digest::parse(json.string_or("digest", "")), json.string_or("etag", ""),
                        json.string_or("last-modified", ""), json.string_or("name", "")};
  if (!is_file_name(record.suggested_name))
    record.suggested_name.clear();
  return record;
}

} // namespace

DownloadStore::DownloadStore(const std::string& directory)
    : directory_(made(directory)), blobs_(directory) {}

std::string DownloadStore::record_path(const std::string& url) const {
  // Who asks is left out: the server decides whether what is kept is for them.
  auto parts = Url::parse(url);
  parts.userinfo.clear();
  return directory_ + "/urls/" + sha256_hex(parts.str());
}

std::optional<DownloadRecord> DownloadStore::find(const std::string& url) const {
  try {
    const auto file = try_open_at(current_directory(), record_path(url), O_RDONLY | O_NONBLOCK);
    if (!file)
      return std::nullopt;
    auto record = parse_record(read_file(*file, max_record));
    touch_entry(record_path(url));
    return record;
  } catch (const Error&) {
    // What cannot be read is as good as not there: it will be written again.
    return std::nullopt;
  }
}

void DownloadStore::remember(const std::string& url, const DownloadRecord& record) const {
  // For builds that know the digest and ask no server.
  const auto time = unix_seconds(time_of(record.last_modified));
  const timespec times[] = {{0, UTIME_NOW}, {time, 0}};
  if (::utimensat(AT_FDCWD, blobs_.path(record.digest).c_str(), times, 0) != 0)
    throw SysError(errno, "set the time of download {}", record.digest.str());
  auto json = Json::object();
  json.set("url", redact_url(url))
      .set("digest", record.digest.str())
      .set("etag", record.etag)
      .set("last-modified", record.last_modified)
      .set("name", record.suggested_name);
  AtomicFile file(record_path(url), 0600);
  file.write(json.pretty());
  file.commit();
}

DownloadedFile DownloadStore::open(const DownloadRecord& record) const {
  auto file = open_blob(blobs_, record.digest);
  file.modified = time_of(record.last_modified);
  file.suggested_name = record.suggested_name;
  return file;
}

std::optional<DownloadedFile> DownloadStore::open_kept(const Digest& digest) const {
  try {
    auto file = open_blob(blobs_, digest);
    if (is_intact(file))
      return file;
  } catch (const Error&) {
    // It is downloaded again, over what is there.
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<DownloadedFile> DownloadStore::open_kept(const DownloadRecord& record) const {
  auto file = open_kept(record.digest);
  if (file) {
    file->modified = time_of(record.last_modified);
    file->suggested_name = record.suggested_name;
  }
  return file;
}

} // namespace cairn
