#include "apps/argo/plugin_jobs.hpp"

#include "util/error.hpp"
#include "util/threads.hpp"

#include <atomic>
#include <chrono>

namespace cairn {

namespace {

constexpr std::size_t max_jobs = 32;
constexpr std::chrono::minutes kept_for{10};

using Now = std::chrono::steady_clock;

} // namespace

struct PluginJobs::Job {
  explicit Job(Work work)
      : thread(start_thread([this, work = std::move(work)] {
          result = work();
          done = true;
        })) {}

  NodeResult result;
  std::atomic<bool> done = false;
  Now::time_point asked_for = Now::now();
  std::jthread thread; ///< The last member: it uses the others.
};

PluginJobs::PluginJobs() = default;
PluginJobs::~PluginJobs() = default;

bool PluginJobs::start(const std::string& key, Work work) {
  forget_old();
  if (const auto found = jobs_.find(key); found != jobs_.end()) {
    found->second->asked_for = Now::now();
    return true;
  }
  if (jobs_.size() >= max_jobs)
    return false;
  try {
    jobs_.emplace(key, std::make_unique<Job>(std::move(work)));
  } catch (const SysError&) {
    // There will be a thread when another job has ended.
    return false;
  }
  return true;
}

std::optional<NodeResult> PluginJobs::take(const std::string& key) {
  const auto found = jobs_.find(key);
  if (found == jobs_.end() || !found->second->done)
    return std::nullopt;
  auto result = std::move(found->second->result);
  jobs_.erase(found);
  return result;
}

void PluginJobs::forget_old() {
  std::erase_if(jobs_, [](const auto& entry) {
    return entry.second->done && Now::now() - entry.second->asked_for > kept_for;
  });
}

} // namespace cairn
