#pragma once

#include "apps/argo/plugin_protocol.hpp"
#include "util/clock.hpp"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace cairn {

/// Work that goes on while its client asks for it again and again. For one thread.
class PluginJobs {
public:
  using Work = std::function<NodeResult()>; ///< Must not throw.

  PluginJobs();
  PluginJobs(const PluginJobs&) = delete;
  PluginJobs& operator=(const PluginJobs&) = delete;
  ~PluginJobs(); ///< Waits for all work.

  /// Starts `work` unless there is some under `key`. False when there is too much already.
  bool start(const std::string& key, Work work);
  /// What came of it, told once; nothing while it goes on. @pre start() returned true for `key`
  std::optional<NodeResult> take(const std::string& key);

private:
  struct Job;

  /// What nobody asked for any more.
  void forget_old();

  std::map<std::string, std::unique_ptr<Job>> jobs_;
};

} // namespace cairn
