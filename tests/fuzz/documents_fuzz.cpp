#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "util/error.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

using namespace cairn;

namespace {

/// What is accepted must read the same once it is written.
void check_config(const std::string& text) {
  const auto once = ImageConfig::parse(text).serialise();
  if (ImageConfig::parse(once).serialise() != once)
    std::abort();
}

void check_manifest(const std::string& text) {
  const auto manifest = Manifest::parse(text, "");
  const auto made =
      Manifest::make(ImageFormat::oci, manifest.config, manifest.layers, manifest.annotations);
  if (Manifest::parse(made.raw, "").layers.size() != manifest.layers.size())
    std::abort();
}

void check_index(const std::string& text) {
  const auto index = Index::parse(text, "");
  index.select(Platform::parse("linux/arm/v7"));
  index.platforms();
}

template<class Check>
void attempt(Check check, const std::string& text) {
  try {
    check(text);
  } catch (const Error&) {
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  attempt(check_config, text);
  attempt(check_manifest, text);
  attempt(check_index, text);
  return 0;
}
