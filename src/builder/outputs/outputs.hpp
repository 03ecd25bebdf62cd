#pragma once

#include "builder/layers/image_writer.hpp"
#include "builder/options/build_options.hpp"
#include "registry/client.hpp"
#include "util/progress.hpp"

namespace cairn {

/// The ways out of the program; all borrowed.
struct OutputServices {
  RegistryClient& registry;
  Http& http; ///< One attempt per call.
  RetryPolicy retry;
  Progress& progress;
  const std::atomic<bool>& cancel;
};

/// Says under which names, tags and digest an image can be had.
void tell_pushed(const std::vector<ImageRef>& destinations, const Digest& digest,
                 Progress& progress);

/// Sends the image everywhere it is to go: OCI layout, docker archive, registries. Each appears
/// whole or not at all; the files that report digests are written last, when all else succeeded.
/// @throws Error
void write_outputs(const BuiltImage& image, const OutputOptions& options,
                   const OutputServices& services);

} // namespace cairn
