#include "builder/plan/frontend.hpp"

#include "dockerfile/requested_frontend.hpp"
#include "util/text.hpp"

#include <fmt/core.h>

#include <string>

namespace cairn {

namespace {

/// Whether an image, in whatever registry, is Docker's frontend for Dockerfiles.
bool reads_dockerfiles(std::string_view image) {
  if (image == "dockerfile.v0")
    return true;
  image = image.substr(0, image.find('@'));
  const auto colon = image.rfind(':');
  const auto slash = image.rfind('/');
  if (colon != std::string_view::npos && (slash == std::string_view::npos || colon > slash))
    image = image.substr(0, colon);
  for (const std::string_view name : {"docker/dockerfile", "docker/dockerfile-upstream"})
    if (image == name || image.ends_with("/" + std::string(name)))
      return true;
  return false;
}

} // namespace

void report_frontend(std::string_view text, std::string_view file_name,
                     const std::vector<NameValue>& build_args, Progress& progress) {
  std::string place;
  std::string image;
  if (const auto own = requested_frontend(text)) {
    place = own->line > 0 ? fmt::format("{}:{}", file_name, own->line) : std::string(file_name);
    image = own->image;
  }
  for (const auto& [name, value] : build_args)
    if (name == "BUILDKIT_SYNTAX" && !value.empty()) {
      place = "--build-arg BUILDKIT_SYNTAX";
      image = value.substr(0, value.find(' '));
    }
  if (image.empty())
    return;
  if (reads_dockerfiles(image))
    progress.debug("{}: the frontend {} is built in, as of 1.26", place, printable(image));
  else
    progress.warn("{}: the frontend {} is not run: {} is read as a Dockerfile", place,
                  printable(image), file_name);
}

} // namespace cairn
