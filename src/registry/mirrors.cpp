#include "registry/mirrors.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <optional>

namespace cairn {

namespace {

std::string origin_name(std::string_view registry) {
  const auto name = to_lower(trim(registry));
  return name == "index.docker.io" || name == "registry-1.docker.io" ? "docker.io" : name;
}

/// "mirror/prefix" names the host "mirror", which in an image reference would be a folder of
/// Docker Hub; its port says that it is a host.
std::string with_plain_host(std::string_view target) {
  const auto slash = std::min(target.find('/'), target.size());
  const auto host = target.substr(0, slash);
  const bool plain = host.find_first_of(".:") == std::string_view::npos && host != "localhost";
  return std::string(host) + (plain ? ":443" : "") + std::string(target.substr(slash));
}

ImageRef rewritten(const ImageRef& ref, const std::string& target) {
  auto moved = ImageRef::parse(target + "/" + ref.repository());
  if (ref.tag())
    moved = moved.with_tag(*ref.tag());
  return ref.digest() ? moved.with_digest(*ref.digest()) : moved;
}

std::string checked_target(std::string_view target, std::string_view flag) {
  auto text = trim(target);
  while (text.ends_with('/'))
    text.remove_suffix(1);
  auto name = with_plain_host(text);
  try {
    static_cast<void>(ImageRef::parse(name + "/image"));
  } catch (const Error&) {
    throw Error("'{}': '{}' is not a registry with an optional prefix", printable(flag),
                printable(target));
  }
  return name;
}

} // namespace

void RegistryMap::add(std::string_view flag) {
  for (const auto& entry : split(flag, ';')) {
    if (trim(entry).empty())
      continue;
    const auto parts = cut(entry, '=');
    if (!parts || trim(parts->first).empty())
      throw Error("'{}' is not of the form ORIGIN=REGISTRY[/PREFIX]", printable(entry));
    targets_[origin_name(parts->first)].push_back(checked_target(parts->second, entry));
  }
}

void RegistryMap::add_mirror(std::string_view mirror) {
  targets_["docker.io"].push_back(checked_target(mirror, mirror));
}

std::vector<ImageRef> RegistryMap::candidates(const ImageRef& ref) const {
  const auto found = targets_.find(origin_name(ref.registry()));
  if (found == targets_.end())
    return {ref};
  std::vector<ImageRef> list;
  for (const auto& target : found->second)
    list.push_back(rewritten(ref, target));
  if (fallback_ == OriginFallback::use)
    list.push_back(ref);
  return list;
}

} // namespace cairn
