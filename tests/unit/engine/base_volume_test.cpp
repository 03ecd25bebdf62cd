#include "engine.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("engine/base_volume");

namespace {

const Files lower = {{"etc/os", "linux"}, {"etc/old", "gone later"}, {"usr/lib/so", "library"}};
const Files upper = {{"etc/.wh.old", ""}, {"etc/more", "text"}};

/// An Engine with r.example/base of two layers, which is mounted as well, and an index of which is
/// in --cache-dir.
class Mounted : public UnpackingEngine {
public:
  explicit Mounted(IsolationMode with)
      : UnpackingEngine(with), stored(base("base", {lower, upper})) {
    options.execution.base_volumes = {{ImageRef::parse("r.example/base"), path("volume")}};
    fill();
    make_directories(path("cache"));
    options.execution.cache_directory = path("cache");
    options.cache.enabled = true;
  }

  std::string volume(const std::string& name) const { return path("volume/" + name); }

  void fill() const {
    for (const auto& [name, text] :
         Files{{"etc/os", "linux"}, {"usr/lib/so", "library"}, {"etc/more", "text"}}) {
      make_directories(volume(std::filesystem::path(name).parent_path()));
      std::ofstream(volume(name)) << text;
      set_old(volume(name));
    }
  }

  /// The time that all files of the layers have.
  static void set_old(const std::string& name) {
    const std::array<timespec, 2> times{};
    REQUIRE(::utimensat(AT_FDCWD, name.c_str(), times.data(), 0) == 0);
  }

  /// A build that reads the layers for their index.
  void index() {
    options.output.push = PushImage::no;
    const auto volumes = std::exchange(options.execution.base_volumes, {});
    write("f", "text");
    build("FROM r.example/base\nCOPY f /etc/\n");
    options.execution.base_volumes = volumes;
    std::filesystem::remove_all(path("cache/blobs"));
    options.output.push = PushImage::yes;
    registry.forget_lines();
  }

  std::size_t fetched() const {
    std::size_t count = 0;
    for (const auto& layer : stored.manifest.layers)
      count += registry.count("GET", layer.digest.str());
    return count;
  }

  StoredImage stored;
};

struct MountedOverlay : Mounted {
  MountedOverlay() : Mounted(IsolationMode::namespace_overlay) {}
};
struct MountedDirectory : Mounted {
  MountedDirectory() : Mounted(IsolationMode::supervised) {}
};

constexpr const char* not_used = "--base-volume: ";

} // namespace

TEST_CASE_FIXTURE(MountedOverlay, "no layer of a base that is mounted is fetched for commands") {
  if (!may_unpack())
    return;
  index();
  options.output.push = PushImage::no;
  std::string below;
  try_lower = [&](const std::string& lower) { below = lower; };
  commands["one"].makes = {{"etc/one", "first"}};
  build("FROM r.example/base\nRUN one\n");
  CHECK(ran() == std::vector<std::string>{"one"});
  CHECK(fetched() == 0);
  CHECK(below == path("volume"));
  CHECK(warnings(not_used) == 0);
}

TEST_CASE_FIXTURE(MountedOverlay, "an image on a mounted base is the one that it always is") {
  if (!may_unpack())
    return;
  const std::string text = "FROM r.example/base AS a\nRUN one\nFROM a\nRUN two\nCOPY --from=a "
                           "/etc/more /usr/lib/so /c/\n";
  commands["one"].makes = {{"etc/one", "first"}};
  commands["two"].makes = {{"etc/two", "second"}};
  const auto with = build(text);
  options.execution.base_volumes.clear();
  const auto without = build(text);
  CHECK(with.digest == without.digest);
  CHECK(image().layers.back() == Files{{"c/more", "text"}, {"c/so", "library"}});
}

TEST_CASE_FIXTURE(MountedDirectory, "a mounted base is copied to where commands want it") {
  if (!may_unpack())
    return;
  index();
  options.output.push = PushImage::no;
  std::string os;
  bool has_old = true;
  commands["one"].does = [&](const std::string& root) {
    os = read_file(current_directory(), root + "/etc/os", 100);
    has_old = std::filesystem::exists(root + "/etc/old");
  };
  commands["two"].does = [&](const std::string& root) {
    os += read_file(current_directory(), root + "/etc/more", 100);
  };
  build("FROM r.example/base AS a\nRUN one\nFROM r.example/base\nCOPY --from=a /etc/os /x\nRUN "
        "two\n");
  CHECK(os == "linuxtext");
  CHECK_FALSE(has_old);
  CHECK(fetched() == 0);
  CHECK(warnings(not_used) == 0);
}

TEST_CASE_FIXTURE(MountedDirectory, "a touched file is compared with the one in the mount") {
  if (!may_unpack())
    return;
  index();
  options.output.push = PushImage::no;
  commands["one"].does = [&](const std::string& root) {
    ::chmod((root + "/etc/os").c_str(), 0600);
    ::chmod((root + "/etc/os").c_str(), 0644);
  };
  build("FROM r.example/base\nRUN one\n");
  CHECK(fetched() == 0);
}

TEST_CASE("a mount that is not the base is told of, and the base is fetched") {
  if (!may_unpack())
    return;
  for (const auto mode : {IsolationMode::namespace_overlay, IsolationMode::supervised}) {
    CAPTURE(isolation_mode_name(mode));
    Mounted engine(mode);
    std::ofstream(engine.volume("etc/extra")) << "x";
    engine.commands["one"].makes = {{"etc/one", "first"}};
    engine.build("FROM r.example/base\nRUN one\n");
    CHECK(engine.warnings("--base-volume: " + engine.path("volume") +
                          " is not used, and 'r.example/base' is pulled as usual: "
                          "'/etc/extra' is not in the image") == 1);
    CHECK(engine.fetched() >= 2);
    CHECK(engine.image().layers.back() == Files{{"etc/one", "first"}});
  }
}

TEST_CASE_FIXTURE(MountedOverlay, "a mount that no overlay can have below it is not used") {
  if (!may_unpack())
    return;
  try_lower = [](const std::string&) { throw Error("mount overlay: Invalid argument"); };
  commands["one"].makes = {{"etc/one", "first"}};
  build("FROM r.example/base\nRUN one\n");
  CHECK(warnings(not_used) == 1);
  CHECK(image().layers.back() == Files{{"etc/one", "first"}});
}

TEST_CASE_FIXTURE(MountedOverlay, "unpacked layers in --cache-dir and a mount do not mix") {
  if (!may_unpack())
    return;
  const auto volumes = std::exchange(options.execution.base_volumes, {});
  options.cache.enabled = true;
  commands["one"].makes = {{"etc/one", "first"}};
  build("FROM r.example/base\nRUN one\n");
  bool removed = false;
  for (const auto& entry : std::filesystem::directory_iterator(path("cache/unpacked")))
    if (!std::exchange(removed, true))
      std::filesystem::remove_all(entry.path());
  options.execution.base_volumes = volumes;
  registry.forget_lines();
  std::string below;
  try_lower = [&](const std::string& lower) { below = lower; };
  commands["other"].makes = {{"etc/other", "second"}};
  build("FROM r.example/base\nRUN other\nCOPY --from=r.example/base /usr/lib/so /c\n");
  CHECK(below == path("volume"));
  CHECK(fetched() == 0);
  CHECK(image().layers.back() == Files{{"c", "library"}});
}

TEST_CASE_FIXTURE(MountedOverlay, "files are copied from the mount of an image") {
  if (!may_unpack())
    return;
  index();
  options.output.push = PushImage::no;
  build("FROM scratch\nCOPY --from=r.example/base /etc/more /usr/lib/so /c/\n");
  CHECK(fetched() == 0);
}

TEST_CASE_FIXTURE(MountedOverlay, "a base that nothing has to be unpacked of is not looked at") {
  std::filesystem::remove_all(path("volume"));
  write("f", "text");
  build("FROM r.example/base\nCOPY f /etc/\n");
  CHECK(warnings(not_used) == 0);
  CHECK(image().layers.back() == Files{{"etc/f", "text"}});
}

TEST_CASE_FIXTURE(Engine, "a mount of an image that no stage uses is told of") {
  base("base", {{{"a", "1"}}});
  options.execution.base_volumes = {{ImageRef::parse("r.example/other:1"), "/nowhere"}};
  build("FROM r.example/base\nRUN one\n");
  CHECK(warnings("--base-volume: no FROM of this build uses 'r.example/other:1'") == 1);
}

TEST_CASE_FIXTURE(InPlaceEngine, "in place a mount is not used, and a line says so") {
  base("base", {{{"a", "1"}}});
  options.execution.base_volumes = {{ImageRef::parse("r.example/base"), "/nowhere"}};
  build("FROM r.example/base\nRUN one\n");
  CHECK(progress.told().count("info: --base-volume: 'r.example/base' is not used") == 1);
  CHECK(warnings(not_used) == 0);
}

TEST_SUITE_END();
