#include "builder/outputs/docker_archive.hpp"

#include "builder/images/image_library.hpp"
#include "builder/store/verified_blob.hpp"
#include "fs/archive/compress.hpp"
#include "oci/image_config.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

const Descriptor& file_called(const ArchiveFiles& files, const std::string& name) {
  const auto found = files.find(name);
  if (found == files.end())
    throw Error("manifest.json names '{}', which is not in the archive", printable(name));
  return found->second;
}

/// The one element of manifest.json.
Json only_image(const Json& document) {
  const auto& images = document.as_array();
  if (images.size() == 1)
    return images.front();
  std::string names;
  for (const auto& image : images)
    if (const auto* tags = image.find("RepoTags"))
      for (const auto& tag : tags->as_strings())
        names += (names.empty() ? "" : ", ") + printable(tag);
  throw Error("the archive holds {} images ({}): only one can be pushed at a time", images.size(),
              names);
}

/// What the first bytes of a blob say.
Compression compression_of_blob(const BlobStore& blobs, const Digest& digest) {
  const auto source = blobs.read(digest);
  std::array<char, told_by> start{};
  std::size_t count = 0;
  while (count < start.size()) {
    const auto read = source->read(std::as_writable_bytes(std::span(start)).subspan(count));
    if (read == 0)
      break;
    count += read;
  }
  return told_compression({start.data(), count});
}

void check_diff_id(Source& layer, Compression method, const Digest& diff_id) {
  const auto plain = make_decompressor(layer, method);
  const auto found = Digest::from_hex(sha256_hex(*plain));
  if (found != diff_id)
    throw Error("it has the diff id {}, the configuration says {}", found.str(), diff_id.str());
}

/// The layer as it is pushed; `saved` is what the archive has.
Descriptor layer_of(const Descriptor& saved, const Digest& diff_id, const BlobStore& blobs) {
  const auto method = compression_of_blob(blobs, saved.digest);
  if (method != Compression::none) {
    check_diff_id(*blobs.read(saved.digest), method, diff_id);
    return {std::string(layer_type(ImageFormat::docker, method)), saved.digest, saved.size};
  }
  if (saved.digest != diff_id)
    throw Error("it has the diff id {}, the configuration says {}", saved.digest.str(),
                diff_id.str());
  BlobStore::Writer writer(blobs);
  const auto compressor = make_compressor(writer, {});
  const auto source = blobs.read(saved.digest);
  copy(*source, *compressor);
  compressor->finish();
  const auto size = writer.count();
  return {std::string(layer_type(ImageFormat::docker, Compression::gzip)), writer.commit(), size};
}

} // namespace

Manifest docker_archive_manifest(const ArchiveFiles& files, const BlobStore& blobs) {
  const auto image = only_image(within(
      [&] { return Json::parse(stored_text(blobs, files.at("manifest.json"))); }, "manifest.json"));
  auto config = file_called(files, image.string_or("Config", ""));
  config.media_type = config_type(ImageFormat::docker);
  const auto document = ImageConfig::parse(stored_text(blobs, config));
  const auto* named = image.find("Layers");
  const auto names = named != nullptr ? named->as_strings() : std::vector<std::string>();
  if (names.size() != document.diff_ids.size())
    throw Error("manifest.json has {} layers, the configuration {}", names.size(),
                document.diff_ids.size());
  std::vector<Descriptor> layers;
  for (std::size_t i = 0; i < names.size(); ++i)
    layers.push_back(
        within([&] { return layer_of(file_called(files, names[i]), document.diff_ids[i], blobs); },
               "layer '{}'", printable(names[i])));
  return Manifest::make(ImageFormat::docker, std::move(config), std::move(layers), {});
}

} // namespace cairn
