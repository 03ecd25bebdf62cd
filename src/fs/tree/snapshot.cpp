#include "fs/archive/metadata.hpp"
#include "fs/tree/change_list.hpp"
#include "fs/tree/snapshot_walk.hpp"
#include "util/clock.hpp"

#include <time.h>

#include <algorithm>
#include <thread>

namespace cairn {

namespace {

/// The kernel stamps files with the time of its last tick. A file written before the snapshot and
/// again after it, within one tick, would look untouched.
void wait_for_next_tick(const SnapshotListings& listings) {
  Time newest{};
  for (const auto& listing : listings)
    for (const auto& item : listing.items)
      newest = std::max(newest, item.ctime);
  constexpr auto longest_tick = std::chrono::milliseconds(20);
  for (;;) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    const auto ahead = newest - from_unix(now.tv_sec, now.tv_nsec);
    // Times far in the future are those of another clock.
    if (ahead < std::chrono::nanoseconds(0) || ahead > longest_tick)
      return;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// What two snapshots say of one path.
struct Pair {
  const SnapshotItem* was = nullptr; ///< Null when the path is new.
  const SnapshotItem* is = nullptr;  ///< Null when it is gone.

  bool differs() const { return was == nullptr || is == nullptr || !was->same_as(*is); }
};

enum class Next { below, beside, end };

/// Shows the pairs of two snapshots in the order of their paths. What is below a path is shown when
/// the visitor says so.
template<class Visit>
class Comparison {
public:
  Comparison(const SnapshotListings& was, const SnapshotListings& is, const Visit& visit)
      : was_(was), is_(is), visit_(visit) {}

  void run() { compare(RootedPath(), 0, 0); }

private:
  static constexpr auto none = SnapshotItem::no_listing;

  static const SnapshotListing* listing(const SnapshotListings& all, std::uint32_t number) {
    return number == none ? nullptr : &all[number];
  }

  static bool has(const SnapshotListing* listing, std::size_t n) {
    return listing != nullptr && n < listing->items.size();
  }

  static std::uint32_t below(const SnapshotItem* item) {
    return item != nullptr ? item->listing : none;
  }

  /// False when that was enough.
  bool compare(const RootedPath& directory, std::uint32_t was, std::uint32_t is) {
    const auto* before = listing(was_, was);
    const auto* after = listing(is_, is);
    std::size_t i = 0;
    std::size_t j = 0;
    while (has(before, i) || has(after, j)) {
      auto order = has(before, i) ? -1 : 1;
      if (has(before, i) && has(after, j))
        order = before->name(i).compare(after->name(j));
      const Pair pair{order <= 0 ? &before->items[i] : nullptr,
                      order >= 0 ? &after->items[j] : nullptr};
      const auto path = directory.child(pair.was != nullptr ? before->name(i) : after->name(j));
      i += pair.was != nullptr ? 1 : 0;
      j += pair.is != nullptr ? 1 : 0;
      const auto next = visit_(path, pair);
      if (next == Next::end ||
          (next == Next::below && !compare(path, below(pair.was), below(pair.is))))
        return false;
    }
    return true;
  }

  const SnapshotListings& was_;
  const SnapshotListings& is_;
  const Visit& visit_;
};

} // namespace

struct Snapshot::State {
  SnapshotListings listings;
};

Snapshot::Snapshot() : state_(std::make_unique<State>()) {
  state_->listings.emplace_back();
}
Snapshot::Snapshot(std::unique_ptr<State> state) : state_(std::move(state)) {}
Snapshot::Snapshot(Snapshot&&) noexcept = default;
Snapshot& Snapshot::operator=(Snapshot&&) noexcept = default;
Snapshot::~Snapshot() = default;

Snapshot Snapshot::take(FdRef root, const PathFilter& ignored, std::size_t threads) {
  auto state = std::make_unique<State>();
  state->listings = walk_for_snapshot(root, ignored, threads);
  wait_for_next_tick(state->listings);
  return Snapshot(std::move(state));
}

std::optional<RootedPath> Snapshot::first_difference(const Snapshot& before, const Snapshot& after,
                                                     const PathFilter& watched) {
  std::optional<RootedPath> found; // at first a directory, which says less than what is in it
  const auto visit = [&](const RootedPath& path, const Pair& pair) {
    if (!pair.differs() || !watched(path))
      return Next::below;
    if (pair.was == nullptr || pair.is == nullptr || !pair.is->is_directory()) {
      found = path;
      return Next::end;
    }
    found = found.value_or(path);
    return Next::below;
  };
  Comparison(before.state_->listings, after.state_->listings, visit).run();
  return found;
}

// The sixth parameter tells whom to ask about content, which no other could carry.
// NOLINTNEXTLINE(readability-function-size)
ChangeSet changes_since(const Snapshot& before, const Snapshot& after, FdRef root,
                        const Tree& tree_before, const PathFilter& ignored,
                        const ContentCheck& same_content) {
  ChangeList list(root, tree_before, same_content);
  const auto visit = [&](const RootedPath& path, const Pair& pair) {
    if (ignored && ignored(path))
      return Next::beside;
    if (pair.is == nullptr) {
      list.gone(path);
      return Next::beside;
    }
    if (pair.differs())
      list.touched(path);
    // What was in a directory that is none now needs no whiteouts.
    return pair.is->is_directory() ? Next::below : Next::beside;
  };
  Comparison(before.state_->listings, after.state_->listings, visit).run();
  return list.finish();
}

} // namespace cairn
