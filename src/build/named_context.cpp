#include "build/named_context.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

constexpr std::string_view image_scheme = "docker-image://";
constexpr std::string_view layout_scheme = "oci-layout://";

ImageSource layout_source(std::string_view text, const Platform& platform) {
  ImageSource image;
  image.name = std::string(layout_scheme) + std::string(text);
  image.platform = platform;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    image.layout_digest = Digest::parse(text.substr(at + 1));
    text = text.substr(0, at);
  }
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && text.find('/', colon) == std::string_view::npos) {
    image.layout_tag = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  if (text.empty())
    throw Error("'{}' names no directory", image.name);
  image.layout_path = text;
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

/// NAME of "NAME::PLATFORM", and the platform.
struct ContextName {
  std::string_view name;
  std::optional<Platform> platform;
};

ContextName parse_context_name(std::string_view text) {
  const auto at = text.find("::");
  if (at == std::string_view::npos)
    return {short_name(text), std::nullopt};
  return {short_name(text.substr(0, at)), Platform::parse(text.substr(at + 2))};
}

bool is_remote(std::string_view source) {
  for (const std::string_view prefix : {"http://", "https://", "git://", "git@", "ssh://"})
    if (source.starts_with(prefix))
      return true;
  return false;
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
  if (is_remote(source))
    throw Error("--build-context: '{}': remote contexts are not supported yet", source);
  return DirectorySource{std::string(source)};
}

std::optional<NamedContext> find_named_context(const std::vector<NameValue>& contexts,
                                               std::string_view name, const Platform& platform) {
  if (equals_ignoring_case(name, "scratch") || equals_ignoring_case(name, "context"))
    return std::nullopt;
  const std::string* found = nullptr;
  for (const auto& [text, source] : contexts) {
    const auto known = parse_context_name(text);
    if (!equals_ignoring_case(known.name, short_name(name)))
      continue;
    if (known.platform == platform)
      return parse_named_context(source, platform);
    if (!known.platform && found == nullptr)
      found = &source;
  }
  return found != nullptr ? std::optional(parse_named_context(*found, platform)) : std::nullopt;
}

} // namespace cairn
