#pragma once

#include "build/image_writer.hpp"
#include "build/options.hpp"
#include "registry/client.hpp"
#include "util/progress.hpp"

namespace cairn {

/// Sends the image everywhere it is to go: OCI layout, docker archive, registries. Each appears
/// whole or not at all; the files that report digests are written last, when all else succeeded.
/// @throws Error
void write_outputs(const BuiltImage& image, const OutputOptions& options, RegistryClient& registry,
                   Progress& progress);

/// An OCI image layout whose index names this image alone.
void write_layout(const BuiltImage& image, const std::string& path,
                  const std::optional<std::string>& tag);

/// A tar archive as `docker save` writes it.
void write_docker_archive(const BuiltImage& image, const std::string& path,
                          const std::vector<ImageRef>& names);

/// The files that say what was built, where it is and what it was made from.
void write_reports(const BuiltImage& image, const OutputOptions& options);

} // namespace cairn
