#pragma once

#include "context/download/download_store.hpp"
#include "context/download/url_source.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

class IncomingFile;

/// What a Downloader works with; all borrowed.
struct DownloadServices {
  Http& http; ///< One attempt per call. Whom it trusts is for all hosts the same.
  Progress& progress;
  /// "HTTP_AUTH_TOKEN_<host>" becomes a bearer token for that host, "HTTP_AUTH_HEADER_<host>" its
  /// whole Authorization header.
  const std::map<std::string, std::string>& secrets;
  const std::atomic<bool>& cancel; ///< The program was told to end.
  RetryPolicy retry = {};
  ExpansionLimit limit = {}; ///< Of what is unpacked.
};

/// Downloads files, as BuildKit's HTTP source does: redirects are followed, what is kept from
/// earlier builds is used when the server says that it is still the same. Thread-safe.
class Downloader {
public:
  /// `directories`: where files go, to the first of them that can be written. Nothing is made
  /// before the first download.
  Downloader(DownloadServices services, std::vector<std::string> directories);

  /// What was kept in `directory` counts too. Before anything is fetched.
  void also_read(std::string directory) {
    also_.emplace(DownloadStore::existing(std::move(directory)));
  }

  /// With a checksum and a kept file of that digest no server is asked. @throws Error when the
  /// server refuses or the digest is another one; TemporaryError when another try can help;
  /// Cancelled
  DownloadedFile fetch(const UrlSource& source);

  /// Ends what is under way, and what begins later. May be called from any thread.
  void stop() noexcept { stopped_ = true; }

private:
  const DownloadStore& store();
  /// A store that has the file, when one has.
  const DownloadStore& store_with(const Digest& digest);
  const DownloadStore& store_with(const std::string& url);
  std::optional<DownloadedFile> known(const UrlSource& source);
  DownloadedFile download(const UrlSource& source);
  /// Status 304 or a success, of which `incoming` has the body.
  Response receive(const UrlSource& source, const std::optional<DownloadRecord>& kept,
                   IncomingFile& incoming);
  Response attempt(const UrlSource& source, const std::optional<DownloadRecord>& kept,
                   IncomingFile& incoming);

  DownloadServices services_;
  std::vector<std::string> directories_;
  std::atomic<bool> stopped_ = false;
  Retry retry_;
  std::mutex mutex_;
  std::optional<DownloadStore> store_;
  std::optional<DownloadStore> also_;
};

} // namespace cairn
