#include "fs/copy/copy.hpp"
#include "listing.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using test::copied;
using test::Copying;

namespace {

// A context with a bit of everything.
const char* const context = R"(
  f /a 0644 5:6 1
  f /b 0755 5:6 2
  d /d 0700 5:6
  f /d/x 0600 5:6 3
  d /d/e 0750 7:8
  f /d/e/y 0644 7:8 4
  l /d/link -> x
  l /la -> a
  l /ld -> d
  l /dangling -> nowhere
  l /abs -> /a
)";

std::string copy_to(const std::string& stage, const std::vector<std::string>& sources,
                    const std::string& destination) {
  return copied({context, stage, {}}, sources, destination);
}

} // namespace

TEST_CASE("a file goes to the name that is given, or into a directory") {
  CHECK(copy_to("", {"a"}, "/x") == "f /x 0644 <- /a\n");
  CHECK(copy_to("", {"a"}, "/x/") == "d /x 0755 *\nf /x/a 0644 <- /a\n");
  CHECK(copy_to("", {"a"}, "/x/.") == "d /x 0755 *\nf /x/a 0644 <- /a\n");
  CHECK(copy_to("d /x 0711 1:2", {"a"}, "/x") == "d /x 0711 1:2\nf /x/a 0644 <- /a\n");
  CHECK(copy_to("", {"/a"}, "/") == "f /a 0644 <- /a\n");
  CHECK(copy_to("", {"../../a"}, "/x/../y") == "f /y 0644 <- /a\n");
}

TEST_CASE("a relative destination is relative to the working directory") {
  Copying copying{context, "d /w", {}};
  copying.request.workdir = "/w";
  CHECK(copied(copying, {"a"}, "x") == "d /w 0755\nf /w/x 0644 <- /a\n");
  CHECK(copied(copying, {"a"}, ".") == "d /w 0755\nf /w/a 0644 <- /a\n");
  CHECK(copied(copying, {"a"}, "") == "d /w 0755\nf /w/a 0644 <- /a\n");
  CHECK(copied(copying, {"a"}, "../y") == "f /y 0644 <- /a\n");
  copying.request.workdir = "/new";
  CHECK(copied(copying, {"a"}, ".") == "d /new 0755 *\nf /new/a 0644 <- /a\n");
}

TEST_CASE("the contents of a directory are copied, not the directory") {
  const std::string contents = "d /x/e 0750\nf /x/e/y 0644 <- /d/e/y\nl /x/link -> x\n"
                               "f /x/x 0600 <- /d/x\n";
  CHECK(copy_to("", {"d"}, "/x") == "d /x 0755 *\n" + contents);
  CHECK(copy_to("", {"d/"}, "/x/") == "d /x 0755 *\n" + contents);
  CHECK(copy_to("", {"d/."}, "/x") == "d /x 0755 *\n" + contents);
}

TEST_CASE("an existing destination keeps its metadata, directories below it do not") {
  CHECK(copy_to("d /x 0711 1:2\nd /x/e 0700 3:4", {"d"}, "/x") ==
        "d /x 0711 1:2\nd /x/e 0750\nf /x/e/y 0644 <- /d/e/y\nl /x/link -> x\n"
        "f /x/x 0600 <- /d/x\n");
}

TEST_CASE("directories above new files are repeated as they are, so that the layer stands alone") {
  CHECK(copy_to("d /p 0700 1:2\nd /p/q 0711 3:4\nf /p/other 0644 0:0 1", {"a"}, "/p/q/r") ==
        "d /p 0700 1:2\nd /p/q 0711 3:4\nf /p/q/r 0644 <- /a\n");
}

TEST_CASE("directories that no layer mentions are not repeated") {
  CHECK(copy_to("f /p/other 0644 0:0 1", {"a"}, "/p/r") == "f /p/r 0644 <- /a\n");
}

TEST_CASE("files of a context belong to root, those of a stage keep their owners") {
  Copying copying{context, "", {}};
  CHECK(copied(copying, {"b"}, "/x") == "f /x 0755 <- /b\n");
  copying.request.ownership = CopyRequest::Ownership::preserve;
  CHECK(copied(copying, {"b"}, "/x") == "f /x 0755 5:6 <- /b\n");
  copying.request.owner = Owner{9, 10};
  CHECK(copied(copying, {"d/e"}, "/x/y") ==
        "d /x 0755 9:10 *\nd /x/y 0755 9:10 *\nf /x/y/y 0644 9:10 <- /d/e/y\n");
}

TEST_CASE("an octal --chmod is for files, directories and those made on the way") {
  Copying copying{context, "", {}};
  copying.request.mode = ModeChange::parse("1640");
  CHECK(copied(copying, {"d"}, "/p/q") ==
        "d /p 0640 *\nd /p/q 0640 *\nd /p/q/e 1640\nf /p/q/e/y 1640 <- /d/e/y\n"
        "l /p/q/link -> x\nf /p/q/x 1640 <- /d/x\n");
}

TEST_CASE("a symbolic --chmod leaves directories made on the way at 0755") {
  Copying copying{context, "", {}};
  copying.request.mode = ModeChange::parse("u=rwX,go=");
  CHECK(copied(copying, {"d/e"}, "/p") == "d /p 0755 *\nf /p/y 0600 <- /d/e/y\n");
}

TEST_CASE("a source that is a symbolic link is followed, links below it are not") {
  CHECK(copy_to("", {"la"}, "/x") == "f /x 0644 <- /a\n");
  CHECK(copy_to("", {"la"}, "/x/") == "d /x 0755 *\nf /x/la 0644 <- /a\n");
  CHECK(copy_to("", {"abs"}, "/x") == "f /x 0644 <- /a\n");
  CHECK(copy_to("", {"ld/e"}, "/x") == "d /x 0755 *\nf /x/y 0644 <- /d/e/y\n");
  CHECK(copy_to("", {"ld/link"}, "/x") == "f /x 0600 <- /d/x\n");
}

TEST_CASE("links of the stage are followed at the destination, inside the root") {
  CHECK(copy_to("d /real\nl /l -> real", {"a"}, "/l/x") == "d /real 0755\nf /real/x 0644 <- /a\n");
  CHECK(copy_to("d /real\nl /l -> /real", {"a"}, "/l") == "d /real 0755\nf /real/a 0644 <- /a\n");
  CHECK(copy_to("l /l -> ../../target", {"a"}, "/l") == "f /target 0644 <- /a\n");
  CHECK(copy_to("l /l -> /new/dir", {"a"}, "/l/") ==
        "d /new 0755 *\nd /new/dir 0755 *\nf /new/dir/a 0644 <- /a\n");
}

TEST_CASE("a file in a directory replaces a link of that name") {
  CHECK(copy_to("d /x\nl /x/a -> /etc", {"a"}, "/x/") == "d /x 0755\nf /x/a 0644 <- /a\n");
}

TEST_CASE("several sources go into one directory") {
  CHECK(copy_to("", {"a", "b"}, "/x/") == "d /x 0755 *\nf /x/a 0644 <- /a\nf /x/b 0755 <- /b\n");
  CHECK(copy_to("", {"d", "a"}, "/x/") ==
        "d /x 0755 *\nf /x/a 0644 <- /a\nd /x/e 0750\nf /x/e/y 0644 <- /d/e/y\n"
        "l /x/link -> x\nf /x/x 0600 <- /d/x\n");
}

TEST_CASE("several sources without a slash end in one file, the last one") {
  CHECK(copy_to("", {"a", "b"}, "/c") == "f /c 0755 <- /b\n");
}

TEST_CASE("a directory cannot go where a file is, nor a file where a directory is") {
  CHECK(copy_to("f /x 0644 0:0 1", {"d"}, "/x") ==
        "error: cannot copy directory '/d' to '/x': it is no directory");
  CHECK(copy_to("d /x\nf /x/e 0644 0:0 1", {"d"}, "/x") ==
        "error: cannot copy directory '/d/e' to '/x/e': it is no directory");
  CHECK(copy_to("d /x\nd /x/x", {"d"}, "/x") ==
        "error: cannot replace directory '/x/x' with file 'd/x'");
  CHECK(copy_to("d /x\nd /x/a", {"a"}, "/x/") ==
        "error: cannot replace directory '/x/a' with file 'a'");
  CHECK(copy_to("f /x 0644 0:0 1", {"a"}, "/x/y") ==
        "error: cannot make directory '/x': '/x' is no directory");
  CHECK(copy_to("d /x\nl /x/e -> /etc\nd /etc", {"d"}, "/x") ==
        "error: cannot copy directory '/d/e' to '/x/e': it is no directory");
}

TEST_CASE("wildcards find what fits, in order, and do not cross slashes") {
  CHECK(copy_to("", {"?"}, "/x/") ==
        "d /x 0755 *\nf /x/a 0644 <- /a\nf /x/b 0755 <- /b\nd /x/e 0750\nf /x/e/y 0644 <- "
        "/d/e/y\nl /x/link -> x\nf /x/x 0600 <- /d/x\n");
  CHECK(copy_to("", {"*/x"}, "/x/") == "d /x 0755 *\nf /x/x 0600 <- /d/x\n");
  CHECK(copy_to("", {"l[a]"}, "/x/") == "d /x 0755 *\nf /x/la 0644 <- /a\n");
  CHECK(copy_to("", {"ld/*/y"}, "/x/") == "d /x 0755 *\nf /x/y 0644 <- /d/e/y\n");
  CHECK(copy_to("", {"d[^x]x"}, "/x/") == "d /x 0755 *\nf /x/x 0600 <- /d/x\n");
}

TEST_CASE("wildcards that find nothing copy nothing") {
  CHECK(copy_to("", {"*.txt"}, "/x/") == "");
  CHECK(copy_to("", {"*.txt", "a"}, "/x/") == "d /x 0755 *\nf /x/a 0644 <- /a\n");
  CHECK(copy_to("", {"a/*"}, "/x/") == "");
}

TEST_CASE("what is not there is an error that says where it was looked for") {
  CHECK(copy_to("", {"src/x"}, "/x") == "error: \"src/x\" is not in the build context");
  CHECK(copy_to("", {"nosuch/*"}, "/x/") == "error: \"nosuch\" is not in the build context");
  CHECK(copy_to("", {"a["}, "/x/") == "error: syntax error in pattern");
  CHECK(copy_to("", {"d/lnk"}, "/x") ==
        "error: \"d/lnk\" is not in the build context\nhint: did you mean \"d/link\"?");
  CHECK(copy_to("", {"dangling"}, "/x") ==
        "error: \"dangling\" is not in the build context\n"
        "hint: it is a symbolic link to \"nowhere\", which is not in the build context");
  CHECK(copy_to("", {"d*"}, "/x/") ==
        "error: \"dangling\" is not in the build context\n"
        "hint: it is a symbolic link to \"nowhere\", which is not in the build context");
}

TEST_CASE("--exclude is about what is in a source") {
  Copying copying{context, "", {}};
  copying.request.excludes = {"e", "li*"};
  CHECK(copied(copying, {"d"}, "/x") == "d /x 0755 *\nf /x/x 0600 <- /d/x\n");
  copying.request.excludes = {"*", "!e/y"};
  CHECK(copied(copying, {"d"}, "/x") == "d /x 0755 *\nd /x/e 0750\nf /x/e/y 0644 <- /d/e/y\n");
  copying.request.excludes = {"a"};
  CHECK(copied(copying, {"a"}, "/x") == "f /x 0644 <- /a\n");
  copying.request.excludes = {"a["};
  CHECK(copied(copying, {"d"}, "/x") == "error: pattern 'a[': syntax error in pattern");
}

TEST_CASE("--parents keeps the directories of the source's name") {
  Copying copying{context, "", {}};
  copying.request.parents = CopyRequest::Parents::keep;
  CHECK(copied(copying, {"d/e/y"}, "/x/") ==
        "d /x 0755 *\nd /x/d 0700\nd /x/d/e 0750\nf /x/d/e/y 0644 <- /d/e/y\n");
  CHECK(copied(copying, {"d/./e/y"}, "/x/") ==
        "d /x 0755 *\nd /x/e 0750\nf /x/e/y 0644 <- /d/e/y\n");
  CHECK(copied(copying, {"**/x"}, "/x/") == "d /x 0755 *\nd /x/d 0700\nf /x/d/x 0600 <- /d/x\n");
  CHECK(copied(copying, {"[d]/./**/y"}, "/x") ==
        "d /x 0755 *\nd /x/e 0750\nf /x/e/y 0644 <- /d/e/y\n");
  CHECK(copied(copying, {"d/."}, "/x/") ==
        "d /x 0755 *\nd /x/d 0700\nd /x/d/e 0750\nf /x/d/e/y 0644 <- /d/e/y\n"
        "l /x/d/link -> x\nf /x/d/x 0600 <- /d/x\n");
}

TEST_CASE("--parents makes its destination a directory even when it finds nothing") {
  Copying copying{context, "", {}};
  copying.request.parents = CopyRequest::Parents::keep;
  CHECK(copied(copying, {"nosuch*"}, "/x") == "d /x 0755 *\n");
  CHECK(copied(copying, {"d/nosuch"}, "/x") == "error: \"d/nosuch\" is not in the build context");
}

TEST_CASE("--parents with nothing behind the pivot copies everything there") {
  Copying copying{"d /d\nf /d/x 0600 0:0 1", "", {}};
  copying.request.parents = CopyRequest::Parents::keep;
  CHECK(copied(copying, {"./"}, "/x") == "d /x 0755 *\nd /x/d 0755\nf /x/d/x 0600 <- /d/x\n");
  CHECK(copied(copying, {"d/./"}, "/x") == "d /x 0755 *\nf /x/x 0600 <- /d/x\n");
}

TEST_CASE("--parents gives existing directories that it passes through the source's mode only") {
  Copying copying{context, "d /d 0711 1:2", {}};
  copying.request.parents = CopyRequest::Parents::keep;
  copying.request.owner = Owner{9, 9};
  CHECK(copied(copying, {"d/e"}, "/") ==
        "d /d 0700 1:2\nd /d/e 0750 9:9\nf /d/e/y 0644 9:9 <- /d/e/y\n");
}

TEST_CASE("--link knows nothing of the stage") {
  Copying copying{context, "d /t 0700 1:2\nd /real\nl /l -> /real", {}};
  copying.request.link = CopyRequest::Link::yes;
  CHECK(copied(copying, {"a"}, "/t/x") == "d /t 0755 *\nf /t/x 0644 <- /a\n");
  CHECK(copied(copying, {"a"}, "/l/x") == "d /l 0755 *\nf /l/x 0644 <- /a\n");
  CHECK(copied(copying, {"a"}, "/t") == "f /t 0644 <- /a\n");
}

TEST_CASE("--link with --chmod is an ordinary copy") {
  Copying copying{context, "d /t 0700 1:2", {}};
  copying.request.link = CopyRequest::Link::yes;
  copying.request.mode = ModeChange::parse("600");
  CHECK(copied(copying, {"a"}, "/t/x") == "d /t 0700 1:2\nf /t/x 0600 <- /a\n");
}

TEST_CASE("names of one file stay names of one file inside one copy") {
  const char* linked = "d /d\nf /d/a 0644 5:6 1\nh /d/b /d/a\nd /d/c\nh /d/c/z /d/a";
  CHECK(copied({linked, "", {}}, {"d"}, "/x") ==
        "d /x 0755 *\nf /x/a 0644 <- /d/a\nh /x/b /x/a\nd /x/c 0755\nh /x/c/z /x/a\n");
  CHECK(copied({linked, "", {}}, {"d/a", "d/b"}, "/x/") ==
        "d /x 0755 *\nf /x/a 0644 <- /d/a\nf /x/b 0644 <- /d/b\n");
}

TEST_CASE("the first name that is copied gets the content") {
  const char* linked = "f /a 0644 5:6 1\nd /d\nh /d/m /a\nh /d/n /a";
  CHECK(copied({linked, "", {}}, {"d"}, "/x") == "d /x 0755 *\nf /x/m 0644 <- /d/m\nh /x/n /x/m\n");
}

TEST_CASE("when the first name of a file is overwritten the next one has the content") {
  const char* linked = "d /d\nf /d/a 0644 5:6 1\nh /d/b /d/a\nh /d/c /d/a\nf /a 0600 5:6 1";
  CHECK(copied({linked, "", {}}, {"d", "a"}, "/x/") ==
        "d /x 0755 *\nf /x/a 0600 <- /a\nf /x/b 0644 <- /d/a\nh /x/c /x/b\n");
}

TEST_CASE("devices and pipes are copied") {
  CHECK(copied({"d /d\nc /d/null 0666 1:3\np /d/p", "", {}}, {"d"}, "/x") ==
        "d /x 0755 *\nc /x/null 0666 1:3\np /x/p 0644\n");
}

TEST_CASE("of the extended attributes only capabilities are copied") {
  auto tree = test::tree_of("");
  LayerEntry entry;
  entry.path = RootedPath::parse("/f");
  entry.meta.xattrs = {{"security.capability", "x"}, {"user.note", "y"}};
  tree.apply({{entry}});
  const TreeView view(tree, {}, "stage 0");
  CopyRequest request;
  request.sources = {ViewSource{&view, "f"}};
  request.destination = "/g";
  const auto plan = plan_copy(request, Tree());
  CHECK(plan.entries.at(0).meta.xattrs == std::vector<Xattr>{{"security.capability", "x"}});
}

TEST_CASE("here-documents come last, with a name of their own") {
  Copying copying{context, "", {}};
  Metadata meta;
  meta.mode = 0644;
  meta.size = 5;
  copying.request.sources = {GivenFile{"EOF", meta}, GivenFile{"two", meta}};
  CHECK(copied(copying, {}, "/x/") == "d /x 0755 *\nf /x/EOF 0644 <- #0\nf /x/two 0644 <- #1\n");
  CHECK(copied(copying, {"a"}, "/x") == "f /x 0644 <- #2\n");
  copying.request.owner = Owner{1, 2};
  copying.request.mode = ModeChange::parse("700");
  CHECK(copied(copying, {}, "/d/x") == "d /d 0700 1:2 *\nf /d/x 0700 1:2 <- #1\n");
}

TEST_CASE("a given file without a name can be the destination, but not be put into it") {
  Copying copying{context, "", {}};
  copying.request.sources = {GivenFile{"", {}}};
  CHECK(copied(copying, {}, "/x") == "f /x 0000 <- #0\n");
  CHECK(copied(copying, {}, "/x/") == "error: there is no name for a file in directory '/x'\nhint: "
                                      "the destination can say what it is to be called");
}

TEST_CASE("a given file needs a plain name, and no directory in its place") {
  for (const auto* name : {".", "..", "a/b"}) {
    Copying copying{context, "", {}};
    copying.request.sources = {GivenFile{name, {}}};
    CHECK(copied(copying, {}, "/x/") == "error: '" + std::string(name) + "' is no name for a file");
  }
  Copying copying{context, "d /x\nd /x/f", {}};
  copying.request.sources = {GivenFile{"f", {}}};
  CHECK(copied(copying, {}, "/x/") == "error: cannot replace directory '/x/f' with file 'f'");
}

TEST_CASE("names that layers keep for deletions cannot be copied") {
  Copying copying{context, "", {}};
  copying.request.sources = {GivenFile{".wh.x", {}}};
  CHECK(copied(copying, {}, "/x/") ==
        "error: '/x/.wh.x' cannot be in an image: layers keep names that start with .wh. for "
        "deletions");
}
