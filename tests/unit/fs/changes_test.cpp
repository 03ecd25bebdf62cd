#include "edits.hpp"
#include "errors.hpp"
#include "fs/archive/tar.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/changes");

namespace {

std::vector<Member> base() {
  return {directory("bin"),
          file("bin/sh", "shell", 0755),
          directory("d", 0700),
          file("d/f", "f"),
          directory("d/sub"),
          file("d/sub/x", "x"),
          file("d/sub/y", "y"),
          file("empty", ""),
          directory("etc"),
          file("etc/passwd", "root"),
          hard_link("etc/twin", "etc/passwd"),
          symbolic_link("lib", "usr/lib"),
          directory("tmp", 01777),
          directory("usr"),
          directory("usr/lib"),
          file("usr/lib/so", "library")};
}

/// The names alone, which is what most rows are about.
std::string names(const ChangeSet& changes) {
  std::string out;
  for (const auto& entry : changes.entries) {
    out += out.empty() ? "" : " ";
    out += entry.path.relative();
    if (entry.hard_link)
      out += std::string("=") + entry.hard_link->relative();
  }
  return out;
}

bool not_root() {
  if (!is_root())
    MESSAGE("skipped: owners can only be set by root");
  return !is_root();
}

} // namespace

TEST_CASE("what a command changed is found, in an overlay as in a directory") {
  if (not_root())
    return;
  struct Row {
    std::string script;
    std::string changed;
    std::string why;
  };
  const Row rows[] = {
      {"true", "", "nothing"},
      {"echo x > new", "new", "a new file"},
      {"mkdir -p a/b; echo x > a/b/c", "a a/b a/b/c", "with new directories"},
      {"echo more >> etc/passwd; rm etc/twin; echo root > etc/twin", "etc etc/passwd etc/twin",
       "changed files bring their directory"},
      {"rm d/f", "d d/.wh.f", "a file that is gone"},
      {"rm -r d", ".wh.d", "a directory that is gone"},
      {"rm -r d; mkdir -m 700 d", "d d/.wh.f d/.wh.sub", "and made again, empty"},
      {"rm -r d; mkdir -m 711 d; echo x > d/new", "d d/.wh.f d/.wh.sub d/new",
       "and made again with something else"},
      {"rm -r d; mkdir -m 700 d d/sub; echo z > d/sub/z",
       "d d/.wh.f d/sub d/sub/.wh.x d/sub/.wh.y d/sub/z", "and so is one in it"},
      {"rm -r d; echo x > d", "d", "a file in the place of a directory"},
      {"rm -r d; ln -s bin d", "d", "a link in the place of a directory"},
      {"rm bin/sh; mkdir bin/sh; echo x > bin/sh/f", "bin bin/sh bin/sh/f",
       "a directory in the place of a file"},
      {"rm lib; mkdir lib; echo x > lib/f", "lib lib/f", "a directory in the place of a link"},
      {"chmod 4755 bin/sh", "bin bin/sh", "a mode"},
      {"chown 5:6 bin/sh", "bin bin/sh", "an owner"},
      {"chown -h 5 lib", "lib", "the owner of a link"},
      {"ln -sfn elsewhere lib", "lib", "the target of a link"},
      {"chmod 711 d", "d", "a directory's own mode"},
      {"chmod 711 d; chmod 700 d; chmod 600 d/f; chmod 644 d/f", "", "there and back again"},
      {"touch d; echo x > tmp/t; rm tmp/t", "", "the time of a directory is not a change"},
      {"touch -d 2001-01-01T00:00:00Z bin/sh", "bin bin/sh", "that of a file is"},
      {"touch -r bin/sh keep; printf other > bin/sh; touch -r keep bin/sh; rm keep", "bin bin/sh",
       "content of the same size at the same time"},
      {"touch -r bin/sh keep; printf shell > bin/sh; touch -r keep bin/sh; rm keep", "",
       "the same content again"},
      {"cp -a bin/sh tmp/sh; rm bin/sh; mv tmp/sh bin/sh", "",
       "a file that was replaced by its like"},
      {"ln bin/sh bin/ash", "bin bin/ash bin/sh=bin/ash",
       "a new name of a file brings the old one"},
      {"ln bin/sh bin/ash; ln bin/sh bin/zsh", "bin bin/ash bin/sh=bin/ash bin/zsh=bin/ash",
       "two of them"},
      {"ln usr/lib/so d/so", "d d/so usr usr/lib usr/lib/so=d/so", "in another directory"},
      {"ln bin/sh bin/ash; rm bin/ash", "", "a new name that is gone again"},
      {"ln etc/twin tmp/t", "tmp tmp/t", "a new name of a file that had two"},
      {"echo x > c; ln c a; ln c b; mkdir z; ln c z/c", "a b=a c=a z z/c=a", "names of a new file"},
      {"rm etc/twin", "etc etc/.wh.twin", "one name of two that is gone"},
      {"mv bin sbin", ".wh.bin sbin sbin/sh", "a directory that was renamed"},
      {"mv bin/sh bin/ash", "bin bin/.wh.sh bin/ash", "a file that was renamed"},
      {"mv bin tmp/b; mv usr bin; mv tmp/b usr",
       "bin bin/.wh.sh bin/lib bin/lib/so usr usr/.wh.lib usr/sh",
       "two directories that changed places"},
      {"mkfifo tmp/pipe; mknod tmp/null c 1 3", "tmp tmp/null tmp/pipe", "fifos and devices"},
      {"rm empty; touch empty", "empty", "a new empty file has another time"},
      {"rm -rf ./*", ".wh.bin .wh.d .wh.empty .wh.etc .wh.lib .wh.tmp .wh.usr",
       "everything is gone"},
      {"chmod 700 .", "", "the root itself is never listed"},
      {"mkdir a-b a; echo x > a/z; echo x > a-b/z; echo x > a.b", "a a/z a-b a-b/z a.b",
       "in the order of paths"},
      {"echo x > \"$(printf 'caf\\351')\"", "caf\xe9", "a name that is no UTF-8"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    CAPTURE(row.script);
    const auto in_directory = edit_directory(base(), shell(row.script));
    CHECK(names(in_directory.changes) == row.changed);
    const auto in_overlay = edit_overlay(base(), shell(row.script));
    if (in_overlay)
      CHECK(describe(in_overlay->changes) == describe(in_directory.changes));

    Tree tree;
    tree.apply(index_of(base()));
    tree.apply(index_of(in_directory.members));
    CHECK(describe(tree, {base(), in_directory.members}, HardLinks::as_copies) ==
          in_directory.root);
  }
}

TEST_CASE("attributes are part of a change") {
  if (not_root())
    return;
  const auto edit = [](const std::string& root) {
    const auto set = [&](const char* path, const char* name, const char* value) {
      const auto fd = open_at(current_directory(), root + "/" + path, O_RDONLY);
      REQUIRE(::fsetxattr(fd.get(), name, value, std::strlen(value), 0) == 0);
    };
    set("bin/sh", "user.note", "n");
    set("d", "user.dir", "d");
  };
  const auto in_directory = edit_directory(base(), edit);
  CHECK(describe(in_directory.changes) ==
        "bin 1 755 0:0\n"
        "bin/sh 0 755 0:0 5 bytes [user.note=n] 2023-11-14T22:13:20Z\n"
        "d 1 700 0:0 [user.dir=d]\n");
  if (const auto in_overlay = edit_overlay(base(), edit))
    CHECK(describe(in_overlay->changes) == describe(in_directory.changes));
}

TEST_CASE("ignored paths are in no layer, nor is what is below them") {
  if (not_root())
    return;
  const PathFilter ignored = [](const RootedPath& path) {
    return path.str() == "/d" || path.str() == "/proc" || path.str() == "/usr/lib/so";
  };
  const auto edit = shell("rm -r d/sub; echo x > d/f; mkdir proc; echo x > proc/1; echo x > new\n"
                          "echo changed > usr/lib/so; rm bin/sh");
  const auto in_directory = edit_directory(base(), edit, ignored);
  CHECK(names(in_directory.changes) == "bin bin/.wh.sh new");
  if (const auto in_overlay = edit_overlay(base(), edit, ignored))
    CHECK(describe(in_overlay->changes) == describe(in_directory.changes));
}

TEST_CASE("sockets are as if they did not exist") {
  if (not_root())
    return;
  const auto edit = shell("rm bin/sh; command -v python3 >/dev/null || exit 0\n"
                          "python3 -c 'import socket; s=socket.socket(socket.AF_UNIX); "
                          "s.bind(\"bin/sh\"); socket.socket(socket.AF_UNIX).bind(\"new\")'");
  const auto in_directory = edit_directory(base(), edit);
  CHECK(names(in_directory.changes) == "bin bin/.wh.sh");
  if (const auto in_overlay = edit_overlay(base(), edit))
    CHECK(describe(in_overlay->changes) == describe(in_directory.changes));
}

TEST_CASE("paths longer than the system takes at once are found and read") {
  if (not_root())
    return;
  const auto edit = [](const std::string& root) {
    auto at = open_at(current_directory(), root, O_RDONLY);
    const std::string name(200, 'n');
    for (int i = 0; i < 100; ++i) {
      REQUIRE(::mkdirat(at.get(), name.c_str(), 0755) == 0);
      at = open_at(at, name, O_RDONLY);
    }
    const auto file = open_at(at, "file", O_WRONLY | O_CREAT, 0644);
    write_all(file, std::as_bytes(std::span("deep", 4)));
  };
  const auto in_directory = edit_directory({}, edit);
  REQUIRE(in_directory.changes.entries.size() == 101);
  CHECK(in_directory.members.back().content == "deep");
  CHECK(in_directory.changes.entries.back().path.str().size() > 20'000);
  if (const auto in_overlay = edit_overlay({}, edit))
    CHECK(describe(in_overlay->changes) == describe(in_directory.changes));
}

TEST_CASE("a change right after the snapshot is seen, though the clock has not moved on") {
  const TempDir root("/tmp");
  for (int i = 0; i < 20; ++i) {
    const auto write = [&](const char* text) {
      const auto file = open_at(root.fd(), "f", O_WRONLY | O_CREAT, 0644);
      write_all(file, std::as_bytes(std::span(text, 1)));
    };
    write("a");
    const auto before = Snapshot::take(root.fd(), {});
    write("b");
    const auto after = Snapshot::take(root.fd(), {});
    CHECK(changes_since(before, after, root.fd(), Tree(), {}, {}).entries.size() == 1);
  }
}

TEST_CASE("a snapshot is the same with any number of threads") {
  const TempDir root("/tmp");
  for (int i = 0; i < 300; ++i) {
    const auto directory = fmt::format("{}/{}/{}/{}", root.path(), i % 3, i % 10, i % 7);
    make_directories(directory);
    AtomicFile(directory + "/" + std::to_string(i)).commit();
  }
  const PathFilter ignored = [](const RootedPath& path) { return path.name() == "5"; };
  const auto list = [&](std::size_t threads) {
    const auto taken = Snapshot::take(root.fd(), ignored, threads);
    return describe(changes_since(Snapshot(), taken, root.fd(), Tree(), {}, {}));
  };
  const auto alone = list(1);
  CHECK(alone.find("/298 ") != std::string::npos);
  CHECK(alone.find("5/") == std::string::npos);
  for (const std::size_t threads : {2U, 3U, 8U})
    CHECK(list(threads) == alone);
  const auto one = Snapshot::take(root.fd(), ignored, 1);
  const auto other = Snapshot::take(root.fd(), ignored, 4);
  CHECK_FALSE(Snapshot::first_difference(one, other, [](const RootedPath&) { return true; }));
}

TEST_CASE("what is thrown in one of the threads of a snapshot comes out") {
  const TempDir root("/tmp");
  for (int i = 0; i < 20; ++i)
    make_directories(fmt::format("{}/{}/d", root.path(), i));
  const PathFilter refuses = [](const RootedPath& path) -> bool {
    if (path.str() == "/7/d")
      throw Error("no");
    return false;
  };
  CHECK_THROWS_AS(Snapshot::take(root.fd(), refuses, 3), Error);
}

TEST_CASE("a file that has vanished since is left out") {
  const TempDir root("/tmp");
  const auto before = Snapshot::take(root.fd(), {});
  AtomicFile(root.path() + "/f").commit();
  const auto after = Snapshot::take(root.fd(), {});
  ::unlinkat(root.fd().get(), "f", 0);
  CHECK(changes_since(before, after, root.fd(), Tree(), {}, {}).empty());
}
