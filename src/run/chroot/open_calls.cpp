#include "run/chroot/chroot_calls.hpp"
#include "run/chroot/link_text.hpp"
#include "util/error.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace cairn {

namespace {

Fd text_in_memory(const std::string& text) {
  Fd file(::memfd_create("text", MFD_CLOEXEC));
  if (file)
    write_all(file, std::as_bytes(std::span(text)));
  if (file && ::lseek(file.get(), 0, SEEK_SET) != 0)
    return {};
  return file;
}

CallAnswer answer_open(const KernelView& view, const Call& call, int directory, unsigned path,
                       int flags) {
  const auto found = view.find(call, directory, path, last_link_of_open(flags));
  if (!found)
    return PassedCall{};
  return hand_over(*found, flags);
}

CallAnswer open_call(const KernelView& view, const Call& call) {
  return answer_open(view, call, AT_FDCWD, 0, call.int_argument(1));
}

CallAnswer openat_call(const KernelView& view, const Call& call) {
  return answer_open(view, call, call.int_argument(0), 1, call.int_argument(2));
}

CallAnswer openat2_call(const KernelView& view, const Call& call) {
  // Below a directory that is to be the root, or not to be left, nothing of the kernel's is
  // mounted.
  constexpr std::uint64_t bounds = RESOLVE_BENEATH | RESOLVE_IN_ROOT;
  const auto how = how_of(call);
  if (!how || (how->resolve & bounds) != 0)
    return PassedCall{};
  return answer_open(view, call, call.int_argument(0), 1, static_cast<int>(how->flags));
}

constexpr ChrootCall open_table[] = {
#ifdef SYS_open
    {{SYS_open}, open_call},
#endif
    {{SYS_openat}, openat_call},
    {{SYS_openat2}, openat2_call},
};

} // namespace

Fd reopen(FdRef file, int flags) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0)
    return {};
  const bool may_wait = S_ISFIFO(info.st_mode) && (flags & O_NONBLOCK) == 0;
  constexpr int settled = O_CREAT | O_EXCL | O_NOFOLLOW; // What is open is there.
  Fd opened(::open(own_path(file).c_str(),
                   (flags & ~settled) | O_CLOEXEC | O_NOCTTY | (may_wait ? O_NONBLOCK : 0)));
  if (opened && may_wait)
    ::fcntl(opened.get(), F_SETFL, ::fcntl(opened.get(), F_GETFL) & ~O_NONBLOCK);
  return opened;
}

Fd reopen(const KernelView::Found& found, int flags) {
  if (!found.owner || !found.owner->is_guarded())
    return reopen(found.file, flags);
  // The rights of the user that count for the file, before more are used for looking.
  constexpr int wanted[] = {R_OK, W_OK, R_OK | W_OK, 0};
  if (!may_access(found.file, wanted[flags & O_ACCMODE]))
    return {};
  const LookingRights looking(*found.owner);
  return reopen(found.file, flags);
}

int refusal_to_write(const KernelView::Found& found) {
  const BorrowedRights rights(found.thread);
  return !may_access(found.file, W_OK) && errno == EACCES ? EACCES : EROFS;
}

CallAnswer hand_over(const KernelView::Found& found, int flags) {
  if (found.error != 0)
    return FailedCall{found.error};
  if (makes_new(flags))
    return FailedCall{EEXIST};
  struct stat info {};
  if (::fstat(found.file.get(), &info) != 0)
    return FailedCall{errno};
  if (S_ISLNK(info.st_mode))
    return FailedCall{ELOOP};
  if (wants_to_write(flags) && (flags & O_PATH) == 0 &&
      (found.access == MountAccess::read_only || found.content)) {
    if (S_ISDIR(info.st_mode))
      return FailedCall{EISDIR};
    return FailedCall{(flags & (O_CREAT | O_TRUNC)) != 0 ? EROFS : refusal_to_write(found)};
  }
  // Nobody can be handed a descriptor that is a path alone: one that can be read does as well.
  const int usable = (flags & O_PATH) != 0 ? O_RDONLY | (flags & O_DIRECTORY) : flags;
  const BorrowedRights rights(found.thread);
  auto file = found.content ? text_in_memory(*found.content) : reopen(found, usable);
  if (!file)
    return FailedCall{errno};
  return HandedFile{std::move(file), (flags & O_CLOEXEC) != 0};
}

std::span<const ChrootCall> open_calls() {
  return open_table;
}

} // namespace cairn
