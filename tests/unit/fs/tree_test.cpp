#include "archives.hpp"
#include "errors.hpp"
#include "fs/tree/tree.hpp"
#include "layer_rows.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/tree");

namespace {

Tree tree_of(const Layers& layers) {
  Tree tree;
  for (const auto& layer : layers)
    tree.apply(index_of(layer));
  return tree;
}

} // namespace

TEST_CASE("layers are added up") {
  for (const auto& row : layer_rows()) {
    CAPTURE(row.why);
    CHECK(describe(tree_of(row.layers), row.layers) == row.result);
  }
}

TEST_CASE("entries that make no sense are errors") {
  struct BadRow {
    std::vector<Member> layer;
    std::string message;
  };
  const BadRow bad[] = {
      {{hard_link("g", "f")}, "entry '/g' is a hard link to '/f', which does not exist"},
      {{hard_link("f", "f")}, "entry '/f' is a hard link to '/f', which does not exist"},
      {{directory("d"), hard_link("g", "d")}, "entry '/g' is a hard link to the directory '/d'"},
      {{whiteout("a/.wh.")}, "whiteout '/a/.wh.' names no file"},
      {{whiteout("a/.wh..")}, "whiteout '/a/.wh..' names no file"},
      {{whiteout("a/.wh...")}, "whiteout '/a/.wh...' names no file"},
      {{file("a/.wh.b/c", "")}, "entry '/a/.wh.b/c' lies below a whiteout"},
      {{file("/", "")}, "entry '/' is no directory"},
      {{symbolic_link("a", "b"), symbolic_link("b", "a"), file("a/f", "")},
       "'/a': too many levels of symbolic links"},
  };
  for (const auto& row : bad) {
    CAPTURE(row.message);
    CHECK(error_of([&] { tree_of({row.layer}); }) == row.message);
  }
}

TEST_CASE("names that lead deeper and deeper through links end somewhere") {
  std::vector<Member> layer;
  std::string deep = "d";
  for (int i = 0; i < 1000; ++i)
    deep += "/d";
  layer.push_back(directory(deep));
  layer.push_back(symbolic_link("s", deep));
  layer.push_back(directory("s/" + deep));
  layer.push_back(symbolic_link("t", deep + "/" + deep));
  layer.push_back(directory("t/" + deep));
  CHECK(error_of([&] { tree_of({layer}); }).find("is too long") != std::string::npos);
}

TEST_CASE("the root has metadata of its own, once a layer says so") {
  Tree tree;
  CHECK(tree.find(RootedPath())->implied());
  tree.apply(index_of({directory("/", 0711)}));
  CHECK(tree.find(RootedPath())->meta().mode == 0711);
  CHECK_FALSE(tree.find(RootedPath())->implied());
}

TEST_CASE("implied directories say so until an entry comes") {
  auto tree = tree_of({{file("a/f", "")}});
  CHECK(tree.find(RootedPath::parse("a"))->implied());
  tree.apply(index_of({directory("a")}));
  CHECK_FALSE(tree.find(RootedPath::parse("a"))->implied());
}

TEST_CASE("names are looked up with links followed, or not") {
  const auto tree = tree_of(
      {{file("usr/lib/f", "x"), symbolic_link("lib", "usr/lib"), symbolic_link("usr/l", "/lib/f"),
        symbolic_link("loop", "loop"), symbolic_link("out", "../../etc")}});
  struct LookupRow {
    std::string path;
    Tree::Last last;
    std::string resolved;
  };
  const LookupRow lookups[] = {
      {"/lib/f", Tree::Last::follow, "/usr/lib/f"},
      {"/lib", Tree::Last::keep, "/lib"},
      {"/lib", Tree::Last::follow, "/usr/lib"},
      {"/usr/l", Tree::Last::follow, "/usr/lib/f"},
      {"/usr/l", Tree::Last::keep, "/usr/l"},
      {"/out/x", Tree::Last::follow, "/etc/x"},
      {"/none/of/this", Tree::Last::follow, "/none/of/this"},
      {"/usr/lib/f/x", Tree::Last::follow, "/usr/lib/f/x"},
      {"/", Tree::Last::follow, "/"},
  };
  for (const auto& row : lookups) {
    CAPTURE(row.path);
    CHECK(tree.resolve(RootedPath::parse(row.path), row.last).str() == row.resolved);
  }
  CHECK_FALSE(tree.find(RootedPath::parse("lib/f")));
  CHECK(tree.lookup(RootedPath::parse("lib/f"), Tree::Last::keep));
  CHECK_THROWS_AS(tree.resolve(RootedPath::parse("loop"), Tree::Last::follow), Error);
}

TEST_CASE("content is found by layer and entry") {
  const auto tree = tree_of(
      {{file("a", "1"), file("b", "1")}, {directory("d"), file("b", "2")}, {hard_link("c", "b")}});
  CHECK(tree.layer_count() == 3);
  CHECK(tree.find(RootedPath::parse("a"))->content() == ContentRef{0, 0});
  CHECK(tree.find(RootedPath::parse("b"))->content() == ContentRef{1, 1});
  CHECK(tree.find(RootedPath::parse("c"))->content() == ContentRef{1, 1});
  CHECK(tree.find(RootedPath::parse("c"))->layer() == 2);
}

TEST_CASE("a copy is a tree of its own") {
  const auto one = tree_of({{file("a/f", "1")}});
  auto two = one;
  two.apply(index_of({whiteout(".wh.a")}));
  CHECK(one.find(RootedPath::parse("a/f")));
  CHECK_FALSE(two.find(RootedPath::parse("a")));
}

TEST_CASE("a walk goes in the order of paths") {
  const auto tree = tree_of({{file("a-b", ""), file("a/b", ""), file("a.b", ""), file("b", "")}});
  std::vector<RootedPath> paths;
  tree.walk([&](const RootedPath& path, const Tree::Node&) { paths.push_back(path); });
  CHECK(paths.size() == 6);
  CHECK(std::is_sorted(paths.begin(), paths.end()));
}

TEST_CASE("directories without an entry are counted, names of a few kilobytes ask for thousands") {
  std::string deep;
  for (int i = 0; i < 2000; ++i)
    deep += "d/";
  std::vector<Member> layer;
  layer.reserve(100);
  for (int i = 0; i < 100; ++i)
    layer.push_back(file(std::to_string(i) + "/" + deep + "f", ""));
  Tree tree;
  CHECK(error_of([&] {
          tree.apply(index_of(layer));
        }).starts_with("its entries lie in more than 100"));
  layer.resize(40);
  Tree fits;
  fits.apply(index_of(layer));
  CHECK(fits.find(RootedPath::parse("39/" + deep + "f")));
}

TEST_CASE("links that lead through thousands of names are refused, and quickly") {
  std::string deep;
  for (int i = 0; i < 1900; ++i)
    deep += "d/";
  std::vector<Member> layer = {file(deep + "f", "")};
  for (int i = 0; i < 200; ++i)
    layer.push_back(symbolic_link(deep + std::to_string(i), "/" + deep + std::to_string(i + 1)));
  layer.push_back(file(deep + "0/x", ""));
  Tree tree;
  CHECK(error_of([&] {
          tree.apply(index_of(layer));
        }).ends_with("leads through more than 8192 names when its symbolic links are followed"));
}
