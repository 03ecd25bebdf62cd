#include "oci/artifact.hpp"

namespace cairn {

namespace {

constexpr std::string_view empty_type = "application/vnd.oci.empty.v1+json";

} // namespace

Manifest make_artifact(std::string_view type, const Descriptor& blob,
                       const Annotations& annotations) {
  const Descriptor config{std::string(empty_type), Digest::of(empty_document),
                          empty_document.size()};
  auto manifest = Manifest::make(ImageFormat::oci, config, {blob}, annotations);
  auto json = Json::parse(manifest.raw);
  json.set("artifactType", type);
  manifest.raw = json.compact();
  return manifest;
}

std::string artifact_type(const Manifest& manifest) {
  return Json::parse(manifest.raw).string_or("artifactType", "");
}

} // namespace cairn
