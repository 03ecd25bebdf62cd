#include "place.hpp"
#include "run/emulated_mounts.hpp"
#include "run/mounts/mount_points.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>

namespace cairn {

namespace {

timespec changed(const std::string& path) {
  struct stat info {};
  REQUIRE(::lstat(path.c_str(), &info) == 0);
  return info.st_mtim;
}

/// A time that no test could produce by writing.
void set_old(const std::string& path) {
  const timespec times[2] = {{1000, 0}, {1000, 5}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

bool is_old(const std::string& path) {
  const auto time = changed(path);
  return time.tv_sec == 1000 && time.tv_nsec == 5;
}

RootedPath at(const char* path) {
  return RootedPath::parse(path);
}

} // namespace

TEST_CASE("mount points are found inside the root whatever the links in it say") {
  const TempDir home("/tmp");
  const auto root = home.path() + "/root";
  make_directories(root + "/real/deep");
  ::symlink("/real", (root + "/absolute").c_str());
  ::symlink("../../../../real", (root + "/real/escape").c_str());
  ::symlink("/run/stub", (root + "/dangling").c_str());
  ::symlink("loop", (root + "/loop").c_str());
  write_file(root + "/file", "");
  using Kind = MountPoints::Kind;
  MountPoints points(open_directory(root), open_directory(root));
  CHECK(points.prepare(at("/"), Kind::directory) == ".");
  CHECK(points.prepare(at("/absolute/deep"), Kind::directory) == "real/deep");
  CHECK(points.prepare(at("/real/escape/deep"), Kind::directory) == "real/deep");
  CHECK(points.prepare(at("/file"), Kind::file) == "file");
  CHECK(points.prepare(at("/dangling"), Kind::file) == "run/stub");
  CHECK_THROWS_AS(points.prepare(at("/loop/x"), Kind::file), SysError);
  CHECK_THROWS_AS(points.prepare(at("/file/x"), Kind::file), SysError);
}

TEST_CASE("mount points that were made are removed, the times of what is around them kept") {
  const TempDir home("/tmp");
  const auto& root = home.path();
  make_directories(root + "/etc");
  const auto before = paths_below(root);
  set_old(root + "/etc");
  set_old(root);
  {
    MountPoints points(open_directory(root), open_directory(root));
    points.prepare(at("/etc/hosts"), MountPoints::Kind::file);
    points.prepare(at("/a/b/c"), MountPoints::Kind::directory);
    points.prepare(at("/a/b/f"), MountPoints::Kind::file);
    CHECK(paths_below(root) == "a/ a/b/ a/b/c/ a/b/f etc/ etc/hosts");
    CHECK(is_old(root + "/etc"));
    CHECK(is_old(root));
    points.settle();
    points.remove();
  }
  CHECK(paths_below(root) == before);
  CHECK(is_old(root + "/etc"));
  CHECK(is_old(root));
}

TEST_CASE("what a command did with a mount point stays") {
  const TempDir home("/tmp");
  const auto& root = home.path();
  MountPoints points(open_directory(root), open_directory(root));
  points.prepare(at("/run/secrets/s"), MountPoints::Kind::file);
  points.prepare(at("/etc/hosts"), MountPoints::Kind::file);
  points.settle();
  write_file(root + "/run/mine", "");
  write_file(root + "/etc/hosts", "mine");
  points.remove();
  CHECK(paths_below(root) == "etc/ etc/hosts run/ run/mine");
}

TEST_CASE("nothing is removed through a link that a command put in the place of a directory") {
  const TempDir home("/tmp");
  const auto& root = home.path();
  make_directories(root + "/other");
  write_file(root + "/other/stub", "");
  MountPoints points(open_directory(root), open_directory(root));
  points.prepare(at("/run/stub"), MountPoints::Kind::file);
  points.settle();
  remove_tree(open_directory(root), "run");
  ::symlink("other", (root + "/run").c_str());
  points.remove();
  CHECK(paths_below(root) == "other/ other/stub run");
}

TEST_CASE("a place inside an earlier mount is not removed from what lies below that") {
  const TempDir home("/tmp");
  const auto below = home.path() + "/below";
  const auto seen = home.path() + "/seen";
  make_directories(below + "/cache");
  make_directories(seen + "/cache");
  write_file(below + "/cache/f", "");
  MountPoints points(open_directory(seen), open_directory(below));
  points.prepare(at("/cache"), MountPoints::Kind::directory);
  points.prepare(at("/cache/f"), MountPoints::Kind::file);
  points.settle();
  points.remove();
  CHECK(paths_below(below) == "cache/ cache/f");
}

TEST_CASE("stubs leave nothing in the upper directory, not even a copied directory") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  make_directories(place.layer() + "/etc/deep/er");
  set_old(place.layer() + "/etc");
  auto runner = namespace_runner(place);
  auto invocation = shell("cat /etc/hosts /etc/resolv.conf /etc/deep/er/secret; stat -c %Y /etc");
  invocation.hosts = "127.0.0.1 localhost\n";
  invocation.resolv_conf = "nameserver 10.0.0.10\n";
  write_file(place.path() + "/secret", "hush\n");
  invocation.mounts = {BindMount{place.path() + "/secret", at("/etc/deep/er/secret")}};
  const auto root = place.overlay();
  set_old(root.upper);
  const auto said = say(*runner, root, invocation);
  CHECK(said.output == "127.0.0.1 localhost\nnameserver 10.0.0.10\nhush\n1000\n");
  CHECK(said.errors.empty());
  CHECK(paths_below(root.upper).empty());
  CHECK(is_old(root.upper));
}

TEST_CASE("a directory that the command changes as well stays in the upper directory") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  make_directories(place.layer() + "/etc");
  auto runner = namespace_runner(place);
  struct {
    const char* script;
    std::string left;
  } const rows[] = {{"touch /etc/new", "etc/ etc/new"},
                    {"chmod 700 /etc", "etc/"},
                    {"touch /etc", "etc/"},
                    {"touch /etc/x; rm /etc/x", "etc/"},
                    {"true", ""}};
  for (const auto& row : rows) {
    CAPTURE(row.script);
    auto invocation = shell(row.script);
    invocation.hosts = "";
    const auto root = place.overlay();
    CHECK(say(*runner, root, invocation).outcome.succeeded());
    CHECK(paths_below(root.upper) == row.left);
  }
}

TEST_CASE("a root that serves several commands keeps the whiteouts of the earlier ones") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  make_directories(place.layer() + "/etc");
  make_directories(place.layer() + "/proc/stale");
  write_file(place.layer() + "/etc/hosts", "image's\n");
  auto runner = namespace_runner(place);
  const auto root = place.overlay();
  CHECK(say(*runner, root, "rm /etc/hosts").outcome.succeeded());
  auto invocation = shell("cat /etc/hosts");
  invocation.hosts = "ours\n";
  CHECK(say(*runner, root, invocation).output == "ours\n");
  CHECK(say(*runner, root, "cat /etc/hosts").output.empty());
  CHECK(say(*runner, root, "mkdir /etc/x && rmdir /etc/x; ls -A /etc").output.empty());
}

TEST_CASE("the files of the image are shown when nothing is given for them") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  make_directories(place.layer() + "/etc");
  write_file(place.layer() + "/etc/hosts", "image's\n");
  auto runner = namespace_runner(place);
  CHECK(say(*runner, place.overlay(), "cat /etc/hosts; echo >> /etc/hosts").output == "image's\n");
}

TEST_CASE("what is written to a private file is lost, and a link in its place is followed") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  make_directories(place.layer() + "/etc");
  ::symlink("../run/resolve/stub.conf", (place.layer() + "/etc/resolv.conf").c_str());
  auto runner = namespace_runner(place);
  auto invocation = shell("cat /etc/resolv.conf /run/resolve/stub.conf; echo x > /etc/resolv.conf");
  invocation.resolv_conf = "ours\n";
  const auto root = place.overlay();
  for (int round = 0; round < 2; ++round)
    CHECK(say(*runner, root, invocation).output == "ours\nours\n");
  CHECK(paths_below(root.upper).empty());
}

TEST_CASE("directories and files of the outside are mounted, read-only unless said otherwise") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  const auto source = place.path() + "/source";
  make_directories(source);
  write_file(source + "/f", "text\n");
  auto runner = namespace_runner(place);
  auto invocation = shell("cat /mnt/f /one; echo no > /mnt/f; echo no > /one; echo yes > /rw/g");
  invocation.mounts = {BindMount{source, at("/mnt")}, BindMount{source + "/f", at("/one")},
                       BindMount{source, at("/rw"), MountAccess::read_write}};
  const auto root = place.overlay();
  CHECK(say(*runner, root, invocation).output == "text\ntext\n");
  CHECK(paths_below(source) == "f g");
  CHECK(paths_below(root.upper).empty());
}

TEST_CASE("mounts may lie inside each other and in /dev") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  const auto source = place.path() + "/source";
  make_directories(source);
  write_file(source + "/f", "text\n");
  auto runner = namespace_runner(place);
  auto invocation = shell("cat /t/in/f /dev/pipes/EOF; df -k /t | grep -c ' 1024 '; touch /t/x");
  invocation.mounts = {TmpfsMount{at("/t"), 1 << 20}, BindMount{source, at("/t/in")},
                       BindMount{source + "/f", at("/dev/pipes/EOF")}};
  const auto root = place.overlay();
  CHECK(say(*runner, root, invocation).output == "text\ntext\n1\n");
  CHECK(paths_below(root.upper).empty());
}

TEST_CASE("the source of a mount must exist and hold no link") {
  SKIP_IF(cannot_use_namespaces());
  Place place;
  ::symlink(place.layer().c_str(), (place.path() + "/link").c_str());
  auto runner = namespace_runner(place);
  for (const char* name : {"/link", "/link/bin", "/none"}) {
    CAPTURE(name);
    auto invocation = shell("true");
    invocation.mounts = {BindMount{place.path() + name, at("/mnt")}};
    const auto root = place.overlay();
    CHECK_THROWS_AS(say(*runner, root, invocation), SysError);
    CHECK(paths_below(root.upper).empty());
  }
}

TEST_CASE("in place, mounts are their sources and directories, and all goes back again") {
  const TempDir home("/tmp");
  const auto& root = home.path();
  const auto target = [&](const char* name) { return RootedPath::parse(root + "/place" + name); };
  make_directories(root + "/place/full");
  make_directories(root + "/source");
  write_file(root + "/place/full/mine", "");
  write_file(root + "/source/f", "text\n");
  write_file(root + "/file", "text\n");
  set_old(root + "/place/full");
  set_old(root + "/place");
  const auto before = paths_below(root);
  {
    EmulatedMounts mounts({BindMount{root + "/source", target("/full")},
                           BindMount{root + "/file", target("/new/file")},
                           TmpfsMount{target("/tmp"), std::nullopt}});
    CHECK(read_file(current_directory(), root + "/place/full/f", 100) == "text\n");
    CHECK(read_file(current_directory(), root + "/place/new/file", 100) == "text\n");
    write_file(root + "/place/tmp/x", "");
    CHECK(is_old(root + "/place"));
    write_file(root + "/place/full/made", "");
    mounts.remove();
  }
  CHECK(paths_below(root + "/source") == "f made");
  ::unlink((root + "/source/made").c_str());
  CHECK(paths_below(root) == before);
  CHECK(is_old(root + "/place"));
  CHECK(is_old(root + "/place/full"));
}

TEST_CASE("in place, a secret that got another name is empty afterwards, and one that replaced it "
          "is gone") {
  const TempDir home("/tmp");
  const auto secret = home.path() + "/secret";
  EmulatedMounts mounts({FileMount{"secret\n", at(secret.c_str())},
                         FileMount{"other\n", at((secret + "2").c_str())}});
  REQUIRE(::link(secret.c_str(), (home.path() + "/linked").c_str()) == 0);
  REQUIRE(::rename((secret + "2").c_str(), (home.path() + "/moved").c_str()) == 0);
  write_file(secret + "2", "new\n");
  mounts.remove();
  CHECK(paths_below(home.path()) == "linked moved");
  CHECK(read_file(current_directory(), home.path() + "/linked", 100) == "");
  CHECK(read_file(current_directory(), home.path() + "/moved", 100) == "");
}

TEST_CASE("in place, a mount that is not possible undoes those before it") {
  const TempDir home("/tmp");
  const auto& root = home.path();
  make_directories(root + "/place");
  const auto before = paths_below(root);
  const auto target = RootedPath::parse(root + "/place/new");
  CHECK_THROWS_AS(
      EmulatedMounts({BindMount{root + "/place", target}, BindMount{root + "/none", target}}),
      SysError);
  CHECK_THROWS_AS(EmulatedMounts({BindMount{root + "/place", RootedPath::parse("/proc")}}),
                  SysError);
  CHECK(paths_below(root) == before);
}

} // namespace cairn
