#include "builder/images/image_resolution_cache.hpp"
#include "util/file.hpp"
#include "util/progress.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cairn;

namespace {

constexpr std::string_view manifest_text =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"})";

struct Memory {
  TempDir directory{"/tmp"};
  SilentProgress progress;
  CacheDirectory cache{directory.path(), progress};
  Time now = from_unix(1'700'000'000);
  ImageResolutionCache memory{cache, std::chrono::hours(24), [this] { return now; }};
  ImageRef ref = ImageRef::parse("registry.example/app:1");
  Digest digest = Digest::of(manifest_text);

  void write(const std::string& name, std::string_view text) const {
    const auto path = directory.path() + "/" + name;
    make_directories(path.substr(0, path.rfind('/')));
    AtomicFile file(path);
    file.write(text);
    file.commit();
  }
  std::string record() const {
    const auto names = open_at(current_directory(), directory.path() + "/names", 0);
    return "names/" + list_directory(names).at(0);
  }
};

} // namespace

TEST_CASE("memory: a name is remembered for as long as it counts") {
  Memory m;
  CHECK_FALSE(m.memory.find(m.ref));
  m.memory.remember(m.ref, m.digest);
  m.now += std::chrono::hours(5);
  REQUIRE(m.memory.find(m.ref));
  CHECK(m.memory.find(m.ref)->digest == m.digest);
  CHECK(m.memory.age(*m.memory.find(m.ref)) == "5 hours");
  CHECK_FALSE(m.memory.find(m.ref.with_tag("2")));
  m.now += std::chrono::hours(19);
  CHECK_FALSE(m.memory.find(m.ref));
}

TEST_CASE("memory: a manifest is what its digest says, with the type that it states") {
  const Memory m;
  CHECK_FALSE(m.memory.manifest(m.digest));
  m.memory.keep({std::string(manifest_text), "", m.digest});
  REQUIRE(m.memory.manifest(m.digest));
  CHECK(m.memory.manifest(m.digest)->media_type == "application/vnd.oci.image.manifest.v1+json");
  const auto blob = "blobs/sha256/" + std::string(m.digest.hex());
  m.write(blob, "{}");
  CHECK_FALSE(m.memory.manifest(m.digest));
  // What is damaged is written over.
  m.memory.keep({std::string(manifest_text), "", m.digest});
  CHECK(m.memory.manifest(m.digest));
}

TEST_CASE("memory: records that are nonsense are none") {
  Memory m;
  m.memory.remember(m.ref, m.digest);
  const auto name = m.record();
  const auto time = R"("time":"2023-11-14T22:13:20Z")";
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"),
        fmt::format(R"({{"name":"{}","digest":"sha256:x",{}}})", m.ref.str(), time),
        fmt::format(R"({{"name":"{}","digest":"{}","time":"never"}})", m.ref.str(), m.digest.str()),
        fmt::format(R"({{"name":"other","digest":"{}",{}}})", m.digest.str(), time),
        fmt::format(R"({{"name":7,"digest":"{}",{}}})", m.digest.str(), time)}) {
    CAPTURE(text);
    m.write(name, text);
    CHECK_FALSE(m.memory.find(m.ref));
  }
  m.write(name,
          fmt::format(R"({{"name":"{}","digest":"{}",{}}})", m.ref.str(), m.digest.str(), time));
  CHECK(m.memory.find(m.ref));
}

TEST_CASE("memory: kaniko's manifest counts by its digest and its age") {
  Memory m;
  m.now = system_now();
  m.write(m.digest.str() + "/blobs/sha256/" + std::string(m.digest.hex()), manifest_text);
  CHECK(m.memory.manifest(m.digest));
  m.now += std::chrono::hours(25);
  CHECK_FALSE(m.memory.manifest(m.digest));
  const auto other = Digest::of("x");
  m.write(other.str(), "no archive");
  m.write(other.str() + ".json", manifest_text);
  m.now = system_now();
  CHECK_FALSE(m.memory.manifest(other));
  CHECK(m.memory.open_layer(other, {"", m.digest, manifest_text.size()}) == nullptr);
}
