#pragma once

#include "run/chroot/kernel_paths.hpp"
#include "run/chroot/read_only_places.hpp"
#include "run/process/runner.hpp"
#include "run/supervised/call.hpp"
#include "run/supervised/thread_status.hpp"
#include "util/fd.hpp"

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// What a command in a root of its own sees of /proc, /sys and /dev, on which nothing is mounted
/// there: the executor's own, with processes of this root alone. Its calls that do not lead there
/// are the kernel's business.
class KernelView {
public:
  /// `root` is absolute and free of links. `devices` are names in its /dev that cannot be opened
  /// there. @throws SysError
  KernelView(std::string root, std::vector<std::string> devices, std::string hostname,
             ReadOnlyPlaces read_only = {});

  const std::string& hostname() const noexcept { return hostname_; }
  const ReadOnlyPlaces& read_only() const noexcept { return read_only_; }

  /// What a path of a call leads to.
  struct Found {
    /// An O_PATH descriptor of it; may be a link, with FinalLink::keep. Empty for what has content.
    Fd file;
    int error = 0;                      ///< Why it is not there.
    std::optional<std::string> content; ///< Of a file that the kernel would show otherwise.
    std::string text;                   ///< Of a link.
    MountAccess access = MountAccess::read_only;
    ThreadStatus thread; ///< Whose rights count.
    /// Whose file in /proc this is, if it is that of a process of the same user.
    std::optional<ThreadStatus> owner;
  };

  /// Where the path in an argument leads, relative to `directory`; nothing when the kernel is to
  /// answer the call.
  std::optional<Found> find(const Call& call, int directory, unsigned path, FinalLink last) const;

  /// Where a path leads inside the root, or another one in it that the thread has changed to,
  /// relative to `directory`; nothing when it begins elsewhere. What is not there is an error.
  std::optional<Found> find_inside(const Call& call, int directory, const std::string& path,
                                   FinalLink last) const;

  /// Whether a path leads to one of read_only() by its text at the moment, as a root sees it that
  /// is this one. At a glance: with the executor's rights, and not through the kernel's files.
  bool leads_to_read_only(const Call& call, int directory, const std::string& path) const;
  /// The same of a descriptor of the thread's.
  bool leads_to_read_only(const Call& call, int descriptor) const;

  /// Where a thread's descriptor leads, as the executor sees it; empty when it has none.
  std::string path_of_descriptor(const Call& call, int descriptor) const;

  /// The thread's working directory, if that is one of the kernel's.
  std::optional<std::string> working_directory(const Call& call) const;

  /// A path inside the root for what an O_PATH descriptor means; nothing when it lies elsewhere.
  std::optional<std::string> path_of(FdRef file) const;

private:
  struct Place;
  std::optional<Place> locate(const Call& call, const ThreadStatus& status, int directory,
                              const std::string& path, FinalLink last) const;
  Found open_place(const ThreadStatus& status, pid_t thread, const Place& place,
                   FinalLink last) const;
  Found open_kernel(const ThreadStatus& status, pid_t thread, std::string path, FinalLink last,
                    int links) const;
  Found follow(const ThreadStatus& status, pid_t thread, const std::string& path, FinalLink last,
               int links) const;
  static Found open_inside(FdRef root, const std::string& path, FinalLink last);
  std::optional<std::string> base_of(const Call& call, const ThreadStatus& status,
                                     int directory) const;
  std::optional<std::string> base_at_a_glance(const Call& call, int directory) const;
  std::optional<std::string> content_of(const std::string& path, bool of_process) const;
  std::optional<ThreadStatus> visible(pid_t process) const;
  static std::string root_of(pid_t thread, const ThreadStatus& status);
  bool has_root(pid_t thread, const ThreadStatus& status) const;

  std::string root_;
  Fd root_fd_;
  struct stat root_info_ {};
  KernelPaths paths_;
  std::string hostname_;
  ReadOnlyPlaces read_only_;
};

} // namespace cairn
