#include "oci/manifest.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace cairn;

namespace {

const std::string digest = "sha256:" + std::string(64, 'b');

std::string descriptor(const std::string& more = "") {
  return R"({"mediaType":"application/x","size":3,"digest":")" + digest + "\"" + more + "}";
}

std::string entry(const std::string& architecture, const std::string& variant = "",
                  const std::string& more = "") {
  return descriptor(R"(,"platform":{"os":"linux","architecture":")" + architecture +
                    R"(","variant":")" + variant + "\"}" + more);
}

} // namespace

TEST_SUITE_BEGIN("oci/manifest");

TEST_CASE("a manifest keeps its bytes and is named by them") {
  const std::string raw = R"({ "schemaVersion": 2, "config": )" + descriptor() +
                          R"(, "layers": [)" + descriptor() + "] }";
  const auto manifest = Manifest::parse(raw, media_type::docker_manifest);
  CHECK(manifest.raw == raw);
  CHECK(manifest.digest() == Digest::of(raw));
  CHECK(manifest.format() == ImageFormat::docker);
  CHECK(manifest.layers.size() == 1);
}

TEST_CASE("documents that are no image manifest are refused") {
  for (const auto& raw :
       {std::string("[]"), std::string("{}"), std::string(R"({"schemaVersion":1,"layers":[]})"),
        std::string(R"({"schemaVersion":2,"layers":[]})"),
        R"({"schemaVersion":2,"layers":[],"config":{"size":-1,"digest":")" + digest + "\"}}",
        std::string(R"({"schemaVersion":2,"layers":[],"config":{"size":1,"digest":"x"}})")}) {
    CAPTURE(raw);
    CHECK_THROWS_AS(Manifest::parse(raw, ""), Error);
  }
}

TEST_CASE("the layers of an empty image may be null") {
  const std::string config = R"({"mediaType":"application/vnd.oci.image.config.v1+json","size":2,)"
                             R"("digest":"sha256:)" +
                             std::string(64, 'a') + "\"}";
  const auto text = R"({"schemaVersion":2,"config":)" + config + R"(,"layers":null})";
  CHECK(Manifest::parse(text, "application/vnd.oci.image.manifest.v1+json").layers.empty());
}

TEST_CASE("a made manifest reads back as itself") {
  const Descriptor config{std::string(media_type::oci_config), Digest::parse(digest), 7};
  const auto made = Manifest::make(ImageFormat::oci, config, {config}, {{"k", "v"}});
  const auto read = Manifest::parse(made.raw, "");
  CHECK(read.media_type == media_type::oci_manifest);
  CHECK(read.annotations.at("k") == "v");
  CHECK(read.layers.at(0).size == 7);
}

TEST_CASE("the platform is chosen from an index") {
  const auto index = Index::parse(
      R"({"schemaVersion":2,"manifests":[)" +
          entry("amd64", "",
                R"(,"annotations":{"vnd.docker.reference.type":"attestation-manifest"})") +
          "," + entry("arm", "v6") + "," + entry("arm", "v7") + "," + entry("amd64") + "]}",
      media_type::oci_index);
  CHECK(index.select(Platform::parse("linux/arm/v7"))->platform->variant == "v7");
  CHECK(index.select(Platform::parse("linux/arm/v6"))->platform->variant == "v6");
  CHECK(index.select(Platform::parse("linux/amd64")) == &index.manifests[3]);
  CHECK(index.select(Platform::parse("linux/s390x")) == nullptr);
}

TEST_CASE("layer media types go with the format and the compression") {
  CHECK(layer_type(ImageFormat::oci, Compression::zstd) == media_type::oci_layer_zstd);
  CHECK(layer_type(ImageFormat::docker, Compression::gzip) == media_type::docker_layer_gzip);
  CHECK(compression_of(media_type::oci_layer) == Compression::none);
  CHECK(compression_of(media_type::docker_layer_gzip) == Compression::gzip);
}

TEST_SUITE_END();
