#pragma once

#include "builder/images/image_resolution_cache.hpp"
#include "oci/blob_ranges.hpp"
#include "oci/manifest.hpp"
#include "registry/resolve.hpp"
#include "util/progress.hpp"
#include "util/stream.hpp"

#include <functional>
#include <memory>
#include <vector>

namespace cairn {

/// An image of a registry, and the way to its layers.
struct FoundImage {
  ResolvedImage image;
  /// The bytes of a blob, verified at their end. Thread-safe.
  std::function<std::unique_ptr<Source>(const Descriptor&)> open;
  /// Parts of a blob, see RegistryClient::read_blob_range(). Thread-safe.
  std::function<std::unique_ptr<Source>(const Descriptor&, ByteRange)> open_range;
};

/// What registries are asked for.
enum class Asking {
  never,       ///< Nothing: what is not remembered is not there.
  when_needed, ///< What tags lead to, and what is not remembered.
  fresh,       ///< The same, and a registry that cannot be reached is an error.
  always       ///< Everything, as if nothing was remembered.
};

/// Finds images in registries, with what is remembered of them:
///
/// - By digest nobody is asked when the manifest is known.
/// - By tag the registry is asked what the tag leads to, with a HEAD, which registries do not count
///   as a pull; the manifest is fetched when that is another one than those that are known.
/// - When no registry can be reached what the tag led to last is used, with a warning.
///
/// Thread-safe.
class ImageFinder {
public:
  /// All are borrowed; `memory` may be null.
  ImageFinder(RegistryClient& registry, const ImageResolutionCache* memory, Progress& progress,
              Asking asking = Asking::when_needed)
      : registry_(registry), memory_(memory), progress_(progress), asking_(asking) {}

  /// `candidates`: the places where `ref` is looked for, in order (registry/mirrors.hpp).
  /// @throws Error
  FoundImage find(const ImageRef& ref, const std::vector<ImageRef>& candidates,
                  const Platform& platform) const;

private:
  ResolvedImage resolve(const ImageRef& ref, const std::vector<ImageRef>& candidates,
                        const Platform& platform) const;
  ResolvedImage resolve_known(const ImageRef& ref, const std::vector<ImageRef>& candidates,
                              const Platform& platform, const TemporaryError& error) const;

  RegistryClient& registry_;
  const ImageResolutionCache* memory_;
  Progress& progress_;
  Asking asking_;
};

} // namespace cairn
