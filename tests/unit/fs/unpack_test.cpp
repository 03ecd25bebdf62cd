#include "archives.hpp"
#include "errors.hpp"
#include "fs/archive/whiteout.hpp"
#include "fs/tree/unpack.hpp"
#include "layer_rows.hpp"
#include "overlay_mount.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("fs/unpack");

namespace {

bool cannot_chown() {
  if (!is_root())
    MESSAGE("skipped: owners can only be set by root");
  return !is_root();
}

/// A directory to unpack into, with a neighbour that must not change.
class Place {
public:
  Place() {
    make_directories(root_path());
    make_directories(outside_path());
    write(outside_path() + "/secret", "untouched");
    root_ = open_directory(root_path());
  }

  FdRef root() const { return root_; }
  std::string root_path() const { return work_.path() + "/root"; }
  std::string outside_path() const { return work_.path() + "/outside"; }

  static void write(const std::string& path, std::string_view text) {
    AtomicFile out(path);
    out.write(text);
    out.commit();
  }

  bool outside_is_untouched() const {
    return describe(open_directory(outside_path())) == "f 644 0:0 secret 'untouched'\n" &&
           list_directory(work_.fd()) == std::vector<std::string>{"outside", "root"};
  }

private:
  TempDir work_{"/tmp"};
  Fd root_;
};

std::string unpack_error(const Place& place, std::string_view tar, Unpacker::Options options = {}) {
  return error_of([&] { unpack(place.root(), tar, std::move(options)); });
}

struct stat stat_of(FdRef root, const std::string& name) {
  struct stat info {};
  REQUIRE(::fstatat(root.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0);
  return info;
}

} // namespace

TEST_CASE("unpacking one layer over another gives what the tree says") {
  if (cannot_chown())
    return;
  for (const auto& row : layer_rows()) {
    CAPTURE(row.why);
    const TempDir root("/tmp");
    for (const auto& layer : row.layers)
      unpack(root.fd(), tar_of(layer));
    CHECK(describe(root.fd()) == row.result);
  }
}

namespace {

enum class Below { known, found_out };

/// Unpacks layer `n` into a directory of its own, with the layers below known from the start or
/// only when it turns out that they matter.
TempDir unpack_alone(const Layers& layers, std::size_t n, const Tree& below, Below knowledge) {
  const auto tar = tar_of(layers[n]);
  Unpacker::Options options;
  options.whiteouts = Unpacker::Whiteouts::overlay;
  if (knowledge == Below::found_out) {
    TempDir directory("/tmp");
    if (unpack(directory.fd(), tar, options, below))
      return directory;
  }
  options.below = &below;
  options.open_below = [&](const Tree::Node& node) {
    const auto& content = layers.at(node.content().layer).at(node.content().entry).content;
    return std::make_unique<TextSource>(content);
  };
  TempDir directory("/tmp");
  unpack(directory.fd(), tar, options);
  return directory;
}

} // namespace

TEST_CASE("layers unpacked on their own and mounted as an overlay give the same") {
  if (cannot_chown())
    return;
  for (const auto& row : layer_rows()) {
    CAPTURE(row.why);
    for (const auto knowledge : {Below::known, Below::found_out}) {
      std::vector<TempDir> roots;
      std::vector<std::string> lower;
      Tree below;
      for (std::size_t n = 0; n < row.layers.size(); ++n) {
        roots.push_back(unpack_alone(row.layers, n, below, knowledge));
        lower.insert(lower.begin(), roots.back().path());
        below.apply(index_of(row.layers[n]));
      }
      const auto overlay = OverlayMount::create(lower);
      if (!overlay)
        return;
      auto result = row.result;
      // Across layers a hard link becomes a copy.
      if (const auto at = result.find("(=d/f)"); at != std::string::npos)
        result.replace(at, 6, "'1'");
      CHECK(describe(open_directory(overlay->merged())) == result);
    }
  }
}

TEST_CASE("a layer says whether it was right to unpack it without those below") {
  if (cannot_chown())
    return;
  struct Row {
    std::vector<Member> base;
    std::vector<Member> layer;
    bool fits;
    std::string why;
  };
  const Row rows[] = {
      {{directory("a", 0700)}, {directory("a", 0711), file("a/f", "")}, true, "all directories"},
      {{directory("a")}, {file("a/f", "")}, true, "a plain directory is left out"},
      {{}, {file("a/f", "")}, true, "and one that is in no layer"},
      {{directory("a", 0700)}, {file("a/f", "")}, false, "one with another mode"},
      {{directory("a", 0700)}, {file("a/f", ""), directory("a")}, true, "which comes later"},
      {{symbolic_link("a", "b")}, {file("a/f", "")}, false, "one that is a link below"},
      {{file("f", "")}, {hard_link("g", "f")}, false, "a hard link to a file below"},
      {{file("f", "")}, {file("f", "2"), hard_link("g", "f")}, true, "and one to its own"},
      {{file("f", "")}, {whiteout(".wh..wh..opq")}, false, "an opaque root"},
      {{directory("a", 0700)}, {whiteout(".wh.a"), file("a/f", "")}, true, "one that is hidden"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    Tree below;
    below.apply(index_of(row.base));
    const TempDir directory("/tmp");
    Unpacker::Options options;
    options.whiteouts = Unpacker::Whiteouts::overlay;
    CHECK(unpack(directory.fd(), tar_of(row.layer), options, below) == row.fits);
  }
}

TEST_CASE("an overlay's directories keep the metadata of those they are merged with") {
  if (cannot_chown())
    return;
  const std::vector<Member> base{directory("tmp", 01777), directory("tmp/d", 0700)};
  Tree below;
  below.apply(index_of(base));
  const TempDir lower("/tmp");
  const TempDir upper("/tmp");
  unpack(lower.fd(), tar_of(base));
  Unpacker::Options options;
  options.whiteouts = Unpacker::Whiteouts::overlay;
  options.below = &below;
  unpack(upper.fd(), tar_of({file("tmp/d/f", "x")}), options);
  CHECK(describe(upper.fd()) == "d 1777 0:0 tmp\nd 700 0:0 tmp/d\nf 644 0:0 tmp/d/f 'x'\n");
}

TEST_CASE("an opaque root hides what is below it") {
  if (cannot_chown())
    return;
  const std::vector<Member> base{file("a/f", "1"), file("b", "1"), file("c", "1")};
  Tree below;
  below.apply(index_of(base));
  const TempDir lower("/tmp");
  const TempDir upper("/tmp");
  unpack(lower.fd(), tar_of(base));
  Unpacker::Options options;
  options.whiteouts = Unpacker::Whiteouts::overlay;
  options.below = &below;
  unpack(upper.fd(), tar_of({file("a/g", "2"), whiteout(".wh..wh..opq"), file("c", "2")}), options);
  const auto overlay = OverlayMount::create({upper.path(), lower.path()});
  if (overlay)
    CHECK(describe(open_directory(overlay->merged())) ==
          "d 755 0:0 a\nf 644 0:0 a/g '2'\nf 644 0:0 c '2'\n");
}

TEST_CASE("all that an entry says is put on the file") {
  if (cannot_chown())
    return;
  const Place place;
  auto program = file("program", "x", 06755);
  program.entry.meta.uid = 1000;
  program.entry.meta.gid = 2000;
  program.entry.meta.mtime = from_unix(1'600'000'000, 123'456'789);
  program.entry.meta.xattrs = {
      {"security.capability", std::string("\1\0\0\2\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20)},
      {"user.note", "hello"}};
  auto link = symbolic_link("link", "program");
  link.entry.meta.uid = 7;
  link.entry.meta.mtime = from_unix(1'500'000'000);
  auto inner = directory("d", 02775);
  inner.entry.meta.gid = 5;
  inner.entry.meta.mtime = from_unix(1'400'000'000, 5);
  inner.entry.meta.xattrs = {{"user.dir", "d"}};
  unpack(place.root(), tar_of({inner, program, link, file("d/f", ""), directory("/", 0711),
                               device("null", FileType::char_device, 1, 3),
                               device("pipe", FileType::fifo, 0, 0)}));
  const auto info = stat_of(place.root(), "program");
  CHECK((info.st_mode & 07777) == 06755);
  CHECK(info.st_uid == 1000);
  CHECK(info.st_gid == 2000);
  CHECK(info.st_mtim.tv_sec == 1'600'000'000);
  CHECK(info.st_mtim.tv_nsec == 123'456'789);
  CHECK(stat_of(place.root(), "link").st_uid == 7);
  CHECK(stat_of(place.root(), "link").st_mtim.tv_sec == 1'500'000'000);
  const auto directory_info = stat_of(place.root(), "d");
  CHECK((directory_info.st_mode & 07777) == 02775);
  CHECK(directory_info.st_mtim.tv_sec == 1'400'000'000);
  CHECK(directory_info.st_mtim.tv_nsec == 5);
  CHECK((stat_of(place.root(), ".").st_mode & 07777) == 0711);
  CHECK(stat_of(place.root(), "null").st_rdev == 0x103);
  CHECK(S_ISFIFO(stat_of(place.root(), "pipe").st_mode));
  const auto text = describe(place.root());
  CHECK(text.find("[user.note=hello]") != std::string::npos);
  CHECK(text.find("[security.capability=") != std::string::npos);
  CHECK(text.find("d 2775 0:5 d [user.dir=d]") != std::string::npos);
}

TEST_CASE("attributes of a directory that a layer replaces do not stay") {
  if (cannot_chown())
    return;
  const Place place;
  auto before = directory("d");
  before.entry.meta.xattrs = {{"user.a", "1"}, {"user.b", "1"}};
  auto after = directory("d");
  after.entry.meta.xattrs = {{"user.b", "2"}};
  unpack(place.root(), tar_of({before}));
  unpack(place.root(), tar_of({after}));
  CHECK(describe(place.root()) == "d 755 0:0 d [user.b=2]\n");
}

TEST_CASE("hostile archives stay inside") {
  if (cannot_chown())
    return;
  struct Row {
    std::string tar;
    std::string error;
    std::string why;
  };
  const std::string end(1024, '\0');
  const Row rows[] = {
      {raw_member("../outside/f", '0') + end,
       "entry '../outside/f': name '../outside/f' holds '..'", "a name with \"..\""},
      {raw_member("/../outside/f", '0') + end,
       "entry '/../outside/f': name '/../outside/f' holds '..'", "after a slash, too"},
      {raw_member("/f", '0') + end, "", "an absolute name is inside"},
      {tar_of({symbolic_link("s", "../outside"), file("s/f", "x")}), "", "a link out"},
      {tar_of({symbolic_link("s", "../../../../../../tmp"), file("s/f", "x")}), "", "far out"},
      {tar_of({symbolic_link("s", "../outside/secret"), file("s", "x")}), "",
       "a file where a link was"},
      {tar_of({symbolic_link("s", "../outside"), directory("s", 0700)}), "",
       "a directory where a link was"},
      {tar_of({symbolic_link("s", "../outside"), whiteout("s/.wh.secret")}), "",
       "a whiteout through a link"},
      {tar_of({symbolic_link("s", "../outside"), whiteout("s/.wh..wh..opq")}), "", "an opaque one"},
      {tar_of({symbolic_link("s", ".."), symbolic_link("t", "s/outside"), file("t/f", "x")}), "",
       "a link through a link"},
      {tar_of({symbolic_link("s", "../outside"), hard_link("h", "s/secret")}),
       "unpack '/h': hard link to '/s/secret', which does not exist", "a hard link through a link"},
      {raw_member("h", '1', "", "../outside/secret") + end,
       "entry 'h': name '../outside/secret' holds '..'", "a hard link out"},
      {tar_of({symbolic_link("s", "../outside/secret"), hard_link("h", "s"), file("h", "x")}), "",
       "a hard link to a link is the link"},
      {tar_of({directory("d"), symbolic_link("d/s", "../../outside"), file("d/s/f", "x"),
               whiteout(".wh.d")}),
       "", "in a directory"},
      {tar_of(
           {directory("d"), file("d/f", "x"), symbolic_link("d", "../outside"), file("d/f", "y")}),
       "", "a directory that becomes a link while it is open"},
      {tar_of({symbolic_link("a", "b"), symbolic_link("b", "a"), file("a/f", "x")}),
       "unpack '/a/f': path '/a' leads through more than 255 symbolic links", "a loop"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    const Place place;
    CHECK(unpack_error(place, row.tar) == row.error);
    CHECK(place.outside_is_untouched());
  }
}

TEST_CASE("a bomb ends at its limits") {
  const Place place;
  const auto tar = tar_of({file("a", std::string(300'000, '\0'))});
  TextSource source(tar);
  TarLimits limits;
  limits.bytes = 200'000;
  TarReader reader(source, limits);
  CHECK(error_of([&] { (void)reader.next(); }) ==
        "entry 'a': contents of the archive are larger than 200000 bytes");
}

TEST_CASE("holes of a sparse file stay holes") {
  if (cannot_chown())
    return;
  const Place place;
  const std::string end(1024, '\0');
  unpack(place.root(),
         pax_member({{"GNU.sparse.map", "1048576,4"}, {"GNU.sparse.size", "3145728"}}) +
             raw_member("sparse", '0', "data") + end);
  const auto info = stat_of(place.root(), "sparse");
  CHECK(info.st_size == 3'145'728);
  CHECK(info.st_blocks < 100);
  const auto text = read_file(place.root(), "sparse", 4'000'000);
  CHECK(text.substr(1'048'574, 8) == std::string("\0\0data\0\0", 8));
}

TEST_CASE("protected paths are left alone, with all below them") {
  if (cannot_chown())
    return;
  const Place place;
  unpack(place.root(), tar_of({file("kaniko/executor", "mine", 0700), file("kaniko/x/y", "mine"),
                               file("w/keep/f", "mine"), file("w/gone", "1"), file("w/d/gone", "1"),
                               file("etc/hosts", "mine")}));
  Unpacker::Options options;
  options.is_protected = [](const RootedPath& path) {
    for (const auto* kept : {"/kaniko", "/w/keep", "/etc/hosts"})
      if (RootedPath::parse(kept).contains(path))
        return true;
    return false;
  };
  struct Row {
    std::vector<Member> layer;
    std::string why;
  };
  const Row rows[] = {
      {{directory("kaniko", 0700), file("kaniko/executor", "theirs"), file("kaniko/new", "x")},
       "written"},
      {{whiteout(".wh.kaniko"), whiteout("kaniko/.wh.executor"), whiteout("kaniko/.wh..wh..opq")},
       "whited out"},
      {{file("kaniko", "x")}, "replaced"},
      {{symbolic_link("s", "kaniko"), file("s/executor", "theirs"), whiteout("s/.wh.x"),
        file("s/new/f", "")},
       "reached through a link"},
      {{file("etc/hosts", "theirs"), whiteout("etc/.wh.hosts")}, "a single file"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.why);
    unpack(place.root(), tar_of(row.layer), options);
    const auto text = describe(place.root());
    CHECK(text.find("d 755 0:0 kaniko\nf 700 0:0 kaniko/executor 'mine'\nd 755 0:0 kaniko/x\n"
                    "f 644 0:0 kaniko/x/y 'mine'\n") != std::string::npos);
    CHECK(text.find("etc/hosts 'mine'") != std::string::npos);
    CHECK(text.find("kaniko/new") == std::string::npos);
  }
  SUBCASE("a file does not replace the directory that holds one") {
    unpack(place.root(), tar_of({file("w", "x")}), options);
    CHECK(
        describe(place.root()).find("d 755 0:0 w\nd 755 0:0 w/keep\nf 644 0:0 w/keep/f 'mine'\n") !=
        std::string::npos);
  }
  SUBCASE("nor does a whiteout remove it") {
    unpack(place.root(), tar_of({whiteout(".wh.w")}), options);
    CHECK(
        describe(place.root()).find("d 755 0:0 w\nd 755 0:0 w/keep\nf 644 0:0 w/keep/f 'mine'\n") !=
        std::string::npos);
  }
  SUBCASE("no other name is given to them") {
    CHECK(unpack_error(place, tar_of({hard_link("h", "kaniko/executor")}), options) ==
          "unpack '/h': hard link to '/kaniko/executor', which is protected");
  }
}

TEST_CASE("what must not be made is an error that names it") {
  if (cannot_chown())
    return;
  const Place place;
  CHECK(unpack_error(place, tar_of({hard_link("g", "f")})) ==
        "unpack '/g': hard link to '/f', which does not exist");
  CHECK(unpack_error(place, tar_of({file("f", ""), hard_link("f", "f")})) ==
        "unpack '/f': hard link to itself");
  CHECK(unpack_error(place, tar_of({directory("d"), hard_link("e", "d")})) ==
        "unpack '/e': hard link to the directory '/d'");
  CHECK(unpack_error(place, tar_of({file(std::string(300, 'x'), "")})).find("File name too long") !=
        std::string::npos);
}

TEST_CASE("a layer that was written as it is has nothing left out") {
  const TempDir root("/tmp");
  Unpacker unpacker(root.fd(), {});
  CHECK(unpacker.is_whole());
}

TEST_CASE(
    "devices that may not be made are left out, with what they replace and what links to them") {
  if (!is_root()) {
    MESSAGE("skipped: needs root to give up CAP_MKNOD");
    return;
  }
  const std::vector<Member> base{file("sda", "1"), file("link", "1"), file("f", "1")};
  const auto layer = tar_of({device("sda", FileType::block_device, 8, 0), hard_link("link", "sda"),
                             device("sdb", FileType::block_device, 8, 1), file("g", "2"),
                             device("h", FileType::char_device, 8, 1), file("h", "3")});
  const TempDir root("/tmp");
  const TempDir upper("/tmp");
  unpack(root.fd(), tar_of(base));
  Tree below;
  below.apply(index_of(base));
  Unpacker::Options options;
  options.whiteouts = Unpacker::Whiteouts::overlay;
  options.below = &below;
  std::string message;
  // Capabilities belong to a thread: this one gives up all of them.
  std::thread([&] {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    const __user_cap_data_struct none[2]{};
    ::syscall(SYS_capset, &header, none);
    message = error_of([&] {
      unpack(root.fd(), layer);
      unpack(upper.fd(), layer, options);
    });
  }).join();
  CHECK(message.empty());
  CHECK(describe(root.fd()) == "f 644 0:0 f '1'\nf 644 0:0 g '2'\nf 644 0:0 h '3'\n");
  CHECK(list_directory(upper.fd()) == std::vector<std::string>{"g", "h", "link", "sda"});
  for (const char* name : {"link", "sda"})
    CHECK(stat_of(upper.fd(), name).st_rdev == 0);
}

TEST_CASE("directories deeper than there are descriptors are unpacked and removed") {
  if (cannot_chown())
    return;
  const Place place;
  std::string deep = "d";
  for (int i = 0; i < 1500; ++i)
    deep += "/d";
  unpack(place.root(), tar_of({file(deep + "/f", "x"), file("e", ""), file(deep + "/g", "y")}));
  unpack(place.root(), tar_of({whiteout(".wh.d")}));
  CHECK(describe(place.root()) == "f 644 0:0 e ''\n");
}

TEST_CASE("names that are no UTF-8 are kept as they are") {
  if (cannot_chown())
    return;
  const Place place;
  unpack(place.root(), tar_of({file("b\xe9"
                                    "d/\xff",
                                    "x"),
                               symbolic_link("l", "\xfe")}));
  CHECK(describe(place.root()) == "d 755 0:0 b\xe9"
                                  "d\nf 644 0:0 b\xe9"
                                  "d/\xff 'x'\nl 0:0 l -> \xfe\n");
}
