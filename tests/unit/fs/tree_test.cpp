#include "archives.hpp"
#include "fs/tree.hpp"
#include "tables.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>

#include <algorithm>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/tree");

namespace {

using Layers = std::vector<std::vector<Member>>;

Tree tree_of(const Layers& layers) {
  Tree tree;
  for (const auto& layer : layers)
    tree.apply(index_of(layer));
  return tree;
}

struct Row {
  Layers layers;
  std::string result;
  std::string why;
};

/// What layers do to each other; the Unpacker is held to the same rows.
const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {{{directory("a"), file("a/f", "1")}, {file("a/f", "2", 0600)}},
       "d 755 0:0 a\nf 600 0:0 a/f '2'\n",
       "a later file replaces an earlier one"},
      {{{directory("a", 0700), file("a/f", "1")}, {directory("a", 0711)}},
       "d 711 0:0 a\nf 644 0:0 a/f '1'\n",
       "a directory is merged, its metadata is the later one's"},
      {{{directory("a"), file("a/f", "1")}, {file("a", "2")}},
       "f 644 0:0 a '2'\n",
       "a file replaces a directory with all in it"},
      {{{file("a", "1")}, {directory("a"), file("a/f", "2")}},
       "d 755 0:0 a\nf 644 0:0 a/f '2'\n",
       "a directory replaces a file"},
      {{{file("a", "1")}, {file("a/f", "2")}},
       "d 755 0:0 a\nf 644 0:0 a/f '2'\n",
       "even when it has no entry of its own"},
      {{{file("x/y/f", "1")}},
       "d 755 0:0 x\nd 755 0:0 x/y\nf 644 0:0 x/y/f '1'\n",
       "missing parents are made"},
      {{{directory("a"), file("a/f", "1"), file("a/g", "1")}, {whiteout("a/.wh.f")}},
       "d 755 0:0 a\nf 644 0:0 a/g '1'\n",
       "a whiteout removes a file"},
      {{{file("a/b/c", "1"), file("d", "1")}, {whiteout(".wh.a"), whiteout(".wh.none")}},
       "f 644 0:0 d '1'\n",
       "a whiteout removes a directory; one of nothing does nothing"},
      {{{file("a/f", "1")}, {file("a/f", "2"), whiteout("a/.wh.f")}},
       "d 755 0:0 a\nf 644 0:0 a/f '2'\n",
       "a whiteout does not touch its own layer, though it comes later"},
      {{{file("a/f", "1")}, {whiteout("a/.wh.f"), file("a/f", "2")}},
       "d 755 0:0 a\nf 644 0:0 a/f '2'\n",
       "nor when it comes first"},
      {{{directory("a", 0700), file("a/f", "1")}, {file("a/g", "2"), whiteout(".wh.a")}},
       "d 755 0:0 a\nf 644 0:0 a/g '2'\n",
       "what this layer has in a directory stays, the directory being another"},
      {{{directory("a", 0700), file("a/f", "1")}, {whiteout(".wh.a"), file("a/g", "2")}},
       "d 755 0:0 a\nf 644 0:0 a/g '2'\n",
       "in either order"},
      {{{directory("a", 0700), file("a/f", "1"), file("a/d/h", "1")},
        {file("a/g", "2"), whiteout("a/.wh..wh..opq"), file("a/h", "2")}},
       "d 700 0:0 a\nf 644 0:0 a/g '2'\nf 644 0:0 a/h '2'\n",
       "an opaque whiteout hides all of the lower layers, wherever it stands"},
      {{{file("a/f", "1")}, {directory("a", 0711), whiteout("a/.wh..wh..opq")}},
       "d 711 0:0 a\n",
       "an opaque directory may stay empty"},
      {{{file("f", "1"), hard_link("g", "f")}},
       "f 644 0:0 f '1'\nf 644 0:0 g (=f)\n",
       "hard links are names of one file"},
      {{{file("f", "1", 0600)}, {hard_link("g", "f"), file("f", "2")}},
       "f 644 0:0 f '2'\nf 600 0:0 g '1'\n",
       "replacing one name leaves the others"},
      {{{symbolic_link("s", "nowhere"), hard_link("t", "s")}},
       "l 0:0 s -> nowhere\nl 0:0 t -> nowhere\n",
       "a hard link to a symbolic link"},
      {{{directory("usr/lib"), symbolic_link("lib", "usr/lib")}, {file("lib/f", "2")}},
       "l 0:0 lib -> usr/lib\nd 755 0:0 usr\nd 755 0:0 usr/lib\nf 644 0:0 usr/lib/f '2'\n",
       "a symbolic link in the middle of a name is followed"},
      {{{symbolic_link("a/s", "../../../b")}, {file("a/s/f", "2")}},
       "d 755 0:0 a\nl 0:0 a/s -> ../../../b\nd 755 0:0 b\nf 644 0:0 b/f '2'\n",
       "\"..\" stops at the root"},
      {{{symbolic_link("s", "/b/c")}, {file("s/f", "2")}},
       "d 755 0:0 b\nd 755 0:0 b/c\nf 644 0:0 b/c/f '2'\nl 0:0 s -> /b/c\n",
       "an absolute link starts at the root, and may lead to what is not there yet"},
      {{{directory("d"), symbolic_link("s", "d"), symbolic_link("t", "s")}, {file("t/f", "2")}},
       "d 755 0:0 d\nf 644 0:0 d/f '2'\nl 0:0 s -> d\nl 0:0 t -> s\n",
       "links may lead to links"},
      {{{directory("d"), symbolic_link("s", "d")}, {directory("s", 0700)}},
       "d 755 0:0 d\nd 700 0:0 s\n",
       "a link that is the entry itself is replaced"},
      {{{file("d/f", "1"), symbolic_link("s", "d")}, {whiteout("s/.wh.f")}},
       "d 755 0:0 d\nl 0:0 s -> d\n",
       "a whiteout's directory may be a link"},
      {{{file("d/f", "1"), symbolic_link("s", "d")}, {hard_link("g", "s/f")}},
       "d 755 0:0 d\nf 644 0:0 d/f '1'\nf 644 0:0 g (=d/f)\nl 0:0 s -> d\n",
       "and that of a hard link's target"},
      {{{file("a/f", "1"), symbolic_link("s", "a")}, {directory("s"), whiteout("s/.wh.f")}},
       "d 755 0:0 a\nf 644 0:0 a/f '1'\nd 755 0:0 s\n",
       "a link that this layer replaced is not followed"},
      {{{file(".wh..wh.plnk/1.2", "x"), file(".wh..wh.aufs", "x"), file("f", "1")}},
       "f 644 0:0 f '1'\n",
       "what AUFS left behind is passed over"},
      {{{file("f", "1"), file("f", "2"), directory("f"), file("f", "3")}},
       "f 644 0:0 f '3'\n",
       "within a layer the last entry counts"},
      {{{file("a/b/f", "1")}, {file("a/b", "2"), directory("a/b")}},
       "d 755 0:0 a\nd 755 0:0 a/b\n",
       "what had replaced a directory is replaced by an empty one"},
  };
  return all;
}

} // namespace

TEST_CASE("layers are added up") {
  for (const auto& row : rows()) {
    CAPTURE(row.why);
    CHECK(describe(tree_of(row.layers), row.layers) == row.result);
  }
}

TEST_CASE("unpacking one layer over another gives what the tree says") {
  if (!is_root()) {
    MESSAGE("skipped: owners can only be set by root");
    return;
  }
  for (const auto& row : rows()) {
    CAPTURE(row.why);
    const TempDir root("/tmp");
    for (const auto& layer : row.layers)
      unpack(root.fd(), tar_of(layer));
    auto result = row.result;
    CHECK(describe(root.fd()) == result);
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
  CHECK(tree.find(RootedPath())->implied);
  tree.apply(index_of({directory("/", 0711)}));
  CHECK(tree.find(RootedPath())->meta.mode == 0711);
  CHECK_FALSE(tree.find(RootedPath())->implied);
}

TEST_CASE("implied directories say so until an entry comes") {
  auto tree = tree_of({{file("a/f", "")}});
  CHECK(tree.find(RootedPath::parse("a"))->implied);
  tree.apply(index_of({directory("a")}));
  CHECK_FALSE(tree.find(RootedPath::parse("a"))->implied);
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
  CHECK(tree.find(RootedPath::parse("lib/f")) == nullptr);
  CHECK(tree.lookup(RootedPath::parse("lib/f"), Tree::Last::keep) != nullptr);
  CHECK_THROWS_AS(tree.resolve(RootedPath::parse("loop"), Tree::Last::follow), Error);
}

TEST_CASE("content is found by layer and entry") {
  const auto tree = tree_of(
      {{file("a", "1"), file("b", "1")}, {directory("d"), file("b", "2")}, {hard_link("c", "b")}});
  CHECK(tree.layer_count() == 3);
  CHECK(tree.find(RootedPath::parse("a"))->content == ContentRef{0, 0});
  CHECK(tree.find(RootedPath::parse("b"))->content == ContentRef{1, 1});
  CHECK(tree.find(RootedPath::parse("c"))->content == ContentRef{1, 1});
  CHECK(tree.find(RootedPath::parse("c"))->layer == 2);
}

TEST_CASE("a copy is a tree of its own") {
  const auto one = tree_of({{file("a/f", "1")}});
  auto two = one;
  two.apply(index_of({whiteout(".wh.a")}));
  CHECK(one.find(RootedPath::parse("a/f")) != nullptr);
  CHECK(two.find(RootedPath::parse("a")) == nullptr);
}

TEST_CASE("a walk goes in the order of paths") {
  const auto tree = tree_of({{file("a-b", ""), file("a/b", ""), file("a.b", ""), file("b", "")}});
  std::vector<RootedPath> paths;
  tree.walk([&](const RootedPath& path, const Tree::Node&) { paths.push_back(path); });
  CHECK(paths.size() == 6);
  CHECK(std::is_sorted(paths.begin(), paths.end()));
}
