#pragma once

#include "oci/digest.hpp"
#include "oci/platform.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace cairn {

/// Why something could not be put into a cache directory.
struct WarmFailure {
  explicit WarmFailure(const Error& error)
      : text(error.what()), detail(error.detail()), exit_status(error.exit_status()) {}

  std::string text;
  std::string detail;
  int exit_status;
};

/// What became of an image for one platform.
struct WarmedImage {
  std::string name; ///< As the user wrote it.
  Platform platform;
  std::optional<Digest> digest; ///< Of its manifest, when that was found,
  std::optional<Digest> index;  ///< and of the index that led to it, if there is one.
  std::uint64_t fetched = 0; ///< Bytes of layers that came now; of one that several images share,
                             ///< the first of them.
  std::uint64_t reused = 0;  ///< Bytes of layers that were there.
  std::optional<WarmFailure> failure = std::nullopt;
};

/// What became of a Dockerfile for one platform.
struct WarmedDockerfile {
  std::string name;
  Platform platform;
  std::size_t steps = 0; ///< That can be cached; counted when they are looked for.
  std::size_t found = 0; ///< Of those, the ones that the repository has.
  std::uint64_t fetched = 0;
  std::uint64_t reused = 0;
  std::optional<WarmFailure> failure = std::nullopt;
};

struct WarmReport {
  std::vector<WarmedImage> images;
  std::vector<WarmedDockerfile> dockerfiles;

  /// All that failed, what it is about in front.
  std::vector<WarmFailure> failures() const;
  /// 0; that of temporary failures when trying again can mend all of them; else 1.
  int exit_status() const;
  std::string json() const;
};

} // namespace cairn
