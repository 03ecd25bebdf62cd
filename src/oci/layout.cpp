#include "oci/layout.hpp"

#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace cairn {

namespace {

constexpr std::string_view ref_name = "org.opencontainers.image.ref.name";
constexpr std::string_view version_file = R"({"imageLayoutVersion":"1.0.0"})";
constexpr std::uint64_t max_index = std::uint64_t{8} << 20;

} // namespace

Layout Layout::open(const std::string& path) {
  if (::access((path + "/oci-layout").c_str(), R_OK) != 0 ||
      ::access((path + "/index.json").c_str(), R_OK) != 0)
    throw Error("'{}' is not an OCI image layout: it has no oci-layout and index.json", path);
  return Layout(path);
}

Layout Layout::create(const std::string& path) {
  Layout layout(path);
  if (::access((path + "/oci-layout").c_str(), F_OK) != 0) {
    AtomicFile file(path + "/oci-layout");
    file.write(version_file);
    file.commit();
  }
  return layout;
}

Index Layout::index() const {
  const auto name = blobs_.root() + "/index.json";
  return within(
      [&] {
        const auto file = open_at(current_directory(), name, O_RDONLY | O_NONBLOCK);
        return Index::parse(read_file(file, max_index), media_type::oci_index);
      },
      "'{}'", name);
}

void Layout::set_index(const Index& index) const {
  AtomicFile file(blobs_.root() + "/index.json");
  file.write(index.raw);
  file.commit();
}

Descriptor Layout::find(const std::optional<std::string>& tag,
                        const std::optional<Digest>& digest) const {
  const auto entries = index().manifests;
  for (const auto& entry : entries) {
    const auto name = entry.annotations.find(std::string(ref_name));
    if (digest ? entry.digest == *digest
               : tag && name != entry.annotations.end() && name->second == *tag)
      return entry;
  }
  if (!digest && (!tag || *tag == "latest") && entries.size() == 1)
    return entries.front();
  throw Error("layout '{}': no image is called '{}'", blobs_.root(),
              digest ? digest->str() : tag.value_or("(only image)"));
}

} // namespace cairn
