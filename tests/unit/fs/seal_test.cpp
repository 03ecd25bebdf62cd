#include "fs/tree/seal.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <functional>
#include <string>

using namespace cairn;

namespace {

/// A directory with something of everything.
struct Sealed {
  TempDir directory{"/tmp"};

  Sealed() {
    make_directories(path("a/b"));
    write("a/file", "content");
    write("a/b/other", "other");
    REQUIRE(::symlink("file", path("a/link").c_str()) == 0);
    REQUIRE(::mkfifo(path("pipe").c_str(), 0600) == 0);
  }

  std::string path(const std::string& name) const { return directory.path() + "/" + name; }
  void write(const std::string& name, std::string_view text) const {
    const auto file = open_at(directory.fd(), name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write_all(file, std::as_bytes(std::span(text)));
  }
  std::string seal() const { return seal_of(directory.fd()); }
};

/// Times of files have the granularity of the clock's ticks.
void wait_a_tick() {
  ::usleep(20'000);
}

} // namespace

TEST_CASE("a seal is the same as long as nothing is changed") {
  const Sealed sealed;
  const auto before = sealed.seal();
  CHECK(before.size() == 64);
  CHECK(sealed.seal() == before);
}

TEST_CASE("to read, to list and to seal a directory breaks no seal, nor does another name") {
  const Sealed sealed;
  const auto before = sealed.seal();
  CHECK(read_file(sealed.directory.fd(), "a/file", 100) == "content");
  list_directory(sealed.directory.fd());
  const timespec times[] = {{1, 0}, {0, UTIME_OMIT}};
  REQUIRE(::utimensat(AT_FDCWD, sealed.directory.path().c_str(), times, 0) == 0);
  const auto moved = sealed.directory.path() + ".moved";
  REQUIRE(::rename(sealed.directory.path().c_str(), moved.c_str()) == 0);
  CHECK(seal_of(open_at(current_directory(), moved, O_RDONLY | O_DIRECTORY)) == before);
  REQUIRE(::rename(moved.c_str(), sealed.directory.path().c_str()) == 0);
}

TEST_CASE("every change breaks a seal, and also one that is taken back") {
  struct Row {
    const char* what;
    std::function<void(const Sealed&)> change;
  };
  for (const auto& row : {
           Row{"content", [](const Sealed& s) { s.write("a/file", "CONTENT"); }},
           Row{"size",
               [](const Sealed& s) { REQUIRE(::truncate(s.path("a/file").c_str(), 0) == 0); }},
           Row{"mode",
               [](const Sealed& s) { REQUIRE(::chmod(s.path("a/file").c_str(), 0600) == 0); }},
           Row{"mode and back",
               [](const Sealed& s) {
                 REQUIRE(::chmod(s.path("a/file").c_str(), 0600) == 0);
                 REQUIRE(::chmod(s.path("a/file").c_str(), 0644) == 0);
               }},
           Row{"mode of the directory itself",
               [](const Sealed& s) { REQUIRE(::chmod(s.directory.path().c_str(), 0711) == 0); }},
           Row{"attribute",
               [](const Sealed& s) {
                 if (::setxattr(s.path("a/file").c_str(), "user.x", "1", 1, 0) != 0)
                   s.write("a/file", "x");
               }},
           Row{"a file more", [](const Sealed& s) { s.write("a/b/more", ""); }},
           Row{"a file less",
               [](const Sealed& s) { REQUIRE(::unlink(s.path("a/b/other").c_str()) == 0); }},
           Row{"another name",
               [](const Sealed& s) {
                 REQUIRE(::rename(s.path("a/file").c_str(), s.path("a/fild").c_str()) == 0);
               }},
           Row{"a second name",
               [](const Sealed& s) {
                 REQUIRE(::link(s.path("a/file").c_str(), s.path("a/l").c_str()) == 0);
               }},
           Row{"a link",
               [](const Sealed& s) {
                 REQUIRE(::unlink(s.path("a/link").c_str()) == 0);
                 REQUIRE(::symlink("fill", s.path("a/link").c_str()) == 0);
               }},
           Row{"a directory less", [](const Sealed& s) { remove_tree(s.directory.fd(), "a"); }},
       }) {
    CAPTURE(row.what);
    const Sealed sealed;
    const auto before = sealed.seal();
    wait_a_tick();
    row.change(sealed);
    CHECK(sealed.seal() != before);
  }
}

TEST_CASE("a seal is read as it was written; another form, half of one or none is no seal") {
  const Sealed sealed;
  const auto root = sealed.directory.fd();
  CHECK_FALSE(read_seal(root));
  if (::fsetxattr(root.get(), "user.x", "1", 1, 0) != 0) {
    MESSAGE("skip: no extended attributes here");
    return;
  }
  write_seal(root, sealed.seal());
  CHECK(read_seal(root) == sealed.seal());
  for (const std::string_view text : {"", "1", "2 abc", "\0\0"}) {
    REQUIRE(::fsetxattr(root.get(), "user.cairn.seal", text.data(), text.size(), 0) == 0);
    CHECK_FALSE(read_seal(root));
  }
}
