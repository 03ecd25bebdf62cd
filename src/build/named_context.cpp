#include "build/named_context.hpp"

#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fmt/format.h>

#include <fcntl.h>

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

bool is_directory(std::string_view path) {
  return try_open_at(current_directory(), std::string(path), O_PATH | O_DIRECTORY).has_value();
}

} // namespace

std::string ImageSource::key() const {
  return (reference ? reference->str() : name) + " " + platform.str();
}

std::string GitSource::key() const {
  const auto& r = reference;
  const auto flag = [](const std::optional<bool>& value) {
    return value ? (*value ? "yes" : "no") : "unsaid";
  };
  return fmt::format("{}\n{}\n{}\n{}\n{} {} {} {}", r.remote, r.ref, r.subdirectory, r.checksum,
                     flag(r.keep_git_dir), flag(r.submodules), r.times == GitTimes::commit,
                     r.fetch_by_commit);
}

std::optional<GitSource> parse_git_source(std::string_view text) {
  auto reference =
      within([&] { return parse_git_reference(text); }, "{}", redact_git_reference(text));
  if (!reference)
    return std::nullopt;
  return GitSource{*std::move(reference), redact_git_reference(text)};
}

void set_keep_git_dir(GitReference& context, const std::map<std::string, std::string>& build_args) {
  constexpr auto name = "BUILDKIT_CONTEXT_KEEP_GIT_DIR";
  const auto found = build_args.find(name);
  if (found == build_args.end() || found->second.empty() || context.keep_git_dir)
    return;
  context.keep_git_dir = parse_go_flag(found->second);
  if (!context.keep_git_dir)
    throw Error("--build-arg {}: '{}' is not a boolean", name, found->second);
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
  if (auto git = within([&] { return parse_git_source(source); }, "--build-context"))
    // A path of this name is taken for what it is.
    if (!git->reference.looks_local || !is_directory(source))
      return *std::move(git);
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
