#include "run/chroot/kernel_view.hpp"

#include "run/chroot/kernel_texts.hpp"
#include "run/chroot/link_text.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace cairn {

namespace {

constexpr int most_links = 8;
constexpr int most_tries = 10'000;
constexpr std::size_t proc_prefix = std::string_view("/proc/").size();
constexpr std::uint64_t status_limit = 16384;

constexpr std::string_view masked[] = {"acpi",          "asound",        "kcore",       "keys",
                                       "kmsg",          "latency_stats", "sched_debug", "scsi",
                                       "sysrq-trigger", "timer_list",    "timer_stats"};

bool is_link(FdRef file) {
  struct stat info {};
  return ::fstat(file.get(), &info) == 0 && S_ISLNK(info.st_mode);
}

Fd open_path(FdRef directory, const std::string& path, std::uint64_t resolve, FinalLink last) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC | (last == FinalLink::keep ? O_NOFOLLOW : 0);
  how.resolve = resolve;
  // EAGAIN: somewhere on this machine something was renamed while a ".." was followed.
  for (int tries = 0;; ++tries) {
    Fd found(
        static_cast<int>(::syscall(SYS_openat2, directory.get(), path.c_str(), &how, sizeof how)));
    if (found || errno != EAGAIN || tries == most_tries)
      return found;
  }
}

/// Below /proc, /sys or /dev, through none of the links that lead to what a process has open.
Fd open_plain(const std::string& path, FinalLink last) {
  const auto end = std::min(path.find('/', 1), path.size());
  const Fd top(::open(path.substr(0, end).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!top)
    return {};
  return open_path(top, end + 1 < path.size() ? path.substr(end + 1) : ".",
                   RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS, last);
}

/// The link of a thread's descriptor, or of its working directory.
std::string descriptor_path(pid_t thread, int descriptor) {
  return descriptor == AT_FDCWD ? fmt::format("/proc/{}/cwd", thread)
                                : fmt::format("/proc/{}/fd/{}", thread, descriptor);
}

KernelView::Found failure(int error) {
  KernelView::Found found;
  found.error = error;
  return found;
}

/// In /sys many paths lead through a link and up again: the kernel finds the way.
std::string as_written(const std::string& path, const std::string& clean) {
  return path.starts_with("/sys/") && is_below(clean, "/sys") ? path : clean;
}

/// "17" of "/proc/17/fd": a process or thread.
std::optional<pid_t> number_in(const std::string& path) {
  const auto name = std::string_view(path).substr(proc_prefix);
  const auto number = parse_unsigned(name.substr(0, name.find('/')));
  return number && *number <= INT32_MAX ? std::optional(static_cast<pid_t>(*number)) : std::nullopt;
}

/// "status" of "/proc/17/status" and "/proc/17/task/18/status"; empty for what lies deeper.
std::string_view file_of_process(std::string_view path) {
  path.remove_prefix(std::min(path.find('/', proc_prefix), path.size()));
  constexpr std::string_view threads = "/task/";
  if (path.starts_with(threads))
    path.remove_prefix(std::min(path.find('/', threads.size()), path.size()));
  const auto name = path.substr(std::min<std::size_t>(1, path.size()));
  return name.find('/') == std::string_view::npos ? name : std::string_view();
}

/// Links of `directory` that lead to the kernel's files.
void add_links(FdRef root, const char* directory, std::vector<KernelPaths::Link>& links) {
  const KernelPaths plain;
  const auto opened = open_in_root(root, RootedPath::parse(directory), O_RDONLY | O_DIRECTORY);
  if (!opened)
    return;
  for (const auto& name : list_directory(*opened)) {
    char text[PATH_MAX];
    const auto size = ::readlinkat(opened->get(), name.c_str(), text, sizeof text);
    if (size <= 0)
      continue;
    const auto target = RootedPath::parse(
        join_path(directory, std::string_view(text, static_cast<std::size_t>(size))));
    if (auto found = plain.find(target.str(), FinalLink::follow))
      links.push_back({join_path(directory, name), *std::move(found)});
  }
}

std::vector<KernelPaths::Link> kernel_links(FdRef root) {
  std::vector<KernelPaths::Link> links;
  for (const char* directory : {"/", "/etc"}) {
    try {
      add_links(root, directory, links);
    } catch (const Error&) {
      // Whatever stands in the place of this directory, links to the kernel's files are not in it.
      continue;
    }
  }
  return links;
}

} // namespace

/// A path below /proc, /sys or /dev, or one inside the root that was come to from there.
struct KernelView::Place {
  enum class Kind { kernel, inside };
  Kind kind;
  std::string path;
};

KernelView::KernelView(std::string root, std::vector<std::string> devices, std::string hostname,
                       ReadOnlyPlaces read_only)
    : root_(std::move(root)), root_fd_(open_directory(root_)),
      paths_(kernel_links(root_fd_), std::move(devices)), hostname_(std::move(hostname)),
      read_only_(std::move(read_only)) {
  if (::fstat(root_fd_.get(), &root_info_) != 0)
    throw SysError(errno, "look at '{}'", root_);
}

std::optional<KernelView::Found> KernelView::find(const Call& call, int directory, unsigned path,
                                                  FinalLink last) const {
  // Nearly all calls end here: what cannot be read is the kernel's to complain of, too. Another
  // thread may change the text meanwhile, but the kernel then looks for /proc in a root where it is
  // not mounted.
  const auto given = call.glance_at_path(path);
  if (given.error != 0 || given.text.empty() || !paths_.may_lead_there(given.text))
    return std::nullopt;
  if (given.text.back() == '/')
    last = FinalLink::follow;
  if (given.text.front() == '/' && !paths_.find(join_path("/", given.text), last))
    return std::nullopt;
  const auto status = thread_status(call.thread());
  if (!status || !call.is_waiting())
    return std::nullopt;
  const BorrowedRights rights(*status);
  const auto place = locate(call, *status, directory, given.text, last);
  if (!place)
    return std::nullopt;
  auto found = open_place(*status, call.thread(), *place, last);
  if (found.file && read_only_.find(found.file))
    found.access = MountAccess::read_only;
  found.thread = *status;
  return found;
}

std::optional<KernelView::Found> KernelView::find_inside(const Call& call, int directory,
                                                         const std::string& path,
                                                         FinalLink last) const {
  const auto status = thread_status(call.thread());
  if (path.empty() || !status)
    return std::nullopt;
  const BorrowedRights rights(*status);
  const auto root = root_of(call.thread(), *status);
  if (!inside_of(root_, root))
    return std::nullopt;
  std::optional<std::string> base = "/";
  if (path.front() != '/') {
    base = base_of(call, *status, directory);
    if (base)
      base = inside_of(root, *base);
  }
  if (!base)
    return std::nullopt;
  // One that was changed to.
  const auto other = root == root_ ? Fd() : Fd(::open(root.c_str(), O_PATH | O_CLOEXEC));
  if (!other && root != root_)
    return std::nullopt;
  auto found = open_inside(other ? FdRef(other) : FdRef(root_fd_), *base + "/" + path, last);
  found.thread = *status;
  return found;
}

bool KernelView::leads_to_read_only(const Call& call, int directory,
                                    const std::string& path) const {
  if (path.empty())
    return false;
  std::optional<std::string> base = "/";
  if (path.front() != '/')
    base = base_at_a_glance(call, directory);
  if (!base)
    return false;
  const auto file = open_path(root_fd_, *base + "/" + path, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
                              FinalLink::follow);
  struct stat info {};
  return file && ::fstat(file.get(), &info) == 0 && read_only_.have_file(info);
}

bool KernelView::leads_to_read_only(const Call& call, int descriptor) const {
  const auto link = descriptor_path(call.thread(), descriptor);
  struct stat info {};
  if (::stat(link.c_str(), &info) == 0)
    return read_only_.have_file(info);
  if (errno != EACCES && errno != EPERM)
    return false;
  const auto status = thread_status(call.thread());
  if (!status)
    return false;
  const LookingRights looking(*status);
  return ::stat(link.c_str(), &info) == 0 && read_only_.have_file(info);
}

std::string KernelView::path_of_descriptor(const Call& call, int descriptor) const {
  const auto status = thread_status(call.thread());
  return status ? base_of(call, *status, descriptor).value_or("") : "";
}

/// Where a path that is not absolute begins, as the executor sees it: absolute.
std::optional<std::string> KernelView::base_of(const Call& call, const ThreadStatus& status,
                                               int directory) const {
  const LookingRights looking(status);
  auto base = link_text(descriptor_path(call.thread(), directory));
  return base.starts_with('/') ? std::optional(std::move(base)) : std::nullopt;
}

/// The same inside the root. Who the thread is is looked at where the link says nothing without.
std::optional<std::string> KernelView::base_at_a_glance(const Call& call, int directory) const {
  const auto base = link_text(descriptor_path(call.thread(), directory));
  if (!base.empty())
    return inside_of(root_, base);
  const auto status = thread_status(call.thread());
  const auto known = status ? base_of(call, *status, directory) : std::nullopt;
  return known ? inside_of(root_, *known) : std::nullopt;
}

std::optional<KernelView::Place> KernelView::locate(const Call& call, const ThreadStatus& status,
                                                    int directory, const std::string& path,
                                                    FinalLink last) const {
  std::string base = "/";
  if (path.front() != '/') {
    const auto outside = base_of(call, status, directory);
    if (!outside)
      return std::nullopt;
    const auto inside = inside_of(root_, *outside);
    if (!inside) {
      if (!paths_.find(*outside, FinalLink::follow))
        return std::nullopt;
      // From one of the kernel's own directories the kernel would find the way to all processes,
      // and out of them into the executor's root.
      const auto joined = join_path(*outside, path);
      const auto kernels = paths_.find(joined, last);
      return kernels ? Place{Place::Kind::kernel, as_written(*outside + "/" + path, *kernels)}
                     : Place{Place::Kind::inside, joined};
    }
    base = *inside;
  }
  auto found = paths_.find(join_path(base, path), last);
  // Another root was changed to: what /proc means there is not ours.
  if (!found || !has_root(call.thread(), status))
    return std::nullopt;
  return Place{Place::Kind::kernel, as_written(path, *found)};
}

KernelView::Found KernelView::open_place(const ThreadStatus& status, pid_t thread,
                                         const Place& place, FinalLink last) const {
  return place.kind == Place::Kind::inside ? open_inside(root_fd_, place.path, last)
                                           : open_kernel(status, thread, place.path, last, 0);
}

KernelView::Found KernelView::open_inside(FdRef root, const std::string& path, FinalLink last) {
  Found found;
  found.access = MountAccess::read_write;
  found.file = open_path(root, path, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS, last);
  if (!found.file)
    found.error = errno;
  else if (is_link(found.file))
    found.text = link_text(found.file);
  return found;
}

KernelView::Found KernelView::open_kernel(const ThreadStatus& status, pid_t thread,
                                          std::string path, FinalLink last, int links) const {
  if (links > most_links)
    return failure(ELOOP);
  Found found;
  const auto process = fmt::format("/proc/{}", status.process);
  const auto own_thread = fmt::format("{}/task/{}", process, thread);
  struct {
    const char* path;
    std::string target;
    std::string text; ///< What the link itself says.
  } const own[] = {{"/proc/self", process, process.substr(proc_prefix)},
                   {"/proc/thread-self", own_thread, own_thread.substr(proc_prefix)},
                   {"/proc/mounts", process + "/mounts", "self/mounts"},
                   {"/proc/net", process + "/net", "self/net"}};
  for (const auto& [link, target, text] : own) {
    if (last == FinalLink::keep && path == link) {
      found.file = open_plain(path, last);
      found.error = found.file ? 0 : errno;
      found.text = text;
      return found;
    }
    if (is_below(path, link)) {
      path.replace(0, std::string_view(link).size(), target);
      break;
    }
  }
  std::optional<LookingRights> looking;
  if (is_below(path, "/proc") && path.size() > proc_prefix) {
    const auto number = number_in(path);
    const auto owner = number ? visible(*number) : std::nullopt;
    if (number && !owner)
      return failure(ENOENT);
    if (owner && owner->users.effective == status.users.effective) {
      looking.emplace(*owner);
      found.owner = owner;
    }
    if (number)
      found.access = MountAccess::read_write;
    else if (std::any_of(std::begin(masked), std::end(masked), [&](std::string_view name) {
               return is_below(std::string_view(path).substr(proc_prefix), name);
             }))
      return failure(EACCES);
    found.content = content_of(path, number.has_value());
  } else if (is_below(path, "/dev")) {
    found.access = MountAccess::read_write;
  }
  found.file = open_plain(path, last);
  if (!found.file && errno == ELOOP)
    return follow(status, thread, path, last, links);
  if (!found.file)
    return failure(errno == EXDEV ? ENOENT : errno);
  if (is_link(found.file)) {
    found.text = link_text(found.file);
    if (found.text.empty())
      return failure(EACCES);
    if (auto inside = inside_of(root_, found.text))
      found.text = *std::move(inside);
  }
  return found;
}

/// Through a link that leads to what a process has open: the file itself where it is the last
/// component, otherwise by its path.
KernelView::Found KernelView::follow(const ThreadStatus& status, pid_t thread,
                                     const std::string& path, FinalLink last, int links) const {
  for (auto end = path.find('/', 1); end != std::string::npos;) {
    end = path.find('/', end + 1);
    const auto part = path.substr(0, end);
    const auto link = open_plain(part, FinalLink::keep);
    if (!link)
      return failure(errno);
    if (!is_link(link))
      continue;
    if (end == std::string::npos) {
      Found found;
      found.access = MountAccess::read_write;
      found.file = Fd(::open(part.c_str(), O_PATH | O_CLOEXEC));
      found.error = found.file ? 0 : errno;
      return found;
    }
    const auto text = link_text(link);
    if (text.empty() || text.front() != '/')
      return failure(text.empty() ? EACCES : ENOTDIR);
    const auto rest = path.substr(end);
    if (const auto inside = inside_of(root_, text))
      return open_inside(root_fd_, *inside + rest, last);
    const auto joined = join_path(text, "." + rest);
    return paths_.find(joined, FinalLink::follow)
               ? open_kernel(status, thread, joined, last, links + 1)
               : failure(EACCES);
  }
  return failure(ELOOP);
}

/// What a file in /proc holds that tells of the executor's own state.
std::optional<std::string> KernelView::content_of(const std::string& path, bool of_process) const {
  if (path == "/proc/sys/kernel/hostname")
    return hostname_ + "\n";
  const auto name = of_process ? file_of_process(path) : std::string_view();
  if (name == "mounts" || name == "mountinfo" || name == "mountstats")
    return mounts_text(name);
  if (name != "status")
    return std::nullopt;
  try {
    const auto file = try_open_at(current_directory(), path, O_RDONLY);
    return file ? std::optional(status_text(read_file(*file, status_limit))) : std::nullopt;
  } catch (const SysError&) {
    return std::nullopt; // The process has gone, as whoever opens the file will see.
  }
}

/// The status of a process of this root. Others are not there: not the executor, which could look
/// into itself.
std::optional<ThreadStatus> KernelView::visible(pid_t process) const {
  auto status = thread_status(process);
  if (!status || status->process == ::getpid())
    return std::nullopt;
  const auto root = fmt::format("/proc/{}/root", process);
  struct stat info {};
  bool seen = ::stat(root.c_str(), &info) == 0;
  if (!seen) {
    const LookingRights looking(*status);
    seen = ::stat(root.c_str(), &info) == 0;
  }
  if (!seen || info.st_dev != root_info_.st_dev || info.st_ino != root_info_.st_ino)
    return std::nullopt;
  return status;
}

/// As the executor sees it.
std::string KernelView::root_of(pid_t thread, const ThreadStatus& status) {
  const LookingRights looking(status);
  return link_text(fmt::format("/proc/{}/root", thread));
}

bool KernelView::has_root(pid_t thread, const ThreadStatus& status) const {
  return root_of(thread, status) == root_;
}

std::optional<std::string> KernelView::working_directory(const Call& call) const {
  const auto status = thread_status(call.thread());
  if (!status)
    return std::nullopt;
  auto path = base_of(call, *status, AT_FDCWD);
  if (!path || inside_of(root_, *path) || !paths_.find(*path, FinalLink::follow))
    return std::nullopt;
  return path;
}

std::optional<std::string> KernelView::path_of(FdRef file) const {
  return inside_of(root_, path_text(file));
}

} // namespace cairn
