#pragma once

#include "oci/manifest.hpp"

#include <string>
#include <string_view>

namespace cairn {

/// What an artifact has for a configuration: "{}".
inline constexpr std::string_view empty_document = "{}";

/// The manifest of an artifact of one blob: something that is no image, but can lie in a registry
/// (OCI image specification 1.1, Guidelines for Artifact Usage). Its configuration is
/// `empty_document`, which has to be there like any other.
Manifest make_artifact(std::string_view type, const Descriptor& blob,
                       const Annotations& annotations);

/// "" for one that is not said to be any. @throws Error
std::string artifact_type(const Manifest& manifest);

} // namespace cairn
