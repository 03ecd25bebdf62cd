#include "oci/platform.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <sys/utsname.h>

#include <array>
#include <vector>

namespace cairn {

namespace {

struct Architecture {
  std::string_view alias, name, variant;
};

constexpr std::array architectures = {
    Architecture{"x86_64", "amd64", ""},      Architecture{"x86-64", "amd64", ""},
    Architecture{"i386", "386", ""},          Architecture{"aarch64", "arm64", ""},
    Architecture{"armhf", "arm", "v7"},       Architecture{"armel", "arm", "v6"},
    Architecture{"armv7l", "arm", "v7"},      Architecture{"armv6l", "arm", "v6"},
    Architecture{"mips64el", "mips64le", ""},
};

constexpr std::array known_architectures = {"386",     "amd64",   "arm",      "arm64",  "loong64",
                                            "mips",    "mips64",  "mips64le", "mipsle", "ppc64",
                                            "ppc64le", "riscv64", "s390x",    "wasm"};

constexpr std::array known_systems = {"aix",     "android", "darwin",  "dragonfly", "freebsd",
                                      "illumos", "ios",     "js",      "linux",     "netbsd",
                                      "openbsd", "plan9",   "solaris", "wasip1",    "windows"};

template<class Names>
bool holds(const Names& names, std::string_view wanted) {
  for (const std::string_view name : names)
    if (name == wanted)
      return true;
  return false;
}

/// amd64 is at level v1 and arm64 at v8 unless they say otherwise; both go unsaid.
void normalise(Platform& platform) {
  platform.os = to_lower(platform.os);
  if (platform.os == "macos")
    platform.os = "darwin";
  platform.architecture = to_lower(platform.architecture);
  platform.variant = to_lower(platform.variant);
  for (const auto& [alias, name, variant] : architectures)
    if (platform.architecture == alias) {
      platform.architecture = name;
      if (platform.variant.empty())
        platform.variant = variant;
      break;
    }
  auto& variant = platform.variant;
  if (!variant.empty() && variant[0] >= '0' && variant[0] <= '9')
    variant = "v" + variant;
  if (platform.architecture == "arm64" && variant == "v8")
    variant.clear();
  if (platform.architecture == "amd64" && variant == "v1")
    variant.clear();
  if (platform.architecture == "arm" && variant.empty())
    variant = "v7";
}

} // namespace

Platform Platform::parse(std::string_view text) {
  constexpr std::string_view allowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  auto parts = split(text, '/');
  Platform platform;
  // "windows(10.0.17763)/amd64": the version belongs to the operating system.
  if (const auto open = parts[0].find('('); open != std::string::npos && parts[0].ends_with(')')) {
    platform.os_version = parts[0].substr(open + 1, parts[0].size() - open - 2);
    parts[0].erase(open);
  }
  for (const auto& part : parts)
    if (part.empty() || part.find_first_not_of(allowed) != std::string::npos)
      throw Error("platform '{}': '{}' is not a valid name", text, part);
  if (parts.size() == 1) {
    if (holds(known_systems, to_lower(parts[0])) || to_lower(parts[0]) == "macos") {
      platform.architecture = host().architecture;
      platform.variant = host().variant;
      platform.os = parts[0];
    } else {
      platform.os = "linux";
      platform.architecture = parts[0];
    }
  } else if (parts.size() <= 3) {
    platform.os = parts[0];
    platform.architecture = parts[1];
    platform.variant = parts.size() == 3 ? parts[2] : "";
  } else {
    throw Error("platform '{}' is not os[/architecture[/variant]]", text);
  }
  normalise(platform);
  if (parts.size() == 1 && !holds(known_architectures, platform.architecture))
    throw Error("platform '{}': unknown operating system or architecture", text);
  return platform;
}

Platform Platform::host() {
  struct utsname names {};
  ::uname(&names);
  Platform platform{"linux", names.machine, "", ""};
  normalise(platform);
  return platform;
}

Platform Platform::from_json(const Json& json) {
  Platform platform{json.string_or("os", ""), json.string_or("architecture", ""),
                    json.string_or("variant", ""), json.string_or("os.version", "")};
  normalise(platform);
  return platform;
}

Json Platform::to_json() const {
  Json json = Json::object();
  json.set("architecture", architecture).set("os", os);
  if (!os_version.empty())
    json.set("os.version", os_version);
  if (!variant.empty())
    json.set("variant", variant);
  return json;
}

std::string Platform::str() const {
  return os + "/" + architecture + (variant.empty() ? "" : "/" + variant);
}

bool Platform::accepts(const Platform& other) const {
  if (os != other.os || architecture != other.architecture)
    return false;
  // An arm machine runs what was built for an older one; elsewhere the variant must be the same.
  if (architecture == "arm")
    return other.variant <= variant;
  return other.variant == variant || other.variant.empty();
}

} // namespace cairn
