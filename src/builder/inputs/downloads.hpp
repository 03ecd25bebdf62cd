#pragma once

#include "builder/plan/plan.hpp"
#include "context/download/downloader.hpp"
#include "context/local.hpp"
#include "util/shared_result.hpp"

#include <exception>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace cairn {

/// The files from the web that a plan needs, each once, several at the same time. All are begun
/// with this value, so that they are there when their step comes. Thread-safe.
class Downloads {
public:
  /// `downloader` must outlive it. Contexts are unpacked below `temporary`.
  Downloads(const Plan& plan, Downloader& downloader, std::string temporary);
  Downloads(const Downloads&) = delete;
  Downloads& operator=(const Downloads&) = delete;
  ~Downloads(); ///< Ends what nobody waits for any more.

  /// Waits for a file. @throws what the download threw
  std::shared_ptr<const DownloadedFile> get(const UrlSource& source);
  /// A file of the plan as a build context, unpacked when it is an archive. Lives as long as this.
  const LocalContext& context(const UrlSource& source);
  /// Waiting threads get an error.
  void stop() noexcept { downloader_.stop(); }

private:
  using FilePtr = std::shared_ptr<const DownloadedFile>;

  void work();

  Downloader& downloader_;
  std::string temporary_;
  std::vector<UrlSource> sources_;              ///< In the order of the plan.
  std::vector<std::promise<FilePtr>> promises_; ///< Beside sources_.
  std::mutex mutex_;
  std::size_t next_ = 0;
  std::map<UrlSource, SharedResult<FilePtr>> files_;
  std::mutex context_mutex_;
  std::map<UrlSource, LocalContext> contexts_;
  std::vector<std::jthread> threads_;
};

} // namespace cairn
