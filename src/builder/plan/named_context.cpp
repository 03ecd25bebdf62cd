#include "builder/plan/named_context.hpp"

#include "builder/plan/remote_source.hpp"
#include "context/local.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

namespace cairn {

namespace {

constexpr std::string_view image_scheme = "docker-image://";
constexpr std::string_view layout_scheme = "oci-layout://";

/// PATH[:TAG][@DIGEST], taken apart.
struct LayoutWords {
  std::string_view path;
  std::optional<std::string_view> tag;
  std::optional<std::string_view> digest;
};

LayoutWords layout_words(std::string_view text) {
  LayoutWords words{text, std::nullopt, std::nullopt};
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    words.digest = text.substr(at + 1);
    words.path = text.substr(0, at);
  }
  const auto colon = words.path.rfind(':');
  if (colon != std::string_view::npos && words.path.find('/', colon) == std::string_view::npos) {
    words.tag = words.path.substr(colon + 1);
    words.path = words.path.substr(0, colon);
  }
  return words;
}

ImageSource layout_source(std::string_view text, const Platform& platform) {
  ImageSource image;
  image.name = std::string(layout_scheme) + std::string(text);
  image.platform = platform;
  const auto words = layout_words(text);
  if (words.digest)
    image.layout_digest = Digest::parse(*words.digest);
  if (words.path.empty())
    throw Error("'{}' names no directory", image.name);
  image.layout_tag = words.tag;
  image.layout_path = words.path;
  return image;
}

/// How Docker Hub's images are called in short: "alpine", "alpine:3".
std::string_view short_name(std::string_view name) {
  for (const std::string_view host : {"docker.io/", "index.docker.io/"})
    if (name.starts_with(host))
      name.remove_prefix(host.size());
  constexpr std::string_view official = "library/";
  if (name.starts_with(official) && name.find('/', official.size()) == std::string_view::npos)
    name.remove_prefix(official.size());
  constexpr std::string_view latest = ":latest";
  if (name.ends_with(latest))
    name.remove_suffix(latest.size());
  return name;
}

/// How well a context called `known` fits: 0 not at all, more for the platform than for spelling.
int fitness(std::string_view known, std::string_view name, const Platform& platform) {
  int fits = 1;
  if (const auto at = known.find("::"); at != std::string_view::npos) {
    if (Platform::parse(known.substr(at + 2)) != platform)
      return 0;
    known = known.substr(0, at);
    fits += 2;
  }
  if (equals_ignoring_case(known, name))
    return fits + 1;
  return equals_ignoring_case(short_name(known), short_name(name)) ? fits : 0;
}

bool is_directory(std::string_view path) {
  return try_open_at(current_directory(), std::string(path), O_PATH | O_DIRECTORY).has_value();
}

} // namespace

std::string ImageSource::key() const {
  return (reference ? reference->str() : name) + " " + platform.str();
}

NamedContext parse_named_context(std::string_view source, const Platform& platform) {
  if (source.starts_with(image_scheme)) {
    source.remove_prefix(image_scheme.size());
    if (source == "scratch")
      return EmptyFilesystem{};
    ImageSource image;
    image.name = source;
    image.reference = ImageRef::parse(source);
    image.platform = platform;
    return image;
  }
  if (source.starts_with(layout_scheme))
    return layout_source(source.substr(layout_scheme.size()), platform);
  // What could be a path is one when it is there.
  if (auto git = within([&] { return parse_git_source(source); }, "--build-context"))
    if (!git->reference.looks_local || !is_directory(source))
      return *std::move(git);
  if (is_url(source))
    return UrlSource::parse(source);
  return DirectorySource{std::string(source)};
}

std::optional<std::string> local_path_of(std::string_view source) {
  if (source.starts_with(layout_scheme))
    return std::string(layout_words(source.substr(layout_scheme.size())).path);
  return local_path(source);
}

std::optional<NamedContext> find_named_context(const std::vector<NameValue>& contexts,
                                               std::string_view name, const Platform& platform) {
  if (equals_ignoring_case(name, "scratch") || equals_ignoring_case(name, "context"))
    return std::nullopt;
  const std::string* found = nullptr;
  int best = 1;
  for (const auto& [known, source] : contexts)
    if (const int fits = fitness(known, name, platform); fits >= best) {
      best = fits;
      found = &source;
    }
  return found != nullptr ? std::optional(parse_named_context(*found, platform)) : std::nullopt;
}

} // namespace cairn
