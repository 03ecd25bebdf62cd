#include "util/error.hpp"
#include "util/rooted_path.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cairn;

TEST_SUITE_BEGIN("util/rooted_path");

TEST_CASE("paths are cleaned as Go cleans them") {
  struct Row {
    const char* path;
    const char* clean;
  };
  for (const auto& row : {Row{"", "."}, Row{"a//b/./../c/", "a/c"}, Row{"/..", "/"},
                          Row{"../a", "../a"}, Row{"a/../..", ".."}, Row{"/a/", "/a"}}) {
    CAPTURE(row.path);
    CHECK(clean_path(row.path) == row.clean);
  }
  CHECK(join_path("/a", "../b") == "/b");
  CHECK(join_path("/a", "/c/") == "/c");
}

TEST_CASE("a rooted path never leaves its root") {
  CHECK(RootedPath::parse("../../etc").str() == "/etc");
  CHECK(RootedPath::parse("").is_root());
  CHECK_THROWS_AS(RootedPath::parse(std::string_view("a\0b", 3)), Error);
}

TEST_CASE("a path knows its place") {
  const auto path = RootedPath::parse("/a/b");
  CHECK(path.parent().str() == "/a");
  CHECK(path.name() == "b");
  CHECK(std::string(path.relative()) == "a/b");
  CHECK(std::string(RootedPath().relative()) == ".");
  CHECK(RootedPath::parse("/a").contains(path));
  CHECK_FALSE(RootedPath::parse("/a").contains(RootedPath::parse("/ab")));
  CHECK(RootedPath::parse("/a").inside(path) == "b");
  CHECK(RootedPath().inside(path) == "a/b");
}

TEST_CASE("a directory sorts right before what is in it") {
  std::vector<RootedPath> paths;
  for (const char* text : {"/a-b", "/a/b", "/a", "/a.c", "/"})
    paths.push_back(RootedPath::parse(text));
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> order;
  order.reserve(paths.size());
  for (const auto& path : paths)
    order.push_back(path.str());
  CHECK(order == std::vector<std::string>{"/", "/a", "/a/b", "/a-b", "/a.c"});
}

TEST_SUITE_END();
