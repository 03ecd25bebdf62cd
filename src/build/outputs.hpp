#pragma once

#include "build/image_writer.hpp"
#include "build/options.hpp"
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

/// An OCI image layout whose index names this image alone.
void write_layout(const BuiltImage& image, const std::string& path,
                  const std::optional<std::string>& tag);

/// A tar archive as `docker save` writes it.
void write_docker_archive(const BuiltImage& image, const std::string& path,
                          const std::vector<ImageRef>& names);

} // namespace cairn
