#include "builder/outputs/write_docker_archive.hpp"

#include "fs/archive/tar.hpp"
#include "util/file.hpp"
#include "util/json.hpp"

#include <fcntl.h>

#include <set>

namespace cairn {

namespace {

constexpr std::string_view unnamed_image = "unset-repo/unset-image-name:latest";

LayerEntry archive_member(std::string_view name, std::uint64_t size) {
  LayerEntry entry;
  entry.path = RootedPath::parse(name);
  entry.meta.mode = 0644;
  entry.meta.size = size;
  return entry;
}

std::string layer_member(const Descriptor& layer) {
  return std::string(layer.digest.hex()) + ".tar.gz";
}

/// "index.docker.io/library/x:1" -> "library/x:1" is what docker load names it by; docker itself
/// writes the short form.
std::string docker_name(const ImageRef& ref) {
  return ref.name() + ":" + ref.tag().value_or("latest");
}

std::string archive_manifest(const BuiltImage& image, const std::vector<ImageRef>& names) {
  Json tags = Json::array();
  for (const auto& name : names)
    tags.push(docker_name(name));
  if (names.empty())
    tags.push(unnamed_image);
  Json layers = Json::array();
  for (const auto& layer : image.manifest.layers)
    layers.push(layer_member(layer));
  Json entry = Json::object();
  entry.set("Config", image.manifest.config.digest.str())
      .set("RepoTags", tags)
      .set("Layers", layers);
  return Json(Json::Array{entry}).compact();
}

} // namespace

void write_docker_archive(const BuiltImage& image, const std::string& path,
                          const std::vector<ImageRef>& names) {
  AtomicFile file(path);
  FileSink sink(file.fd());
  TarWriter tar(sink);
  const auto add_text = [&](std::string_view name, const std::string& text) {
    TextSource source(text);
    tar.add(archive_member(name, text.size()), &source);
  };
  add_text(image.manifest.config.digest.str(), image.config);
  std::set<Digest> written;
  for (const auto& layer : image.manifest.layers) {
    if (!written.insert(layer.digest).second)
      continue;
    const auto source = image.open(layer);
    tar.add(archive_member(layer_member(layer), layer.size), source.get());
  }
  add_text("manifest.json", archive_manifest(image, names));
  tar.finish();
  file.commit();
}

} // namespace cairn
