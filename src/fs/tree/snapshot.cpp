#include "fs/archive/metadata.hpp"
#include "fs/tree/change_list.hpp"
#include "util/clock.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <time.h>

#include <algorithm>
#include <thread>
#include <tuple>

namespace cairn {

namespace {

struct SnapshotItem {
  RootedPath path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  Time ctime{};
  Time mtime{};
  std::uint64_t size = 0;
  std::uint32_t mode = 0; ///< With the type.
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;

  bool is_directory() const { return S_ISDIR(mode); }
  bool same_as(const SnapshotItem& other) const {
    const auto key = [](const SnapshotItem& i) {
      return std::tie(i.device, i.inode, i.ctime, i.mtime, i.size, i.mode, i.uid, i.gid);
    };
    return key(*this) == key(other);
  }
};

Time time_of(const struct statx_timestamp& time) {
  return from_unix(time.tv_sec, time.tv_nsec);
}

SnapshotItem make_item(RootedPath path, const struct statx& info) {
  SnapshotItem item;
  item.path = std::move(path);
  item.device = (std::uint64_t{info.stx_dev_major} << 32U) | info.stx_dev_minor;
  item.inode = info.stx_ino;
  item.ctime = time_of(info.stx_ctime);
  item.mtime = time_of(info.stx_mtime);
  item.size = info.stx_size;
  item.mode = info.stx_mode;
  item.uid = info.stx_uid;
  item.gid = info.stx_gid;
  return item;
}

class SnapshotReader {
public:
  SnapshotReader(FdRef root, const PathFilter& ignored) : ignored_(ignored), stack_(root) {}

  std::vector<SnapshotItem> read() {
    read_directory(RootedPath());
    return std::move(items_);
  }

private:
  void read_directory(const RootedPath& directory) {
    for (const auto& name : list_directory(stack_.top())) {
      auto path = directory.child(name);
      if (ignored_ && ignored_(path))
        continue;
      const auto info = try_statx(stack_.top(), name);
      if (!info || S_ISSOCK(info->stx_mode))
        continue;
      items_.push_back(make_item(path, *info));
      if (!S_ISDIR(info->stx_mode))
        continue;
      const auto outer = stack_.depth();
      if (stack_.enter(name) == DirectoryStack::Enter::entered)
        read_directory(path);
      stack_.leave_to(outer);
    }
  }

  const PathFilter& ignored_;
  DirectoryStack stack_;
  std::vector<SnapshotItem> items_;
};

/// The kernel stamps files with the time of its last tick. A file written before the snapshot and
/// again after it, within one tick, would look untouched.
void wait_for_next_tick(const std::vector<SnapshotItem>& items) {
  Time newest{};
  for (const auto& item : items)
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

/// What two lists say of one path.
struct Pair {
  const SnapshotItem* was = nullptr; ///< Null when the path is new.
  const SnapshotItem* is = nullptr;  ///< Null when it is gone.

  const RootedPath& path() const { return (was != nullptr ? was : is)->path; }
  bool differs() const { return was == nullptr || is == nullptr || !was->same_as(*is); }
};

/// Of the paths at these places, the one that comes first.
Pair pair_at(const std::vector<SnapshotItem>& was, std::size_t i,
             const std::vector<SnapshotItem>& is, std::size_t j) {
  Pair pair{i < was.size() ? &was[i] : nullptr, j < is.size() ? &is[j] : nullptr};
  if (pair.was != nullptr && pair.is != nullptr && pair.was->path != pair.is->path)
    (pair.was->path < pair.is->path ? pair.is : pair.was) = nullptr;
  return pair;
}

/// Past `at` and all below it.
std::size_t skip_below(const std::vector<SnapshotItem>& items, std::size_t at) {
  const auto& top = items[at].path;
  do {
    ++at;
  } while (at < items.size() && top.contains(items[at].path));
  return at;
}

} // namespace

struct Snapshot::State {
  std::vector<SnapshotItem> items; ///< In the order of their paths.
};

Snapshot::Snapshot() : state_(std::make_unique<State>()) {}
Snapshot::Snapshot(std::unique_ptr<State> state) : state_(std::move(state)) {}
Snapshot::Snapshot(Snapshot&&) noexcept = default;
Snapshot& Snapshot::operator=(Snapshot&&) noexcept = default;
Snapshot::~Snapshot() = default;

Snapshot Snapshot::take(FdRef root, const PathFilter& ignored) {
  auto state = std::make_unique<State>();
  state->items = SnapshotReader(root, ignored).read();
  wait_for_next_tick(state->items);
  return Snapshot(std::move(state));
}

std::optional<RootedPath> Snapshot::first_difference(const Snapshot& before, const Snapshot& after,
                                                     const PathFilter& watched) {
  const auto& was = before.state_->items;
  const auto& is = after.state_->items;
  std::optional<RootedPath> directory; // which says less than what changed in it
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < was.size() || j < is.size()) {
    const auto pair = pair_at(was, i, is, j);
    if (pair.differs() && watched(pair.path())) {
      if (pair.was == nullptr || pair.is == nullptr || !pair.is->is_directory())
        return pair.path();
      directory = directory.value_or(pair.path());
    }
    i += pair.was != nullptr ? 1 : 0;
    j += pair.is != nullptr ? 1 : 0;
  }
  return directory;
}

// The sixth parameter tells whom to ask about content, which no other could carry.
// NOLINTNEXTLINE(readability-function-size)
ChangeSet changes_since(const Snapshot& before, const Snapshot& after, FdRef root,
                        const Tree& tree_before, const PathFilter& ignored,
                        const ContentCheck& same_content) {
  ChangeList list(root, tree_before, same_content);
  const auto& was = before.state_->items;
  const auto& is = after.state_->items;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < was.size() || j < is.size()) {
    const auto pair = pair_at(was, i, is, j);
    if (ignored && ignored(pair.path())) {
      i = pair.was == nullptr ? i : skip_below(was, i);
      j = pair.is == nullptr ? j : skip_below(is, j);
    } else if (pair.is == nullptr) {
      list.gone(pair.path());
      i = skip_below(was, i);
    } else if (pair.was == nullptr) {
      list.touched(pair.path());
      ++j;
    } else {
      if (pair.differs())
        list.touched(pair.path());
      // What was in a directory that is none now needs no whiteouts.
      i = is[j].is_directory() ? i + 1 : skip_below(was, i);
      ++j;
    }
  }
  return list.finish();
}

} // namespace cairn
