#pragma once

#include "oci/reference.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

enum class OriginFallback { use, skip };

/// Registries that stand in for others when base images are pulled (kaniko --registry-map and
/// --registry-mirror).
class RegistryMap {
public:
  /// "docker.io=mirror.example/prefix;gcr.io=other": targets of one origin are tried in order.
  /// @throws Error
  void add(std::string_view flag);
  /// A mirror of Docker Hub: "host[:port][/prefix]".
  void add_mirror(std::string_view mirror);

  /// Whether an image may come from its own registry when no mirror has it.
  void set_fallback(OriginFallback fallback) noexcept { fallback_ = fallback; }

  /// Where to look for `ref`, in order, itself last unless that is to be skipped. Itself alone when
  /// its registry has no mirrors.
  std::vector<ImageRef> candidates(const ImageRef& ref) const;

private:
  OriginFallback fallback_ = OriginFallback::use;
  std::map<std::string, std::vector<std::string>, std::less<>> targets_;
};

} // namespace cairn
