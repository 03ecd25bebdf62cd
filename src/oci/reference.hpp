#pragma once

#include "oci/digest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// The name of an image: registry, repository, tag and digest, with Docker Hub's defaults filled in
/// ("busybox" is docker.io/library/busybox:latest). Grammar: distribution/reference.
class ImageRef {
public:
  /// @throws Error
  static ImageRef parse(std::string_view text);

  /// "docker.io", "localhost:5000": as it is written and as credentials name it.
  const std::string& registry() const noexcept { return registry_; }
  /// Where the protocol is spoken: Docker Hub's is "registry-1.docker.io".
  std::string endpoint() const;
  const std::string& repository() const noexcept { return repository_; } ///< "library/busybox"
  const std::optional<std::string>& tag() const noexcept { return tag_; }
  const std::optional<Digest>& digest() const noexcept { return digest_; }

  /// What a manifest is asked for by: the digest if there is one, else the tag, else "latest".
  std::string identifier() const;
  /// "index.docker.io/library/busybox": registry and repository, as kaniko prints them.
  std::string name() const;
  /// Everything: "index.docker.io/library/busybox:latest".
  std::string str() const;

  ImageRef with_tag(std::string tag) const;
  ImageRef with_digest(Digest digest) const;
  ImageRef with_repository(std::string repository) const;

  bool operator==(const ImageRef&) const = default;

private:
  ImageRef() = default;

  std::string registry_;
  std::string repository_;
  std::optional<std::string> tag_;
  std::optional<Digest> digest_;
};

} // namespace cairn
