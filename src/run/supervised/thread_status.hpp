#pragma once

#include "run/process/capabilities.hpp"

#include <sys/types.h>

#include <optional>
#include <string_view>

namespace cairn {

/// What /proc/TID/status says of a thread.
struct ThreadStatus {
  struct Ids {
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    uid_t filesystem = 0;

    /// Only then may others hold the process.
    bool are_one() const noexcept { return real == effective && effective == saved; }
    /// Whether an id is assumed for a while, as far as files are concerned (identity_calls.cpp).
    bool are_assumed() const noexcept { return are_one() && filesystem != effective; }
  };

  pid_t process = 0; ///< Its thread group.
  Ids users;
  Ids groups;
  CapabilitySet permitted = 0;
  CapabilitySet effective = 0;

  /// Whether this is a user's, with root's rights asleep (SleepingRights).
  bool is_asleep() const noexcept { return users.effective != 0 && permitted != 0; }
  /// Whether its ids for files are not enough to look at it (LookingRights).
  bool is_guarded() const noexcept {
    return is_asleep() || users.are_assumed() || groups.are_assumed();
  }
};

/// Nothing when the text is none.
std::optional<ThreadStatus> parse_thread_status(std::string_view text);

/// Nothing when there is no such thread.
std::optional<ThreadStatus> thread_status(pid_t thread);

/// The calling thread has another's rights to files, without capabilities unless that is root's, as
/// long as this lives. Other threads of the program are not concerned.
class BorrowedRights {
public:
  explicit BorrowedRights(const ThreadStatus& status) noexcept;
  BorrowedRights(const BorrowedRights&) = delete;
  BorrowedRights& operator=(const BorrowedRights&) = delete;
  ~BorrowedRights();

private:
  uid_t user_;
  gid_t group_;
};

/// The calling thread may look at a process: its memory, and where its links in /proc lead. That
/// takes the ids of the process and no less than its capabilities, whether they sleep or not. Other
/// rights that were borrowed do not count as long as this lives.
class LookingRights {
public:
  explicit LookingRights(const ThreadStatus& looked_at) noexcept;
  LookingRights(const LookingRights&) = delete;
  LookingRights& operator=(const LookingRights&) = delete;
  ~LookingRights();

private:
  uid_t user_;
  gid_t group_;
  std::optional<CapabilitySet> slept_; ///< What was effective without those that were woken.
};

/// The calling thread has another's real ids, which decide whom it may trace, as long as this
/// lives.
class BorrowedIds {
public:
  explicit BorrowedIds(const ThreadStatus& status) noexcept;
  BorrowedIds(const BorrowedIds&) = delete;
  BorrowedIds& operator=(const BorrowedIds&) = delete;
  ~BorrowedIds();

private:
  uid_t user_;
  gid_t group_;
};

} // namespace cairn
