#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace cairn::test {

/// Only a test that fails waits as long as this.
inline constexpr auto longest_wait = std::chrono::seconds(20);

/// Keeps those who come waiting until it is open.
class Gate {
public:
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  /// False when nobody opens it.
  bool pass() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, longest_wait, [&] { return open_; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

/// Whether `condition` becomes true while somebody waits for it.
template<class Condition>
bool comes_true(const Condition& condition) {
  const auto end = std::chrono::steady_clock::now() + longest_wait;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

/// Where two threads wait for each other.
class Meeting {
public:
  /// False when the other one does not come.
  bool come() {
    std::unique_lock lock(mutex_);
    ++here_;
    changed_.notify_all();
    return changed_.wait_for(lock, longest_wait, [&] { return here_ >= 2; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int here_ = 0;
};

} // namespace cairn::test
