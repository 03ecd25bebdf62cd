#include "builder/outputs/outputs.hpp"

#include "builder/layers/write_layout.hpp"
#include "builder/outputs/reports.hpp"
#include "builder/outputs/write_docker_archive.hpp"
#include "registry/push.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <set>

namespace cairn {

namespace {

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
                .is_there = image.was_sent,
                .immutable_tags = options.immutable_tags},
               services.progress);
  } catch (Error& error) {
    keep_for_later(image, options, error);
    throw;
  }
  tell_pushed(options.destinations, image.manifest.digest(), services.progress);
}

} // namespace

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
