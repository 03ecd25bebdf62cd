#pragma once

#include <string_view>

namespace cairn {

/// Media types of the OCI image specification and of Docker's schema 2. Unknown ones travel as the
/// text they are.
namespace media_type {

inline constexpr std::string_view oci_index = "application/vnd.oci.image.index.v1+json";
inline constexpr std::string_view oci_manifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr std::string_view oci_config = "application/vnd.oci.image.config.v1+json";
inline constexpr std::string_view oci_layer = "application/vnd.oci.image.layer.v1.tar";
inline constexpr std::string_view oci_layer_gzip = "application/vnd.oci.image.layer.v1.tar+gzip";
inline constexpr std::string_view oci_layer_zstd = "application/vnd.oci.image.layer.v1.tar+zstd";

inline constexpr std::string_view docker_index =
    "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr std::string_view docker_manifest =
    "application/vnd.docker.distribution.manifest.v2+json";
inline constexpr std::string_view docker_config = "application/vnd.docker.container.image.v1+json";
inline constexpr std::string_view docker_layer = "application/vnd.docker.image.rootfs.diff.tar";
inline constexpr std::string_view docker_layer_gzip =
    "application/vnd.docker.image.rootfs.diff.tar.gzip";
inline constexpr std::string_view docker_layer_zstd =
    "application/vnd.docker.image.rootfs.diff.tar.zstd";

} // namespace media_type

/// The two ways an image is written.
enum class ImageFormat { oci, docker };

/// How a layer's tar stream is compressed.
enum class Compression { none, gzip, zstd };

bool is_index(std::string_view media_type) noexcept;
bool is_manifest(std::string_view media_type) noexcept;

/// What a layer's media type says; unknown types count as gzip, which readers then verify.
Compression compression_of(std::string_view media_type) noexcept;
std::string_view manifest_type(ImageFormat format) noexcept;
std::string_view config_type(ImageFormat format) noexcept;
std::string_view layer_type(ImageFormat format, Compression compression) noexcept;

} // namespace cairn
