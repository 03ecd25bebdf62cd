#include "run/chroot/kernel_paths.hpp"

#include <doctest/doctest.h>

namespace cairn {

TEST_CASE("what leads to the kernel's files is known by its text") {
  const KernelPaths paths({{"/etc/mtab", "/proc/self/mounts"}, {"/jobs", "/proc"}}, {"null"});
  struct {
    const char* path;
    const char* followed; ///< "" for what is not the kernel's.
    const char* kept;
    const char* reason;
  } const rows[] = {
      {"/proc", "/proc", "/proc", "itself"},
      {"/proc/self/fd/1", "/proc/self/fd/1", "/proc/self/fd/1", "below it"},
      {"/process", "", "", "begins alike"},
      {"/sys/class", "/sys/class", "/sys/class", "sysfs"},
      {"/usr/proc", "", "", "elsewhere"},
      {"/dev", "", "", "a directory of the root"},
      {"/dev/fd", "/proc/self/fd", "", "a link"},
      {"/dev/fd/3", "/proc/self/fd/3", "/proc/self/fd/3", "through a link"},
      {"/dev/stdout", "/proc/self/fd/1", "", "a link"},
      {"/dev/ptmx", "/dev/pts/ptmx", "", "a link"},
      {"/dev/pts/0", "/dev/pts/0", "/dev/pts/0", "a terminal"},
      {"/dev/zero", "", "", "can be opened where it is"},
      {"/dev/null", "/dev/null", "/dev/null", "cannot"},
      {"/etc/mtab", "/proc/self/mounts", "", "a link of the image"},
      {"/jobs/1/stat", "/proc/1/stat", "/proc/1/stat", "through a link of the image"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    CAPTURE(row.reason);
    CHECK(paths.find(row.path, FinalLink::follow).value_or("") == row.followed);
    CHECK(paths.find(row.path, FinalLink::keep).value_or("") == row.kept);
  }
}

TEST_CASE("paths that may lead to the kernel's files are told from others at first sight") {
  const KernelPaths paths({{"/etc/mtab", "/proc/self/mounts"}, {"/jobs", "/proc"}}, {"null"});
  for (const char* path :
       {"/proc",     "//proc/self",  "/./proc",   "proc/self",  "./sys",     ".",
        "..",        "/usr/../proc", "fd/1",      "/dev/stdin", "stdin",     "mtab",
        "/etc/mtab", "etc/mtab",     "pts/0",     "null",       "/dev/null", "/",
        "jobs/1",    "/jobs/1/stat", "1/environ", "./17",       "0",         "stdin/x"}) {
    CAPTURE(path);
    CHECK(paths.may_lead_there(path));
  }
  for (const char* path :
       {"/usr/lib/x.so", "/etc/passwd", "file", "/process", "a/b", "usr/proc", "1a/b"}) {
    CAPTURE(path);
    CHECK(!paths.may_lead_there(path));
  }
}

TEST_CASE("a path outside is told as it is inside") {
  CHECK(inside_of("/w/root", "/w/root") == "/");
  CHECK(inside_of("/w/root", "/w/root/usr") == "/usr");
  CHECK(!inside_of("/w/root", "/w/rootless"));
  CHECK(!inside_of("/w/root", "/proc/self"));
}

} // namespace cairn
