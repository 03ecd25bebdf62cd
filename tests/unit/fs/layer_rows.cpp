#include "layer_rows.hpp"

namespace cairn::test {

namespace {

std::vector<LayerRow> merges() {
  return {
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
  };
}

std::vector<LayerRow> links() {
  return {
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
  };
}

std::vector<LayerRow> oddities() {
  return {
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
}

} // namespace

std::vector<LayerRow> layer_rows() {
  std::vector<LayerRow> all;
  for (const auto& part : {merges(), links(), oddities()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

} // namespace cairn::test
