#include "build/outputs.hpp"

#include "build/reports.hpp"
#include "fs/tar.hpp"
#include "oci/layout.hpp"
#include "registry/push.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <set>

namespace cairn {

namespace {

constexpr std::string_view unnamed_image = "unset-repo/unset-image-name:latest";

void store_blob(const BuiltImage& image, const BlobStore& store, const Descriptor& blob) {
  if (store.size(blob.digest) == blob.size)
    return;
  BlobStore::Writer writer(store);
  const auto source = image.open(blob);
  copy(*source, writer);
  writer.commit(blob.digest, blob.size);
}

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

std::string layout_tag(const OutputOptions& options) {
  return options.destinations.front().tag().value_or("latest");
}

/// What to type to push what is in a layout.
std::string push_command(const std::string& path, const OutputOptions& options) {
  auto command = "executor push " + path;
  for (const auto& destination : options.destinations)
    command += " --destination " + destination.str();
  return command;
}

/// The push has failed with `error`: the image is kept if that was asked for, and the error says
/// how to go on.
void keep_for_later(const BuiltImage& image, const OutputOptions& options, Error& error) {
  auto path = options.oci_layout_path;
  if (path.empty()) {
    path = options.failed_push_layout_path;
    if (path.empty() && dynamic_cast<const TemporaryError*>(&error) == nullptr)
      return;
    if (path.empty()) {
      error.add_hint("--oci-layout-on-push-failure=DIRECTORY keeps what was built, for executor "
                     "push to try again");
      return;
    }
    try {
      write_layout(image, path, layout_tag(options));
    } catch (const Error& failure) {
      error.add_detail(fmt::format("write OCI layout '{}': {}", path, failure.what()));
      return;
    }
  }
  error.add_hint(
      fmt::format("the image is in the OCI layout {}: {}", path, push_command(path, options)));
}

void push(const BuiltImage& image, const OutputOptions& options, const OutputServices& services) {
  for (const auto& destination : options.destinations)
    services.progress.info("Pushing image to {}", destination.str());
  try {
    push_image(services.registry,
               {.destinations = options.destinations,
                .documents = {document_of(image.manifest)},
                .open = [&](const Descriptor& blob) { return image.open(blob); },
                .known_in = [&](const Digest& blob) { return image.known_in(blob); },
                .immutable_tags = options.immutable_tags},
               services.progress);
  } catch (const Cancelled&) {
    throw;
  } catch (Error& error) {
    keep_for_later(image, options, error);
    throw;
  }
  tell_pushed(options.destinations, image.manifest.digest(), services.progress);
}

} // namespace

void write_layout(const BuiltImage& image, const std::string& path,
                  const std::optional<std::string>& tag) {
  const auto layout = Layout::create(path);
  for (const auto& layer : image.manifest.layers)
    store_blob(image, layout.blobs(), layer);
  layout.blobs().put(image.config);
  layout.blobs().put(image.manifest.raw);
  auto descriptor = image.manifest.descriptor();
  descriptor.platform = ImageConfig::parse(image.config).platform;
  if (tag)
    descriptor.annotations["org.opencontainers.image.ref.name"] = *tag;
  layout.set_index(Index::make(ImageFormat::oci, {std::move(descriptor)}, {}));
}

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

void tell_pushed(const std::vector<ImageRef>& destinations, const Digest& digest,
                 Progress& progress) {
  for (const auto& destination : destinations)
    progress.info("Pushed {}:{}@{}", destination.name(), destination.tag().value_or("latest"),
                  digest.str());
}

void write_outputs(const BuiltImage& image, const OutputOptions& options,
                   const OutputServices& services) {
  auto& progress = services.progress;
  const auto digest = image.manifest.digest();
  if (!options.oci_layout_path.empty()) {
    std::optional<std::string> tag;
    if (!options.destinations.empty())
      tag = layout_tag(options);
    within([&] { write_layout(image, options.oci_layout_path, tag); }, "write OCI layout '{}'",
           options.oci_layout_path);
    progress.info("Wrote OCI layout {}", options.oci_layout_path);
  }
  if (!options.tar_path.empty()) {
    within([&] { write_docker_archive(image, options.tar_path, options.destinations); },
           "write docker archive '{}'", options.tar_path);
    progress.info("Wrote docker archive {}", options.tar_path);
  }
  if (options.push == PushImage::yes && !options.destinations.empty())
    push(image, options, services);
  write_reports({digest, options.destinations, image.base_images, options.push}, options.reports,
                {services.http, services.retry, progress, services.cancel});
}

} // namespace cairn
