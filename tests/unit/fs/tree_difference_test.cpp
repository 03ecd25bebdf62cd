#include "archives.hpp"
#include "fs/tree/tree_difference.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/tree_difference");

namespace {

std::vector<Member> members() {
  std::vector<Member> all = {directory("bin"),
                             file("bin/sh", "shell", 04755),
                             directory("etc"),
                             file("etc/os", "linux"),
                             hard_link("etc/twin", "etc/os"),
                             symbolic_link("lib", "usr/lib"),
                             directory("usr", 0700),
                             directory("usr/lib"),
                             file("usr/lib/so", "library"),
                             device("zero", FileType::char_device, 1, 5)};
  all[3].entry.meta.xattrs = {{"user.color", "blue"}};
  all[8].entry.meta.uid = 5;
  all[8].entry.meta.gid = 6;
  return all;
}

/// Those members unpacked, and the Tree that they make.
class Unpacked {
public:
  explicit Unpacked(const std::vector<Member>& with = members()) {
    tree_.apply(index_of(with));
    unpack(home_.fd(), tar_of(with));
  }

  std::string path(const std::string& name) const { return home_.path() + "/" + name; }
  std::string difference(std::size_t threads = 3) const {
    return find_difference(tree_, home_.fd(), threads).value_or("none");
  }

private:
  TempDir home_{"/tmp"};
  Tree tree_;
};

void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

/// Does something to a file that gets the time back which it had.
void keep_time(const std::string& path, const std::function<void()>& change) {
  struct stat before {};
  REQUIRE(::lstat(path.c_str(), &before) == 0);
  change();
  const std::array times{before.st_atim, before.st_mtim};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0);
}

bool not_root() {
  if (!is_root())
    MESSAGE("skipped: owners can only be set by root");
  return !is_root();
}

struct Row {
  const char* what;
  std::function<void(const Unpacked&)> change;
  const char* said;
};

void replace_link(const Unpacked& at, const char* target) {
  keep_time(at.path("lib"), [&] {
    REQUIRE(::unlink(at.path("lib").c_str()) == 0);
    REQUIRE(::symlink(target, at.path("lib").c_str()) == 0);
  });
}

void make_socket(const std::string& path) {
  const Fd made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
}

const Row differences[] = {
    {"a file has another size",
     [](const Unpacked& at) {
       keep_time(at.path("etc/os"), [&] { write_file(at.path("etc/os"), "other system"); });
     },
     "'/etc/os' has 12 bytes instead of 5"},
    {"a file has another mode",
     [](const Unpacked& at) { ::chmod(at.path("bin/sh").c_str(), 0755); },
     "'/bin/sh' has mode 755 instead of 4755"},
    {"a directory has another mode",
     [](const Unpacked& at) { ::chmod(at.path("usr").c_str(), 0755); },
     "'/usr' has mode 755 instead of 700"},
    {"a file has another owner",
     [](const Unpacked& at) { REQUIRE(::chown(at.path("usr/lib/so").c_str(), 5, 7) == 0); },
     "'/usr/lib/so' belongs to 5:7 instead of 5:6"},
    {"a file has another time",
     [](const Unpacked& at) {
       std::filesystem::last_write_time(at.path("usr/lib/so"), std::filesystem::file_time_type());
     },
     "'/usr/lib/so' was changed at"},
    {"a file is missing", [](const Unpacked& at) { ::unlink(at.path("etc/os").c_str()); },
     "'/etc/os' is missing"},
    {"the last file is missing", [](const Unpacked& at) { ::unlink(at.path("zero").c_str()); },
     "'/zero' is missing"},
    {"a directory is missing",
     [](const Unpacked& at) { std::filesystem::remove_all(at.path("usr/lib")); },
     "'/usr/lib' is missing"},
    {"there is one file more", [](const Unpacked& at) { write_file(at.path("etc/more"), ""); },
     "'/etc/more' is not in the image"},
    {"there is one file more behind all others",
     [](const Unpacked& at) { write_file(at.path("zzz"), ""); }, "'/zzz' is not in the image"},
    {"a socket is there", [](const Unpacked& at) { make_socket(at.path("etc/socket")); },
     "'/etc/socket' is not in the image"},
    {"a socket is in the place of a file",
     [](const Unpacked& at) {
       ::unlink(at.path("etc/os").c_str());
       make_socket(at.path("etc/os"));
     },
     "'/etc/os' is a socket instead of a regular file"},
    {"a directory is a link",
     [](const Unpacked& at) {
       std::filesystem::rename(at.path("usr"), at.path("user"));
       REQUIRE(::symlink("user", at.path("usr").c_str()) == 0);
     },
     "is"},
    {"a link leads elsewhere", [](const Unpacked& at) { replace_link(at, "usr/abc"); },
     "'/lib' leads somewhere else"},
    {"a device has other numbers",
     [](const Unpacked& at) {
       keep_time(at.path("zero"), [&] {
         ::unlink(at.path("zero").c_str());
         REQUIRE(::mknod(at.path("zero").c_str(), S_IFCHR | 0600, ::makedev(1, 3)) == 0);
         ::chmod(at.path("zero").c_str(), 0600);
       });
     },
     "'/zero' is device 1:3 instead of 1:5"},
    {"an attribute is another one",
     [](const Unpacked& at) { ::setxattr(at.path("etc/os").c_str(), "user.color", "grey", 4, 0); },
     "has other extended attributes"},
    {"an attribute is gone",
     [](const Unpacked& at) { ::removexattr(at.path("etc/os").c_str(), "user.color"); },
     "has other extended attributes"},
    {"a directory has an attribute more",
     [](const Unpacked& at) { ::setxattr(at.path("usr").c_str(), "user.more", "1", 1, 0); },
     "'/usr' has other extended attributes"},
    {"a directory is opaque for an overlay",
     [](const Unpacked& at) {
       ::setxattr(at.path("usr").c_str(), "user.overlay.opaque", "y", 1, 0);
     },
     "'/usr' has the extended attribute user.overlay.opaque of an overlay"},
};

} // namespace

TEST_CASE("what was unpacked from the layers of a Tree is what the Tree says") {
  if (not_root())
    return;
  const Unpacked at;
  for (const std::size_t threads : {1, 2, 8})
    CHECK(at.difference(threads) == "none");
}

TEST_CASE("each kind of difference is found and named") {
  if (not_root())
    return;
  for (const auto& row : differences) {
    CAPTURE(std::string(row.what));
    const Unpacked at;
    row.change(at);
    CHECK_MESSAGE(at.difference().find(row.said) != std::string::npos, at.difference());
    CHECK(at.difference(1) != "none");
  }
}

TEST_CASE("times of directories, hard links and the root's own attributes do not count") {
  if (not_root())
    return;
  const Unpacked at;
  std::filesystem::last_write_time(at.path("usr"), std::filesystem::file_time_type());
  std::filesystem::last_write_time(at.path(""), std::filesystem::file_time_type());
  ::chmod(at.path("").c_str(), 0711);
  keep_time(at.path("etc/os"), [&] {
    std::filesystem::copy_file(at.path("etc/os"), at.path("etc/new"));
    ::setxattr(at.path("etc/new").c_str(), "user.color", "blue", 4, 0);
    struct stat before {};
    ::stat(at.path("etc/os").c_str(), &before);
    const std::array times{before.st_atim, before.st_mtim};
    ::utimensat(AT_FDCWD, at.path("etc/new").c_str(), times.data(), 0);
    ::chmod(at.path("etc/new").c_str(), before.st_mode & 07777U);
    std::filesystem::rename(at.path("etc/new"), at.path("etc/twin"));
  });
  CHECK(at.difference() == "none");
}

TEST_CASE("a whiteout of an upper layer is no file of the mount") {
  if (not_root())
    return;
  const std::vector<Member> lower = {directory("d"), file("d/f", "1"), file("d/g", "2")};
  const std::vector<Member> upper = {directory("d"), whiteout("d/.wh.f"), file("d/h", "3")};
  Tree tree;
  tree.apply(index_of(lower));
  tree.apply(index_of(upper));
  const TempDir home("/tmp");
  unpack(home.fd(), tar_of(lower));
  CHECK(find_difference(tree, home.fd(), 2).value_or("none") == "'/d/f' is not in the image");
  unpack(home.fd(), tar_of(upper));
  CHECK(find_difference(tree, home.fd(), 2).value_or("none") == "none");
}

TEST_CASE("a mount in the mount is a difference, as an overlay would not show it") {
  if (not_root())
    return;
  const Unpacked at;
  const auto lib = at.path("usr/lib");
  if (::mount(lib.c_str(), lib.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    MESSAGE("skipped: nothing can be mounted here");
    return;
  }
  CHECK(at.difference() == "'/usr/lib' is a mount of its own");
  ::umount2(lib.c_str(), MNT_DETACH);
  CHECK(at.difference() == "none");
}

TEST_CASE("a directory of many others is compared as a whole") {
  if (not_root())
    return;
  std::vector<Member> many;
  for (int i = 0; i < 300; ++i) {
    const auto name = "d" + std::to_string(1000 + i);
    many.push_back(directory(name));
    many.push_back(file(name + "/f", "text"));
  }
  const Unpacked at(many);
  CHECK(at.difference(8) == "none");
  ::unlink(at.path("d1299/f").c_str());
  CHECK(at.difference(8) == "'/d1299/f' is missing");
}

TEST_SUITE_END();
