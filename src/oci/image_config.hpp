#pragma once

#include "oci/digest.hpp"
#include "oci/environment.hpp"
#include "oci/platform.hpp"
#include "util/clock.hpp"
#include "util/json.hpp"

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn {

/// One line of an image's history (OCI image configuration, history).
struct HistoryEntry {
  std::optional<Time> created;
  std::string created_by;
  std::string author;
  std::string comment;
  bool empty_layer = false;

  bool operator==(const HistoryEntry&) const = default;
};

/// Docker's health check; durations of zero mean "not set".
struct Healthcheck {
  std::vector<std::string> test; ///< {"NONE"}, {"CMD", …} or {"CMD-SHELL", text}
  std::chrono::nanoseconds interval{0};
  std::chrono::nanoseconds timeout{0};
  std::chrono::nanoseconds start_period{0};
  std::chrono::nanoseconds start_interval{0};
  std::int64_t retries = 0;

  bool operator==(const Healthcheck&) const = default;
};

/// What a container runs (OCI image configuration, config, with Docker's additions).
struct RunConfig {
  std::string user;
  std::set<std::string> exposed_ports; ///< "80/tcp"
  Environment env;
  std::optional<std::vector<std::string>> entrypoint;
  std::optional<std::vector<std::string>> cmd;
  std::set<std::string> volumes;
  std::string working_dir;
  std::map<std::string, std::string> labels;
  std::string stop_signal;
  std::vector<std::string> shell; ///< Empty: the default of the system.
  std::vector<std::string> on_build;
  std::optional<Healthcheck> healthcheck;
  bool args_escaped = false;
};

/// What a configuration may have in bytes, here and in registries.
inline constexpr std::uint64_t largest_image_config = std::uint64_t{8} << 20;

/// An image configuration. Members that Cairn does not know survive a round trip in `other`.
struct ImageConfig {
  Platform platform;
  std::optional<Time> created;
  std::string author;
  RunConfig config;
  std::vector<Digest> diff_ids;
  std::vector<HistoryEntry> history;
  Json other = Json::object();        ///< Unknown members of the document.
  Json other_config = Json::object(); ///< Unknown members of "config".

  /// @throws Error
  static ImageConfig parse(std::string_view raw);
  std::string serialise() const;
};

} // namespace cairn
