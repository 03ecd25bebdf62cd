#include "fs/copy/copy.hpp"
#include "listing.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using test::copied;
using test::Copying;

namespace {

// Adds the archive of these entries to /x/, in a stage that holds `stage`.
std::string added(const std::string& stage, const std::string& archive,
                  const CopyRequest& flags = {}) {
  Copying copying{"", stage, flags};
  copying.request.sources = {GivenArchive{test::entries_of(archive)}};
  return copied(copying, {}, "/x/");
}

} // namespace

TEST_CASE("an archive keeps the owners and modes of its entries") {
  CHECK(added("", "d /d 0750 5:6\nf /d/f 4755 7:8 1\nl /l -> d") ==
        "d /x 0755 *\nd /x/d 0750 5:6\nf /x/d/f 4755 7:8 <- /[1]\nl /x/l -> d\n");
}

TEST_CASE("--chown is for every entry of an archive, --chmod for none") {
  CopyRequest flags;
  flags.owner = Owner{1, 2};
  flags.mode = ModeChange::parse("700");
  CHECK(added("", "d /d 0750 5:6\nf /d/f 0644 7:8 1\nl /l -> d", flags) ==
        "d /x 0755 1:2 *\nd /x/d 0750 1:2\nf /x/d/f 0644 1:2 <- /[1]\nl /x/l -> d 1:2\n");
}

TEST_CASE("directories that an archive leaves out belong to root") {
  CopyRequest flags;
  flags.owner = Owner{1, 2};
  CHECK(added("", "f /p/f 0644 0:0 1", flags) ==
        "d /x 0755 1:2 *\nd /x/p 0755 *\nf /x/p/f 0644 1:2 <- /[0]\n");
}

TEST_CASE("an archive replaces what it meets, and merges directories") {
  CHECK(added("d /x 0711 9:9\nd /x/d 0700 9:9\nf /x/d/old 0644 0:0 1\nf /x/f 0644 0:0 1\n"
              "l /x/l -> /etc\nd /etc",
              "d /d 0750\nd /f 0700\nd /l 0701") ==
        "d /x 0711 9:9\nd /x/d 0750\nd /x/f 0700\nd /x/l 0701\n");
}

TEST_CASE("a file of an archive replaces a whole directory") {
  CHECK(added("d /x\nd /x/d\nf /x/d/old 0644 0:0 1", "f /d 0644 0:0 1") ==
        "d /x 0755\nf /x/d 0644 <- /[0]\n");
}

TEST_CASE("a directory that was replaced and made again starts empty") {
  CHECK(added("d /x\nd /x/d\nf /x/d/old 0644 0:0 1\nd /x/d/sub\nf /x/d/sub/old 0644 0:0 1",
              "f /d 0644 0:0 1\nd /d 0700\nd /d/sub 0711\nf /d/new 0644 0:0 1") ==
        "d /x 0755\nd /x/d 0700\nf /x/d/.wh.old 0000\nf /x/d/new 0644 <- /[3]\nd /x/d/sub 0711\n"
        "f /x/d/sub/.wh.old 0000\n");
}

TEST_CASE("links in the middle of a name are followed below the destination only") {
  CHECK(added("d /x\nd /x/run\nl /x/l -> /run\nd /run", "f /l/f 0644 0:0 1") ==
        "d /x 0755\nd /x/run 0755\nf /x/run/f 0644 <- /[0]\n");
  CHECK(added("", "l /up -> ../../..\nf /up/f 0644 0:0 1") ==
        "d /x 0755 *\nf /x/f 0644 <- /[1]\nl /x/up -> ../../..\n");
  CHECK(added("d /x\nd /x/r\nl /x/l -> r", "f /l/p/f 0644 0:0 1") ==
        "d /x 0755\nd /x/r 0755\nd /x/r/p 0755 *\nf /x/r/p/f 0644 <- /[0]\n");
}

TEST_CASE(
    "what lies deep below a directory that was replaced is hidden, what lies beside it is not") {
  std::string deep;
  for (int i = 0; i < 500; ++i)
    deep += "/d";
  const auto stage = "d /x\nd /x/a\nd /x/a/s\nf /x/a/s/f 0644 0:0 1\nd /x/ab\nf /x/ab/f 0644 0:0 1";
  const auto done = added(stage, "f /a 0644 0:0 1\nd /a 0755\nd /a/s\nf /ab" + deep +
                                     " 0644 0:0 1\nf /a/s" + deep + " 0644 0:0 1");
  CHECK(done.find("/x/a/s/.wh.f") != std::string::npos);
  CHECK(done.find("/x/ab/.wh.") == std::string::npos);
}

TEST_CASE("nothing can lie behind a link that leads nowhere") {
  CHECK(added("", "l /l -> /tmp\nf /l/f 0644 0:0 1") ==
        "error: archive entry 'l/f': it lies behind a symbolic link to '/x/tmp', which does not "
        "exist");
}

TEST_CASE("the header of a hard link speaks of the file") {
  CHECK(added("", "f /f 0640 5:6 1\nh /h /f") == "d /x 0755 *\nf /x/f 0644 <- /[0]\nh /x/h /x/f\n");
  CHECK(added("", "h /h /f") ==
        "error: archive entry 'h': it is a hard link to 'f', which is no file");
  CHECK(added("d /x\nf /x/f 0640 5:6 1", "h /h /f") == "d /x 0755\nh /x/h /x/f\n");
}

TEST_CASE("the root of an archive is the destination, which keeps its metadata") {
  CHECK(added("d /x 0711 3:4", "d / 0700 1:1\nf /f 0644 0:0 1") ==
        "d /x 0711 3:4\nf /x/f 0644 <- /[1]\n");
}

TEST_CASE("ADD unpacks what its opener says is an archive, and copies the rest") {
  Copying copying{"f /a.tar 0644 0:0 9\nf /b 0644 0:0 1\nl /link -> a.tar", "", {}};
  copying.request.archive = [](const FileView&,
                               const RootedPath& file) -> std::optional<GivenArchive> {
    if (file.str() != "/a.tar")
      return std::nullopt;
    return GivenArchive{test::entries_of("f /in 0644 0:0 1")};
  };
  CHECK(copied(copying, {"*"}, "/x/") ==
        "d /x 0755 *\nf /x/b 0644 <- /b\nf /x/in 0644 <- /a.tar[0]\n");
  CHECK(copied(copying, {"a.tar"}, "/x") == "d /x 0755 *\nf /x/in 0644 <- /a.tar[0]\n");
}

TEST_CASE("thousands of levels take no longer than thousands of entries") {
  std::string path;
  std::string archive;
  for (int i = 0; i < 2000; ++i) {
    path += "/d";
    archive += "d " + path + " 0700\n";
  }
  archive += "f " + path + "/f 0644 0:0 1\nh " + path + "/h " + path + "/f\n";
  const auto result = added("", archive);
  CHECK(result.ends_with("f /x" + path + "/f 0644 <- /[2000]\nh /x" + path + "/h /x" + path +
                         "/f\n"));
}

TEST_CASE("a way that was taken once is not taken when something else lies there") {
  CHECK(added("", "d /a\nf /a/1 0644 0:0 1\nl /b -> a\nf /b/2 0644 0:0 1\nd /b 0700\n"
                  "f /b/3 0644 0:0 1\nd /c\nl /a -> c\nf /a/4 0644 0:0 1") ==
        "d /x 0755 *\nl /x/a -> c\nd /x/b 0700\nf /x/b/3 0644 <- /[5]\nd /x/c 0755\n"
        "f /x/c/4 0644 <- /[8]\n");
}
