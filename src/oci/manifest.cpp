#include "oci/manifest.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

Annotations annotations_from_json(const Json* json) {
  Annotations annotations;
  if (json != nullptr)
    for (const auto& [key, value] : json->as_object())
      annotations[key] = value.as_string();
  return annotations;
}

Json annotations_to_json(const Annotations& annotations) {
  Json json = Json::object();
  for (const auto& [key, value] : annotations)
    json.add_member(key, value);
  return json;
}

Descriptor Descriptor::from_json(const Json& json) {
  const auto size = json.int_or("size", -1);
  if (size < 0)
    throw Error("descriptor has no size");
  Descriptor descriptor{json.string_or("mediaType", ""),
                        Digest::parse(json.string_or("digest", "")),
                        static_cast<std::uint64_t>(size)};
  if (const auto* platform = json.find("platform"))
    descriptor.platform = Platform::from_json(*platform);
  descriptor.annotations = annotations_from_json(json.find("annotations"));
  return descriptor;
}

Json Descriptor::to_json() const {
  Json json = Json::object();
  json.set("mediaType", media_type)
      .set("digest", digest.str())
      .set("size", static_cast<std::int64_t>(size));
  if (!annotations.empty())
    json.set("annotations", annotations_to_json(annotations));
  if (platform)
    json.set("platform", platform->to_json());
  return json;
}

namespace {

std::vector<Descriptor> descriptors(const Json& json, std::string_view key) {
  std::vector<Descriptor> list;
  if (const auto* array = json.find(key))
    for (const auto& element : array->as_array())
      list.push_back(Descriptor::from_json(element));
  return list;
}

Json descriptors_to_json(const std::vector<Descriptor>& list) {
  Json json = Json::array();
  for (const auto& descriptor : list)
    json.push(descriptor.to_json());
  return json;
}

/// The media type a document states, or the one it was served with when it states none.
std::string own_media_type(const Json& json, std::string_view served) {
  return json.string_or("mediaType", served);
}

/// Builders write null for the layers of an empty image.
bool has_layers(const Json& json) {
  const auto& members = json.as_object();
  return std::any_of(members.begin(), members.end(),
                     [](const auto& member) { return member.first == "layers"; });
}

} // namespace

Manifest Manifest::parse(std::string raw, std::string_view served) {
  return within(
      [&] {
        const auto json = Json::parse(raw);
        if (json.int_or("schemaVersion", 0) != 2)
          throw Error("schema version {} is not supported, only 2 is",
                      json.int_or("schemaVersion", 0));
        auto type = own_media_type(json, served);
        const auto* pointed = json.find("config");
        if (pointed == nullptr || !has_layers(json))
          throw Error("'{}' is not an image manifest", printable(type));
        return Manifest{type, Descriptor::from_json(*pointed), descriptors(json, "layers"),
                        annotations_from_json(json.find("annotations")), std::move(raw)};
      },
      "manifest");
}

Manifest Manifest::make(ImageFormat format, Descriptor config, std::vector<Descriptor> layers,
                        Annotations annotations) {
  Json json = Json::object();
  json.set("schemaVersion", 2)
      .set("mediaType", manifest_type(format))
      .set("config", config.to_json())
      .set("layers", descriptors_to_json(layers));
  if (!annotations.empty())
    json.set("annotations", annotations_to_json(annotations));
  return {std::string(manifest_type(format)), std::move(config), std::move(layers),
          std::move(annotations), json.compact()};
}

Descriptor Manifest::descriptor() const {
  return {media_type, digest(), raw.size()};
}

ImageFormat Manifest::format() const noexcept {
  return media_type == media_type::docker_manifest ? ImageFormat::docker : ImageFormat::oci;
}

Index Index::parse(std::string raw, std::string_view served) {
  return within(
      [&] {
        const auto json = Json::parse(raw);
        if (json.find("manifests") == nullptr)
          throw Error("there is no list of manifests");
        return Index{own_media_type(json, served), descriptors(json, "manifests"),
                     annotations_from_json(json.find("annotations")), std::move(raw)};
      },
      "index");
}

Index Index::make(ImageFormat format, std::vector<Descriptor> manifests, Annotations annotations) {
  const auto type = format == ImageFormat::oci ? media_type::oci_index : media_type::docker_index;
  Json json = Json::object();
  json.set("schemaVersion", 2)
      .set("mediaType", type)
      .set("manifests", descriptors_to_json(manifests));
  if (!annotations.empty())
    json.set("annotations", annotations_to_json(annotations));
  return {std::string(type), std::move(manifests), std::move(annotations), json.compact()};
}

const Descriptor* Index::select(const Platform& platform) const {
  const Descriptor* best = nullptr;
  for (const auto& candidate : manifests) {
    if (candidate.annotations.contains("vnd.docker.reference.type") || !candidate.platform ||
        !platform.accepts(*candidate.platform))
      continue;
    // The same variant beats an older one; among equals the first wins.
    if (best == nullptr || (best->platform->variant != platform.variant &&
                            candidate.platform->variant > best->platform->variant))
      best = &candidate;
  }
  // An index of one image that does not say what it is for is that image.
  if (best == nullptr && manifests.size() == 1 && !manifests[0].platform)
    best = &manifests[0];
  return best;
}

std::string Index::platforms() const {
  std::vector<std::string> names;
  for (const auto& manifest : manifests)
    if (manifest.platform && manifest.platform->os != "unknown")
      names.push_back(manifest.platform->str());
  return join(names, ", ");
}

std::string document_type(std::string_view raw) {
  const auto json = Json::parse(raw);
  const bool is_list = json.find("manifests") != nullptr;
  return own_media_type(json, is_list ? media_type::oci_index : media_type::oci_manifest);
}

} // namespace cairn
