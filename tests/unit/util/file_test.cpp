#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace cairn;

TEST_SUITE_BEGIN("util/file");

TEST_CASE("an atomic file appears when it is committed, and only then") {
  const TempDir directory("/tmp");
  const auto path = directory.path() + "/result";
  {
    AtomicFile file(path);
    file.write("half");
  }
  CHECK(list_directory(directory.fd()).empty());
  AtomicFile file(path);
  file.write("whole");
  file.commit();
  CHECK(read_file(directory.fd(), "result", 100) == "whole");
  CHECK(list_directory(directory.fd()) == std::vector<std::string>{"result"});
}

TEST_CASE("a temporary directory goes away with all that is in it") {
  std::string path;
  {
    const TempDir directory("/tmp");
    path = directory.path();
    make_directories(path + "/a/b/c");
    AtomicFile file(path + "/a/b/file");
    file.commit();
    REQUIRE(::symlink("/etc", (path + "/a/link").c_str()) == 0);
  }
  CHECK(::access(path.c_str(), F_OK) != 0);
  CHECK(::access("/etc", F_OK) == 0);
}

TEST_CASE("a tree that is deeper than a process may have files open is removed") {
  const TempDir directory("/tmp");
  auto at = open_at(directory.fd(), ".", O_PATH | O_DIRECTORY);
  REQUIRE(::mkdirat(at.get(), "top", 0755) == 0);
  at = open_at(at, "top", O_PATH | O_DIRECTORY);
  REQUIRE(::mkdirat(at.get(), ".deep-0", 0755) == 0);
  for (int i = 0; i < 3000; ++i) {
    REQUIRE(::mkdirat(at.get(), "d", 0755) == 0);
    at = open_at(at, "d", O_PATH | O_DIRECTORY);
  }
  remove_tree(directory.fd(), "top");
  CHECK(list_directory(directory.fd()).empty());
}

TEST_CASE("nothing opened in a root lies outside it") {
  const TempDir directory("/tmp");
  make_directories(directory.path() + "/etc");
  REQUIRE(::symlink("../../../../etc/passwd", (directory.path() + "/out").c_str()) == 0);
  REQUIRE(::symlink("/etc", (directory.path() + "/absolute").c_str()) == 0);
  CHECK_FALSE(open_in_root(directory.fd(), RootedPath::parse("/out"), O_RDONLY, FinalLink::follow));
  CHECK_FALSE(open_in_root(directory.fd(), RootedPath::parse("/absolute/passwd"), O_RDONLY));
  CHECK(open_in_root(directory.fd(), RootedPath::parse("/absolute"), O_RDONLY | O_DIRECTORY,
                     FinalLink::follow));
}

TEST_CASE("a file larger than the limit is not read") {
  const TempDir directory("/tmp");
  AtomicFile file(directory.path() + "/big");
  file.write(std::string(1000, 'x'));
  file.commit();
  CHECK_THROWS_AS(read_file(directory.fd(), "big", 999), Error);
}

TEST_SUITE_END();
