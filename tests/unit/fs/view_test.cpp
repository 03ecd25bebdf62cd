#include "errors.hpp"
#include "fs/tree/view.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>

using namespace cairn;
using test::error_of;

namespace {

// A directory with files in it; names that end with a slash are directories.
class Files {
public:
  explicit Files(const std::vector<std::string>& names) : directory_("/tmp") {
    for (const auto& name : names)
      add(name);
  }

  void add(const std::string& name) const {
    const auto path = std::filesystem::path(directory_.path()) / name;
    std::filesystem::create_directories(path.parent_path());
    if (!name.ends_with('/'))
      std::ofstream(path) << name;
  }
  void link(const std::string& target, const std::string& name) const {
    std::filesystem::create_symlink(target, path(name));
  }
  std::string path(const std::string& name) const { return directory_.path() + "/" + name; }
  FdRef fd() const { return directory_.fd(); }

private:
  TempDir directory_;
};

RootedPath at(std::string_view path) {
  return RootedPath::parse(path);
}

DirectoryView view_with(const Files& files, std::string_view ignore_text) {
  DirectoryView::Options options;
  options.ignore = IgnoreRules(parse_ignore_file(ignore_text));
  options.ignore_name = ".dockerignore";
  return DirectoryView(files.fd(), std::move(options));
}

std::string names(const FileView& view, std::string_view directory) {
  std::vector<std::string> out;
  view.list(at(directory),
            [&](const std::string& name, const ViewedFile&) { out.push_back(name); });
  return join(out, " ");
}

} // namespace

TEST_CASE("a directory view shows what a file system knows") {
  const Files files({"d/f", "d/e/"});
  files.link("f", "d/l");
  REQUIRE(::chmod(files.path("d/f").c_str(), 04711) == 0);
  REQUIRE(::mkfifo(files.path("d/p").c_str(), 0600) == 0);
  const timespec times[] = {{1, 2}, {1234567, 89}};
  REQUIRE(::utimensat(AT_FDCWD, files.path("d/f").c_str(), times, 0) == 0);
  const DirectoryView view(files.fd());
  CHECK(names(view, "/d") == "e f l p");
  const auto file = view.stat(at("/d/f"));
  REQUIRE(file);
  CHECK(file->meta.type == FileType::regular);
  CHECK(file->meta.mode == 04711);
  CHECK(file->meta.size == 3);
  CHECK(file->meta.uid == ::geteuid());
  CHECK(file->meta.mtime == from_unix(1234567, 89));
  CHECK_FALSE(file->identity);
  CHECK(view.stat(at("/d/l"))->meta.link_target == "f");
  CHECK(view.stat(at("/d/p"))->meta.type == FileType::fifo);
  CHECK(view.stat(at("/"))->meta.type == FileType::directory);
  CHECK_FALSE(view.stat(at("/d/nosuch")));
  CHECK_FALSE(view.stat(at("/d/f/below")));
  CHECK(read_all(*view.open(at("/d/f")), 100) == "d/f");
}

TEST_CASE("a directory view follows no link in any path") {
  const Files files({"d/f"});
  files.link("d", "l");
  files.link("/etc", "out");
  const DirectoryView view(files.fd());
  CHECK_FALSE(view.stat(at("/l/f")));
  CHECK_FALSE(view.stat(at("/out/passwd")));
  CHECK(error_of([&] { view.list(at("/l"), {}); }) == "'l' is no directory in the build context");
  CHECK(error_of([&] { view.open(at("/l/f")); }) ==
        "'l/f' is no regular file in the build context");
}

TEST_CASE("links are resolved inside the view") {
  const Files files({"d/f"});
  files.link("../../../d", "d/up");
  files.link("/d/f", "abs");
  files.link("round", "round");
  const DirectoryView view(files.fd());
  CHECK(view.resolve(at("/d/up/f"), Tree::Last::follow).str() == "/d/f");
  CHECK(view.resolve(at("/abs"), Tree::Last::follow).str() == "/d/f");
  CHECK(view.resolve(at("/abs"), Tree::Last::keep).str() == "/abs");
  CHECK(view.resolve(at("/no/such"), Tree::Last::follow).str() == "/no/such");
  CHECK(error_of([&] { view.resolve(at("/round"), Tree::Last::follow); }) ==
        "'/round': too many levels of symbolic links");
}

TEST_CASE("names of one file are told by its inode") {
  const Files files({"a"});
  std::filesystem::create_hard_link(files.path("a"), files.path("b"));
  const DirectoryView view(files.fd());
  const auto a = view.stat(at("/a"));
  REQUIRE(a->identity);
  CHECK(*a->identity == *view.stat(at("/b"))->identity);
}

TEST_CASE("sockets are not shown") {
  const Files files({"a"});
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(fd >= 0);
  const Fd owner(fd);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto path = files.path("s");
  REQUIRE(path.copy(address.sun_path, sizeof address.sun_path - 1) == path.size());
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const DirectoryView view(files.fd());
  CHECK(names(view, "/") == "a");
  CHECK_FALSE(view.stat(at("/s")));
}

TEST_CASE("attributes of a directory's files are not shown, capabilities neither") {
  const Files files({"f"});
  const std::string value("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20);
  ::setxattr(files.path("f").c_str(), "user.note", "x", 1, 0);
  if (::setxattr(files.path("f").c_str(), "security.capability", value.data(), value.size(), 0) !=
      0) {
    std::cerr << "skipped: capabilities cannot be set here\n";
    return;
  }
  const DirectoryView view(files.fd());
  CHECK(view.stat(at("/f"))->meta.xattrs.empty());
}

TEST_CASE("a pipe that took a file's place is not waited for") {
  const Files files({"a"});
  const DirectoryView view(files.fd());
  std::filesystem::remove(files.path("a"));
  REQUIRE(::mkfifo(files.path("a").c_str(), 0600) == 0);
  CHECK(error_of([&] { view.open(at("/a")); }) == "'a' is no regular file in the build context");
}

TEST_CASE("what is ignored does not exist, directories do as long as something in them does") {
  const Files files({"src/a.c", "src/deep/b.c", "src/c.o", "doc/x", "empty/", "README"});
  const auto view = view_with(files, "*\n!src/**/*.c\n");
  CHECK(names(view, "/") == "src");
  CHECK(names(view, "/src") == "a.c deep");
  CHECK_FALSE(view.stat(at("/doc")));
  CHECK_FALSE(view.stat(at("/doc/x")));
  CHECK_FALSE(view.stat(at("/empty")));
  CHECK_FALSE(view.stat(at("/src/c.o")));
  CHECK(view.stat(at("/src/deep")));
  CHECK(view.stat(at("/src/deep/b.c")));
}

TEST_CASE("empty directories that no rule ignores are kept") {
  const Files files({"empty/", "a.o"});
  CHECK(names(view_with(files, "*.o\n"), "/") == "empty");
}

TEST_CASE("the line that hides a file can be named") {
  const Files files({"src/x", "keep"});
  const auto view = view_with(files, "# all but\n\nsrc\n");
  CHECK(view.why_hidden(at("/src/x")) == ".dockerignore line 3 (\"src\") excludes it");
  CHECK(view.why_hidden(at("/src")) == ".dockerignore line 3 (\"src\") excludes it");
  CHECK(view.why_hidden(at("/keep")) == "");
  CHECK(view.why_hidden(at("/src/nosuch")) == "");
}

TEST_CASE("ignored directories need not be readable") {
  if (::geteuid() == 0) {
    std::cerr << "skipped: root can read everything\n";
    return;
  }
  const Files files({"secret/x", "a"});
  REQUIRE(::chmod(files.path("secret").c_str(), 0) == 0);
  CHECK(names(view_with(files, "secret\n!secret/none\n"), "/") == "a");
  ::chmod(files.path("secret").c_str(), 0700);
}

TEST_CASE("a tree view shows a tree, and opens its files by a callback") {
  Tree tree;
  LayerEntry entry;
  entry.path = at("/d/f");
  entry.meta.size = 2;
  LayerEntry other;
  other.path = at("/d/g");
  other.hard_link = at("/d/f");
  tree.apply({{entry, other}});
  const TreeView view(
      tree, [](const Tree::Node&) { return std::make_unique<TextSource>("hi"); }, "stage 1");
  CHECK(names(view, "/d") == "f g");
  CHECK(view.stat(at("/d/f"))->identity == view.stat(at("/d/g"))->identity);
  CHECK(view.stat(at("/d"))->meta.type == FileType::directory);
  CHECK_FALSE(view.stat(at("/e")));
  CHECK(read_all(*view.open(at("/d/f")), 10) == "hi");
  CHECK(error_of([&] { view.open(at("/d")); }) == "'/d' is no regular file in stage 1");
  CHECK(error_of([&] { view.list(at("/d/f"), {}); }) == "'/d/f' is no directory in stage 1");
}
