#include "engine.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <filesystem>
#include <fstream>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("engine/unpacking");

namespace {

struct Overlays : UnpackingEngine {
  Overlays() : UnpackingEngine(IsolationMode::namespace_overlay) {}
};
struct Directories : UnpackingEngine {
  Directories() : UnpackingEngine(IsolationMode::namespace_directory) {}
};

const std::string two_stages_on_one_base = "FROM r.example/base AS a\nRUN one\nFROM a\nRUN two\n";

} // namespace

TEST_CASE_FIXTURE(Overlays, "a base is unpacked once for stages that are built on each other") {
  if (!may_unpack())
    return;
  const auto stored = base("base", {{{"etc/os", "linux"}}});
  commands["one"].makes = {{"1", "first"}};
  commands["two"].makes = {{"2", "second"}};
  build(two_stages_on_one_base);
  CHECK(journal.count("root") == 2);
  CHECK(registry.count("GET", stored.manifest.layers.front().digest.str()) == 1);
  CHECK(image().layers ==
        std::vector<Files>{{{"etc/os", "linux"}}, {{"1", "first"}}, {{"2", "second"}}});
}

TEST_CASE_FIXTURE(Overlays, "stages on one base that are built at the same time fetch it once") {
  if (!may_unpack())
    return;
  const auto stored = base("base", {{{"etc/os", "linux"}}, {{"more", "files"}}});
  commands["one"].makes = {{"1", "first"}};
  commands["two"].makes = {{"2", "second"}};
  build("FROM r.example/base AS a\nRUN one\nFROM r.example/base AS b\nRUN two\n"
        "FROM r.example/base\nCOPY --from=a /1 /\nCOPY --from=b /2 /\nRUN three\n");
  for (const auto& layer : stored.manifest.layers)
    CHECK(registry.count("GET", layer.digest.str()) == 1);
  CHECK(image().layers.at(2) == Files{{"1", "first"}});
  CHECK(image().layers.at(3) == Files{{"2", "second"}});
}

TEST_CASE_FIXTURE(Directories, "each of the stages on a base gets it in a directory of its own") {
  if (!may_unpack())
    return;
  const auto stored = base("base", {{{"etc/os", "linux"}}});
  commands["one"].makes = {{"etc/os", "other"}};
  std::string os;
  commands["two"].does = [&](const std::string& root) {
    os = read_file(current_directory(), root + "/etc/os", 100);
  };
  build("FROM r.example/base AS a\nRUN one\nFROM r.example/base AS b\nRUN two\n"
        "FROM r.example/base\nCOPY --from=a /etc/os /one\nCOPY --from=b /etc/os /two\nRUN three\n");
  CHECK(registry.count("GET", stored.manifest.layers.front().digest.str()) == 1);
  CHECK(os == "linux");
  CHECK(image().layers.at(1) == Files{{"one", "other"}});
  CHECK(image().layers.at(2) == Files{{"two", "linux"}});
}

TEST_CASE_FIXTURE(Overlays, "a layer that two bases have in common is fetched once") {
  if (!may_unpack())
    return;
  const Files common = {{"etc/os", "linux"}};
  const auto stored = base("one", {common, {{"of-one", "1"}}});
  base("two", {common, {{"of-two", "2"}}});
  commands["one"].makes = {{"1", "first"}};
  commands["two"].makes = {{"2", "second"}};
  build("FROM r.example/one AS a\nRUN one\n"
        "FROM r.example/two\nRUN two\nCOPY --from=a /of-one /etc/os /1 /copied/\n");
  CHECK(registry.count("GET", stored.manifest.layers.front().digest.str()) == 1);
  CHECK(image().layers.back() ==
        Files{{"copied/1", "first"}, {"copied/of-one", "1"}, {"copied/os", "linux"}});
}

TEST_CASE_FIXTURE(Directories,
                  "files of a COPY that a command only touched are in no layer again") {
  if (!may_unpack())
    return;
  base("base", {{{"etc/os", "linux"}}});
  write("f", "text");
  write("empty", "");
  commands["touch"].does = [&](const std::string& root) {
    for (const auto* name : {"/f", "/empty", "/etc/os"}) {
      const auto path = root + name;
      struct stat info {};
      REQUIRE(::stat(path.c_str(), &info) == 0);
      CHECK(::chmod(path.c_str(), info.st_mode & 07777) == 0);
    }
  };
  build("FROM r.example/base\nCOPY f empty /\nRUN touch\n");
  CHECK(image().layers.back() == Files{});
}

TEST_CASE_FIXTURE(Overlays, "an overlay and a directory give one image") {
  if (!may_unpack())
    return;
  base("base", {{{"etc/os", "linux"}}});
  write("f", "text");
  commands["one"].makes = {{"etc/one", "first"}};
  const std::string text = "FROM r.example/base\nCOPY f /\nRUN one\n";
  build(text);
  const auto overlay = image().layers;
  mode = IsolationMode::namespace_directory;
  build(text);
  CHECK(image().layers == overlay);
}

TEST_CASE_FIXTURE(Directories, "a command sees what the steps before it made") {
  if (!may_unpack())
    return;
  base("base", {{{"etc/os", "linux"}}});
  write("f", "text");
  commands["one"].makes = {{"1", "first"}};
  build("FROM r.example/base\nCOPY f /\nRUN one\n");
  CHECK(image().layers.back() == Files{{"1", "first"}});
}

TEST_CASE_FIXTURE(Directories,
                  "for a file that was moved out of a command's way no layer is read") {
  if (!may_unpack())
    return;
  const auto stored = base("base", {{{"etc/hosts", "image"}, {"f", "text"}}});
  const auto moved = [](const std::string& path) {
    std::filesystem::rename(path, path + "-");
    std::filesystem::rename(path + "-", path);
  };
  commands["one"].makes = {{"1", "first"}};
  commands["one"].does = [&](const std::string& root) { moved(root + "/etc/hosts"); };
  build("FROM r.example/base\nRUN one\n");
  CHECK(image().layers.back() == Files{{"1", "first"}});
  CHECK(registry.count("GET", stored.manifest.layers.front().digest.str()) == 1);
}

TEST_CASE_FIXTURE(Directories,
                  "what a command wrote to a covered file by another name is in the layer") {
  if (!may_unpack())
    return;
  base("base", {{{"etc/hosts", "image"}, {"f", "text"}}});
  commands["one"].does = [](const std::string& root) {
    std::filesystem::create_hard_link(root + "/etc/hosts", root + "/other");
  };
  commands["two"].does = [](const std::string& root) {
    const auto time = std::filesystem::last_write_time(root + "/other");
    std::ofstream(root + "/other") << "IMAGE";
    std::filesystem::last_write_time(root + "/other", time);
  };
  build("FROM r.example/base\nRUN one\nRUN two\n");
  CHECK(image().layers.back().at("etc/hosts") == "IMAGE");
}

TEST_CASE_FIXTURE(Engine,
                  "of a fake root each layer is applied once, and steps' own are committed") {
  base("base", {{{"a", "1"}}, {{"b", "2"}}});
  build("FROM r.example/base\nRUN one\nRUN two\n");
  CHECK(journal.count("apply 2") == 1);
  CHECK(journal.count("apply") == 1);
  CHECK(journal.count("commit") == 2);
}

TEST_CASE_FIXTURE(Engine, "files are admitted to a root only when a command is to see them") {
  write("f", "text");
  build("FROM scratch\nRUN one\nCOPY f /seen\nRUN two\nCOPY f /unseen\n");
  CHECK(journal.count("admit /seen") == 1);
  CHECK(journal.count("admit /unseen") == 0);
}

TEST_SUITE_END();
