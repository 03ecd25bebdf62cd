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
    ImageSource image;
    image.name = source;
    image.reference = ImageRef::parse(source);
    image.platform = platform;
    return image;
  }
  if (source.starts_with(layout_scheme))
    return layout_source(source.substr(layout_scheme.size()), platform);
  if (is_url(source))
    return UrlSource::parse(source);
  if (is_remote(source))
    throw Error("--build-context: '{}': remote contexts are not supported yet", source);
  return DirectorySource{std::string(source)};
}

std::optional<NamedContext> find_named_context(const std::vector<NameValue>& contexts,
                                               std::string_view name, const Platform& platform) {
  for (const auto& [known, source] : contexts)
    if (equals_ignoring_case(known, name))
      return parse_named_context(source, platform);
  return std::nullopt;
}

} // namespace cairn
