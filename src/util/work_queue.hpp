#pragma once

#include "util/threads.hpp"

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace cairn {

/// Work that is done beside everything else, in the order in which it was added, by threads of its
/// own. Thread-safe. To be the last member of whoever uses it: at its end what has not begun is
/// dropped, and what is under way is waited for.
template<class Item>
class WorkQueue {
public:
  /// `work` must not throw. No thread begins before start().
  explicit WorkQueue(std::function<void(const Item&)> work) : work_(std::move(work)) {}
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;
  ~WorkQueue() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      items_.clear();
    }
    changed_.notify_all();
  }

  /// Begins with up to so many threads, unless there are some. False when there can be none.
  bool start(std::size_t threads) {
    const std::lock_guard lock(mutex_);
    if (threads_.empty())
      threads_ = start_threads(threads, [this] { run(); });
    return !threads_.empty();
  }

  /// False when there is nobody to do it.
  bool add(Item item) {
    {
      const std::lock_guard lock(mutex_);
      if (threads_.empty())
        return false;
      items_.push_back(std::move(item));
    }
    changed_.notify_all();
    return true;
  }

  bool has_threads() const {
    const std::lock_guard lock(mutex_);
    return !threads_.empty();
  }

  /// Waits until everything that was added has been done.
  void finish() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return items_.empty() && active_ == 0; });
  }

private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ending_ || !items_.empty(); });
      if (items_.empty())
        return;
      {
        const auto item = std::move(items_.front());
        items_.pop_front();
        ++active_;
        lock.unlock();
        work_(item);
      }
      lock.lock();
      --active_;
      changed_.notify_all();
    }
  }

  std::function<void(const Item&)> work_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Item> items_;
  std::size_t active_ = 0;
  bool ending_ = false;
  std::vector<std::jthread> threads_;
};

} // namespace cairn
