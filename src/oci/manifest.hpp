#pragma once

#include "oci/digest.hpp"
#include "oci/media_type.hpp"
#include "oci/platform.hpp"
#include "util/json.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn {

using Annotations = std::map<std::string, std::string>;

/// What a manifest or an index points at (OCI image specification, Descriptor).
struct Descriptor {
  std::string media_type;
  Digest digest;
  std::uint64_t size = 0; ///< bytes
  std::optional<Platform> platform = std::nullopt;
  Annotations annotations = {};

  /// @throws Error
  static Descriptor from_json(const Json& json);
  Json to_json() const;
};

/// An image manifest (OCI image specification; Docker schema 2 has the same shape). The raw bytes
/// travel with the value, for a digest is one of bytes.
struct Manifest {
  std::string media_type;
  Descriptor config;
  std::vector<Descriptor> layers;
  Annotations annotations;
  std::string raw; ///< What was parsed, or what serialise() made.

  /// `media_type` is what the server or the descriptor said; the document's own wins.
  /// @throws Error, also for Docker schema 1
  static Manifest parse(std::string raw, std::string_view media_type);
  /// A manifest of these parts, with its raw bytes.
  static Manifest make(ImageFormat format, Descriptor config, std::vector<Descriptor> layers,
                       Annotations annotations);

  Digest digest() const { return Digest::of(raw); }
  Descriptor descriptor() const;
  ImageFormat format() const noexcept;
};

/// An image index or Docker manifest list.
struct Index {
  std::string media_type;
  std::vector<Descriptor> manifests;
  Annotations annotations;
  std::string raw;

  static Index parse(std::string raw, std::string_view media_type);
  static Index make(ImageFormat format, std::vector<Descriptor> manifests, Annotations annotations);

  /// The manifest that fits `platform` best, or nothing. Attestations never fit.
  const Descriptor* select(const Platform& platform) const;
  /// "linux/amd64, linux/arm64" for error messages.
  std::string platforms() const;
};

/// The media type of a manifest or an index: the one it states, or OCI's for what it looks like.
/// @throws Error when it is no JSON object
std::string document_type(std::string_view raw);

Annotations annotations_from_json(const Json* json);
Json annotations_to_json(const Annotations& annotations);

} // namespace cairn
