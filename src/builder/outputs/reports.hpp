#pragma once

#include "builder/options/build_options.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <string_view>
#include <vector>

namespace cairn {

/// What is reported about an image.
struct ReportedImage {
  Digest digest;
  const std::vector<ImageRef>& destinations;
  std::vector<ImageRef> bases; ///< What it was made from, each with its digest.
  PushImage pushed;
};

/// How reports leave by PUT; all borrowed.
struct ReportServices {
  Http& http; ///< One attempt per call.
  RetryPolicy retry;
  Progress& progress;
  const std::atomic<bool>& cancel;
};

/// Whether a report goes to a web server instead of a file.
bool is_uploaded(std::string_view place);

/// A file that is no image's: written as write_reports() does. @throws SysError
void write_report_file(const std::string& path, const std::string& text);

/// The digest, image name and Cloud Build files. A plain file appears whole or not at all; what is
/// no plain file, such as /dev/stdout or a pod's termination log, stays what it is and is appended
/// to. @throws Error
void write_reports(const ReportedImage& image, const ReportOptions& options,
                   const ReportServices& services);

} // namespace cairn
