#pragma once

#include "builder/cache/step_cache.hpp"
#include "util/progress.hpp"
#include "util/work_queue.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace cairn {

/// All caches of a build. None of them can fail it: one that cannot be read or written is told once
/// and then left alone. A layer that was found and turns out to be damaged or gone while it is read
/// is lost() from then on, and what was begun with it can begin again. Thread-safe.
class StepCaches {
public:
  enum class Use { read, read_and_write };

  StepCaches(EntryRule rule, Progress& progress);
  StepCaches(const StepCaches&) = delete;
  StepCaches& operator=(const StepCaches&) = delete;
  /// Entries that have not been put yet are dropped; those under way are waited for.
  ~StepCaches() = default;

  using Moment = std::chrono::steady_clock::time_point;
  /// Says whether what was made until a moment was made of what it should have been made of. What
  /// it does not vouch for is not put anywhere. Before anything is added.
  void vouch(std::function<bool(Moment)> voucher) { voucher_ = std::move(voucher); }
  /// Nothing is found any more.
  void stop_finding();

  /// Earlier ones are asked first. Before anything is found or added.
  void use(std::unique_ptr<StepCache> cache, Use how);
  bool empty() const noexcept { return places_.empty(); }
  /// Whether what is added goes anywhere.
  bool are_written() const { return queue_.has_threads(); }

  /// A layer that may stand for the step's; null when no cache has one. It must not outlive this.
  std::shared_ptr<const BaseImage> find(const StepKey& key);
  /// How many layers were found and could not be read. They are not found there again.
  std::size_t lost() const;

  /// Puts the layer of a step into the caches that are written to, while the build goes on.
  void add(const StepKey& key, std::shared_ptr<const StageLayer> layer, std::string created_by);
  /// Waits until everything that was added is where it belongs.
  void finish() { queue_.finish(); }

  /// Blobs that were put into repositories, with those repositories.
  std::map<Digest, std::vector<ImageRef>> holders() const;

private:
  struct Place {
    std::unique_ptr<StepCache> cache;
    Use how = Use::read;
    bool readable = true;
    bool writable = true;
    std::set<std::string> lost = {}; ///< Keys.
  };
  struct Addition {
    StepKey key;
    std::shared_ptr<const StageLayer> layer;
    std::string created_by;
    Moment made;
  };

  std::shared_ptr<const BaseImage> find_in(Place& place, const StepKey& key);
  std::shared_ptr<const BaseImage> watch(const BaseImage& image, Place& place, const StepKey& key);
  void put_in(Place& place, const StepKey& key, const BuiltImage& entry);
  void put(const Addition& addition);
  bool is_usable(const bool& flag) const;
  bool is_lost(const Place& place, const StepKey& key) const;
  void lose(Place& place, const StepKey& key);
  void give_up(bool& flag, const std::string& why);

  EntryRule rule_;
  Progress& progress_;
  std::function<bool(Moment)> voucher_;
  std::vector<Place> places_;
  mutable std::mutex mutex_;
  std::map<Digest, std::vector<ImageRef>> holders_;
  WorkQueue<Addition> queue_{[this](const Addition& addition) { put(addition); }};
};

} // namespace cairn
