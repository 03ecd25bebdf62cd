#include "oci/media_type.hpp"

namespace cairn {

bool is_index(std::string_view type) noexcept {
  return type == media_type::oci_index || type == media_type::docker_index;
}

bool is_manifest(std::string_view type) noexcept {
  return type == media_type::oci_manifest || type == media_type::docker_manifest;
}

Compression compression_of(std::string_view type) noexcept {
  if (type.ends_with("zstd"))
    return Compression::zstd;
  return type.ends_with("tar") ? Compression::none : Compression::gzip;
}

std::string_view manifest_type(ImageFormat format) noexcept {
  return format == ImageFormat::oci ? media_type::oci_manifest : media_type::docker_manifest;
}

std::string_view config_type(ImageFormat format) noexcept {
  return format == ImageFormat::oci ? media_type::oci_config : media_type::docker_config;
}

std::string_view layer_type(ImageFormat format, Compression compression) noexcept {
  const bool oci = format == ImageFormat::oci;
  switch (compression) {
  case Compression::none:
    return oci ? media_type::oci_layer : media_type::docker_layer;
  case Compression::gzip:
    return oci ? media_type::oci_layer_gzip : media_type::docker_layer_gzip;
  case Compression::zstd:
    return oci ? media_type::oci_layer_zstd : media_type::docker_layer_zstd;
  }
  return {};
}

} // namespace cairn
