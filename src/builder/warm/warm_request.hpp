#pragma once

#include "builder/images/blob_fetcher.hpp"
#include "builder/options/build_options.hpp"
#include "builder/options/cache_location.hpp"
#include "net/http.hpp"
#include "net/retry.hpp"
#include "registry/client.hpp"
#include "registry/mirrors.hpp"
#include "util/clock.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Whether layers are also unpacked, so that overlays can be mounted on them at once.
enum class UnpackLayers { no, yes };

/// What is to be in a cache directory before builds need it.
struct WarmRequest {
  std::string directory; ///< Absolute.
  std::chrono::nanoseconds time_to_live = std::chrono::hours(14 * 24);
  std::vector<ImageRef> images;
  std::vector<std::string> dockerfiles; ///< Paths or URLs.
  std::vector<NameValue> build_args;
  std::vector<std::string> targets; ///< Empty: all stages.
  /// Empty: this machine's.
  std::vector<Platform> platforms;
  Refetch refetch = Refetch::no;
  UnpackLayers unpack = UnpackLayers::no;
  std::uint64_t max_size = 0;   ///< Bytes; 0 for no limit.
  ExpansionLimit unpacked = {}; ///< Of layers, contexts and what is downloaded.
  /// Where the layers of steps are, if they are to be had; that takes a context.
  std::optional<CacheLocation> steps_from;
  std::optional<std::string> context; ///< As for open_local_context().
  std::string context_sub_path;
};

/// What warming works with; all borrowed.
struct WarmServices {
  RegistryClient& registry;
  const RegistryMap& mirrors;
  Http& http; ///< One attempt per call.
  RetryPolicy retry;
  Progress& progress;
  Clock clock = system_now;
  const std::atomic<bool>& cancel;
};

} // namespace cairn
