#include "context/local.hpp"
#include "fs/archive/compress.hpp"
#include "fs/archive/tar.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

using namespace cairn;

namespace {

std::string error_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.detail().empty() ? error.what() : error.what() + ("\n" + error.detail());
  }
  return {};
}

class Workspace {
public:
  void write(const std::string& name, const std::string& text) const {
    const auto path = std::filesystem::path(directory_.path()) / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  std::string path(const std::string& name = "") const {
    return name.empty() ? directory_.path() : directory_.path() + "/" + name;
  }
  FdRef fd() const { return directory_.fd(); }
  LocalContext open(const std::string& context, const std::string& sub_path = "") const {
    return open_local_context({context, sub_path, directory_.path(), FdRef(0)});
  }

private:
  TempDir directory_{"/tmp"};
};

std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  TextSink out;
  TarWriter writer(out);
  for (const auto& [name, text] : files) {
    LayerEntry entry;
    entry.path = RootedPath::parse(name);
    entry.meta.mode = 0644;
    entry.meta.uid = 4321;
    entry.meta.size = text.size();
    TextSource content(text);
    writer.add(entry, &content);
  }
  writer.finish();
  return out.text();
}

std::string compressed(const std::string& text, Compression method) {
  TextSink out;
  const auto compressor = make_compressor(out, {method, std::nullopt});
  write_text(*compressor, text);
  compressor->finish();
  return out.text();
}

std::string text_in(const LocalContext& context, const std::string& name) {
  return read_file(context.root, name, 1000);
}

} // namespace

TEST_CASE("a directory is a context, with and without its scheme") {
  const Workspace work;
  work.write("ctx/f", "hello");
  for (const auto* scheme : {"", "dir://"}) {
    const auto context = work.open(scheme + work.path("ctx"));
    CHECK(text_in(context, "f") == "hello");
    CHECK(context.path == work.path("ctx"));
    CHECK_FALSE(context.unpacked);
  }
}

TEST_CASE("dir://workspace may mean /workspace, as in kaniko's examples") {
  const Workspace work;
  CHECK(work.open("dir://proc/self").path == "/proc/self");
  CHECK(work.open("dir:///proc/self").path == "/proc/self");
  for (const auto* text : {"proc/self", "dir://no/such/place", "dir://"})
    CHECK_THROWS_AS(work.open(text), Error);
}

TEST_CASE("contexts from elsewhere are not local") {
  for (const auto* text : {"/workspace", "ctx", "dir:///x", "tar:///x.tar.gz", "tar://stdin", "-"})
    CHECK(is_local_context(text));
  for (const auto* text : {"git://host/x", "https://host/x.tar.gz", "s3://bucket/x", "gs://b"})
    CHECK_FALSE(is_local_context(text));
}

TEST_CASE("--context-sub-path enters a directory of the context, not one outside") {
  const Workspace work;
  work.write("ctx/a/b/f", "deep");
  work.write("secret/f", "no");
  std::filesystem::create_symlink("../secret", work.path("ctx/out"));
  CHECK(text_in(work.open(work.path("ctx"), "a/b"), "f") == "deep");
  CHECK(work.open(work.path("ctx"), "a/b").path == work.path("ctx/a/b"));
  const auto place = "build context '" + work.path("ctx") + "': ";
  CHECK(error_of([&] { work.open(work.path("ctx"), "nosuch"); }) ==
        place + "--context-sub-path 'nosuch' is no directory in it");
  CHECK(error_of([&] { work.open(work.path("ctx"), "a/b/f"); }) ==
        place + "--context-sub-path 'a/b/f' is no directory in it");
  CHECK(error_of([&] { work.open(work.path("ctx"), "out"); }) ==
        place + "--context-sub-path 'out' is no directory in it");
  CHECK(error_of([&] { work.open(work.path("ctx"), "../secret"); }) ==
        place + "--context-sub-path '../secret' is no directory in it");
}

TEST_CASE("a context that is not there is an error that names it") {
  const Workspace work;
  const auto path = work.path("nosuch");
  CHECK(error_of([&] { work.open(path); }) ==
        "build context '" + path + "': open '" + path + "': No such file or directory");
}

TEST_CASE("a tar is unpacked, whatever it is compressed with, and removed again") {
  const Workspace work;
  const auto tar = tar_of({{"/Dockerfile", "FROM scratch\n"}, {"/d/f", "content"}});
  work.write("plain", tar);
  work.write("gzip", compressed(tar, Compression::gzip));
  work.write("zstd", compressed(tar, Compression::zstd));
  for (const auto* name : {"plain", "gzip", "zstd"}) {
    CAPTURE(name);
    std::string unpacked;
    {
      const auto context = work.open("tar://" + work.path(name));
      unpacked = context.path;
      CHECK(text_in(context, "d/f") == "content");
      CHECK(context.path.starts_with(work.path()));
      struct stat info {};
      REQUIRE(::fstatat(context.root.get(), "d/f", &info, 0) == 0);
      CHECK(info.st_uid == ::geteuid());
    }
    CHECK_FALSE(std::filesystem::exists(unpacked));
  }
  CHECK(text_in(work.open("tar://" + work.path("gzip"), "d"), "f") == "content");
}

TEST_CASE("what is in directories that nobody may write is unpacked, by anybody") {
  const Workspace work;
  TextSink out;
  TarWriter writer(out);
  LayerEntry directory;
  directory.path = RootedPath::parse("/ro");
  directory.meta.type = FileType::directory;
  directory.meta.mode = 0555;
  writer.add(directory, nullptr);
  LayerEntry file;
  file.path = RootedPath::parse("/ro/f");
  file.meta.mode = 0444;
  writer.add(file, nullptr);
  writer.finish();
  work.write("tar", out.text());
  const auto context = work.open("tar://" + work.path("tar"));
  struct stat info {};
  REQUIRE(::fstatat(context.root.get(), "ro", &info, 0) == 0);
  CHECK((info.st_mode & 07777U) == 0555U);
  CHECK(::faccessat(context.root.get(), "ro/f", F_OK, 0) == 0);
  ::fchmodat(context.root.get(), "ro", 0755, 0); // so that it can be removed
}

TEST_CASE("a tar may come from standard input") {
  const Workspace work;
  work.write("tar", compressed(tar_of({{"/f", "x"}}), Compression::gzip));
  for (const auto* name : {"tar://stdin", "-"}) {
    const auto input = open_at(work.fd(), "tar", O_RDONLY);
    const auto context = open_local_context({name, "", work.path(), input});
    CHECK(text_in(context, "f") == "x");
  }
}

TEST_CASE("what is no tar is refused, and leaves nothing behind") {
  const Workspace work;
  work.write("empty", "");
  work.write("junk", std::string(2000, 'x'));
  const auto whole = compressed(tar_of({{"/f", std::string(100000, 'y')}}), Compression::gzip);
  work.write("cut", whole.substr(0, whole.size() / 2));
  for (const auto* name : {"empty", "junk", "cut"}) {
    CAPTURE(name);
    const auto context = "tar://" + work.path(name);
    CHECK(error_of([&] {
            work.open(context);
          }).starts_with("build context '" + context + "': unpack " + work.path(name) + ": "));
  }
  CHECK(list_directory(work.fd()) == std::vector<std::string>{"cut", "empty", "junk"});
}

TEST_CASE("the Dockerfile is looked for in the working directory, then in the context") {
  const Workspace work;
  work.write("ctx/Dockerfile", "in context");
  work.write("ctx/docker/prod", "deep");
  work.write("cwd/other", "here");
  const auto context = work.open(work.path("ctx"));
  const auto cwd = open_at(work.fd(), "cwd", O_RDONLY | O_DIRECTORY);
  CHECK(find_dockerfile(context, "Dockerfile", cwd).text == "in context");
  CHECK(find_dockerfile(context, "docker/prod", cwd).text == "deep");
  CHECK(find_dockerfile(context, "other", cwd).text == "here");
  CHECK(find_dockerfile(context, work.path("cwd/other"), cwd).text == "here");
  work.write("cwd/Dockerfile", "in cwd");
  const auto found = find_dockerfile(context, "Dockerfile", cwd);
  CHECK(found.text == "in cwd");
  CHECK(found.name == "Dockerfile");
}

TEST_CASE("dockerfile will do for Dockerfile, but no other name is bent") {
  const Workspace work;
  work.write("ctx/dockerfile", "lower");
  work.write("cwd/x", "");
  const auto context = work.open(work.path("ctx"));
  const auto cwd = open_at(work.fd(), "cwd", O_RDONLY | O_DIRECTORY);
  CHECK(find_dockerfile(context, "Dockerfile", cwd).text == "lower");
  CHECK(find_dockerfile(context, "Dockerfile", cwd).name == "dockerfile");
  CHECK(error_of([&] { find_dockerfile(context, "Prod", cwd); }) ==
        "Dockerfile 'Prod' is neither in the working directory nor in the build context '" +
            work.path("ctx") +
            "'\nhint: please provide a valid path to a Dockerfile within the build context with "
            "--dockerfile");
}

TEST_CASE("a directory is no Dockerfile, and a link does not lead out of the context") {
  const Workspace work;
  work.write("ctx/Dockerfile/x", "");
  work.write("ctx/real", "real");
  work.write("secret", "no");
  std::filesystem::create_symlink("real", work.path("ctx/link"));
  std::filesystem::create_symlink("../secret", work.path("ctx/out"));
  work.write("cwd/x", "");
  const auto context = work.open(work.path("ctx"));
  const auto cwd = open_at(work.fd(), "cwd", O_RDONLY | O_DIRECTORY);
  CHECK(error_of([&] { find_dockerfile(context, "Dockerfile", cwd); }) != "");
  CHECK(find_dockerfile(context, "link", cwd).text == "real");
  CHECK(error_of([&] { find_dockerfile(context, "out", cwd); }) != "");
}

TEST_CASE("the ignore file beside the Dockerfile goes before that of the context") {
  const Workspace work;
  work.write("ctx/Dockerfile", "");
  work.write("ctx/docker/prod", "");
  work.write("ctx/docker/prod.dockerignore", "own\n");
  work.write("ctx/.dockerignore", "# common\n\ncommon\n");
  work.write("cwd/far", "");
  work.write("cwd/far.dockerignore", "far\n");
  const auto context = work.open(work.path("ctx"));
  const auto cwd = open_at(work.fd(), "cwd", O_RDONLY | O_DIRECTORY);
  const auto rules = [&](const char* name) {
    const auto found = find_dockerfile(context, name, cwd);
    REQUIRE(found.ignore.size() == 1);
    return found.ignore_name + ":" + std::to_string(found.ignore[0].number) + " " +
           found.ignore[0].pattern;
  };
  CHECK(rules("Dockerfile") == ".dockerignore:3 common");
  CHECK(rules("docker/prod") == "docker/prod.dockerignore:1 own");
  CHECK(rules("far") == "far.dockerignore:1 far");
}

TEST_CASE("without an ignore file nothing is ignored") {
  const Workspace work;
  work.write("ctx/Dockerfile", "");
  const auto found = find_dockerfile(work.open(work.path("ctx")), "Dockerfile", work.fd());
  CHECK(found.ignore_name == "");
  CHECK(found.ignore.empty());
}
