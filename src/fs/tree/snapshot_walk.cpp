#include "fs/tree/snapshot_walk.hpp"

#include "fs/archive/metadata.hpp"
#include "fs/tree/directory_stack.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/threads.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <tuple>
#include <utility>

namespace cairn {

namespace {

constexpr unsigned minor_bits = 20; // as the kernel has it, with 12 above them

Time time_of(const struct statx_timestamp& time) {
  return from_unix(time.tv_sec, time.tv_nsec);
}

SnapshotItem item_of(const struct statx& info) {
  SnapshotItem item;
  item.inode = info.stx_ino;
  item.ctime = time_of(info.stx_ctime);
  item.mtime = time_of(info.stx_mtime);
  item.size = info.stx_size;
  item.mode = info.stx_mode;
  item.uid = info.stx_uid;
  item.gid = info.stx_gid;
  item.device = (info.stx_dev_major << minor_bits) | info.stx_dev_minor;
  return item;
}

/// A directory that is to be listed.
struct Unlisted {
  RootedPath path;
  std::uint32_t number = 0; ///< Of its listing.
};

/// Threads take directories from one list, and put there what they find in them.
class SnapshotWalk {
public:
  SnapshotWalk(FdRef root, const PathFilter& ignored) : root_(root), ignored_(ignored) {
    listings_.emplace_back();
    todo_.push_back({RootedPath(), 0});
  }

  SnapshotListings run(std::size_t threads) {
    {
      const auto others = start_threads(std::max<std::size_t>(threads, 1) - 1, [this] { work(); });
      work();
    }
    if (error_)
      std::rethrow_exception(error_);
    return std::move(listings_);
  }

private:
  struct Found {
    SnapshotListing listing;
    std::vector<std::pair<std::size_t, RootedPath>> directories; ///< By their items.
  };

  void work() {
    try {
      DirectoryStack stack(root_);
      while (const auto next = take())
        put(*next, list(stack, next->path));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_)
        error_ = std::current_exception();
      changed_.notify_all();
    }
  }

  /// The directory that was found last, which is nearest to those before it; nothing at the end.
  std::optional<Unlisted> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !todo_.empty() || busy_ == 0 || error_; });
    if (todo_.empty() || error_)
      return std::nullopt;
    auto next = std::move(todo_.back());
    todo_.pop_back();
    ++busy_;
    return next;
  }

  void put(const Unlisted& directory, Found found) {
    const std::lock_guard lock(mutex_);
    for (auto& [item, path] : found.directories) {
      if (listings_.size() >= SnapshotItem::no_listing)
        throw Error("there are more than {} directories", listings_.size());
      const auto number = static_cast<std::uint32_t>(listings_.size());
      listings_.emplace_back();
      found.listing.items[item].listing = number;
      todo_.push_back({std::move(path), number});
    }
    listings_[directory.number] = std::move(found.listing);
    --busy_;
    if (busy_ == 0 || !found.directories.empty())
      changed_.notify_all();
  }

  Found list(DirectoryStack& stack, const RootedPath& directory) const {
    Found found;
    if (!stack.go_to(directory))
      return found;
    const auto names = list_directory(stack.top());
    found.listing.items.reserve(names.size());
    for (const auto& name : names) {
      auto path = directory.child(name);
      if (ignored_ && ignored_(path))
        continue;
      const auto info = try_statx(stack.top(), name);
      if (!info || S_ISSOCK(info->stx_mode))
        continue;
      auto item = item_of(*info);
      item.name = static_cast<std::uint32_t>(found.listing.names.size());
      found.listing.names.append(name) += '\0';
      if (item.is_directory())
        found.directories.emplace_back(found.listing.items.size(), std::move(path));
      found.listing.items.push_back(item);
    }
    found.listing.items.shrink_to_fit();
    found.listing.names.shrink_to_fit();
    return found;
  }

  FdRef root_;
  const PathFilter& ignored_;
  std::mutex mutex_;
  std::condition_variable changed_;
  SnapshotListings listings_;
  std::vector<Unlisted> todo_;
  std::size_t busy_ = 0; ///< Threads that may still find directories.
  std::exception_ptr error_;
};

} // namespace

bool SnapshotItem::same_as(const SnapshotItem& other) const noexcept {
  const auto key = [](const SnapshotItem& i) {
    return std::tie(i.device, i.inode, i.ctime, i.mtime, i.size, i.mode, i.uid, i.gid);
  };
  return key(*this) == key(other);
}

SnapshotListings walk_for_snapshot(FdRef root, const PathFilter& ignored, std::size_t threads) {
  return SnapshotWalk(root, ignored).run(threads);
}

} // namespace cairn
