#include "util/error.hpp"
#include "util/file.hpp"
#include "util/locked_dir.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace cairn;

namespace {

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

/// The directory of a program that was killed, with a file in it.
std::string abandon(const std::string& parent) {
  const auto child = ::fork();
  if (child == 0) {
    const LockedDir directory(parent, "build-");
    make_directories(directory.path() + "/work");
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return parent;
}

} // namespace

TEST_CASE("a locked directory is there as long as it is used, and stays when others clean up") {
  const TempDir parent("/tmp");
  std::optional<LockedDir> used;
  used.emplace(parent.path(), "build-");
  const auto path = used->path();
  make_directories(path + "/work");
  remove_abandoned(parent.path(), "build-");
  CHECK(exists(path + "/work"));
  used.reset();
  CHECK_FALSE(exists(path));
}

TEST_CASE("what killed programs left is removed, and nothing else") {
  const TempDir parent("/tmp");
  abandon(parent.path());
  abandon(parent.path());
  make_directories(parent.path() + "/build-mine");
  make_directories(parent.path() + "/other-1");
  CHECK(list_directory(parent.fd()).size() == 4);
  remove_abandoned(parent.path(), "build-");
  CHECK(list_directory(parent.fd()) == std::vector<std::string>{"build-mine", "other-1"});
  remove_abandoned(parent.path() + "/not-there", "build-");
}

TEST_CASE("half a directory that was being removed is removed") {
  const TempDir parent("/tmp");
  abandon(parent.path());
  const auto name = list_directory(parent.fd()).at(0);
  remove_tree(open_at(parent.fd(), name, O_RDONLY | O_DIRECTORY), "work");
  remove_abandoned(parent.path(), "build-");
  CHECK(list_directory(parent.fd()).empty());
}

TEST_CASE("programs that begin while others clean up keep their directories") {
  const TempDir parent("/tmp");
  std::atomic<int> lost = 0;
  {
    std::vector<std::jthread> threads;
    threads.reserve(3);
    for (int i = 0; i < 3; ++i)
      threads.emplace_back([&](const std::stop_token& ending) {
        while (!ending.stop_requested())
          remove_abandoned(parent.path(), "build-");
      });
    for (int i = 0; i < 300; ++i) {
      const LockedDir directory(parent.path(), "build-");
      make_directories(directory.path() + "/work");
      if (!exists(directory.path() + "/work"))
        ++lost;
    }
  }
  CHECK(lost == 0);
}
