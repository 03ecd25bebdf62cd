#include "builder/images/image_resolution_cache.hpp"

#include "builder/images/kaniko_entry.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/json.hpp"

#include <fmt/core.h>

#include <fcntl.h>

namespace cairn {

namespace {

constexpr std::uint64_t max_document = std::uint64_t{8} << 20;
constexpr std::uint64_t max_record = std::uint64_t{64} << 10;

} // namespace

std::string ImageResolutionCache::path(const ImageRef& ref) const {
  return fmt::format("{}/names/{}.json", directory_.path(), sha256_hex(ref.str()));
}

std::optional<ManifestBytes> ImageResolutionCache::manifest(const Digest& digest) const {
  auto text = directory_.blob_text(digest, max_document);
  if (!text) {
    const KanikoEntry entry(directory_.path(), digest);
    if (entry.counts(time_to_live_, clock_()))
      text = entry.manifest(max_document);
  }
  if (!text)
    return std::nullopt;
  auto type = document_type(*text);
  return ManifestBytes{*std::move(text), std::move(type), digest};
}

std::optional<std::string> ImageResolutionCache::config(const Digest& manifest,
                                                        const Descriptor& blob) const {
  if (auto text = directory_.blob_text(blob.digest, max_document))
    return text;
  const auto source = open_layer(manifest, blob);
  return source ? std::optional(read_all(*source, max_document)) : std::nullopt;
}

void ImageResolutionCache::keep_text(std::string_view text) const noexcept {
  if (!directory_.is_writable())
    return;
  try {
    // Also over what is there: it may be damaged.
    in_cache([&] {
      BlobStore::Writer writer(directory_.blobs());
      write_text(writer, text);
      writer.commit();
    });
  } catch (const CacheFailure& failure) {
    // The registry is asked again.
    directory_.tell(failure);
  }
}

std::unique_ptr<Source> ImageResolutionCache::open_layer(const Digest& manifest,
                                                         const Descriptor& blob) const {
  const KanikoEntry entry(directory_.path(), manifest);
  return entry.counts(time_to_live_, clock_()) ? entry.open(blob) : nullptr;
}

std::optional<ImageResolutionCache::Name> ImageResolutionCache::find(const ImageRef& ref) const {
  try {
    const auto file = try_open_at(current_directory(), path(ref), O_RDONLY | O_NONBLOCK);
    if (!file)
      return std::nullopt;
    const auto json = Json::parse(read_file(*file, max_record));
    const auto when = parse_rfc3339(json.string_or("time", ""));
    if (json.string_or("name", "") != ref.str() || !when ||
        elapsed(*when, clock_()) >= time_to_live_)
      return std::nullopt;
    return Name{Digest::parse(json.string_or("digest", "")), *when};
  } catch (const Error&) {
    return std::nullopt;
  }
}

void ImageResolutionCache::remember(const ImageRef& ref, const Digest& digest) const noexcept {
  if (!directory_.is_writable())
    return;
  try {
    auto json = Json::object();
    json.set("name", ref.str()).set("digest", digest.str()).set("time", rfc3339(clock_()));
    in_cache([&] {
      AtomicFile file(path(ref));
      file.write(json.pretty());
      file.commit();
    });
  } catch (const CacheFailure& failure) {
    directory_.tell(failure);
  }
}

std::string ImageResolutionCache::age(const Name& name) const {
  using std::chrono::duration_cast;
  using std::chrono::hours;
  const auto age = elapsed(name.when, clock_());
  if (age >= hours(48))
    return fmt::format("{} days", duration_cast<hours>(age).count() / 24);
  if (age >= hours(2))
    return fmt::format("{} hours", duration_cast<hours>(age).count());
  return human_duration(age);
}

std::unique_ptr<ImageResolutionCache> open_image_resolution_cache(const CacheDirectory* directory,
                                                                  const CacheOptions& options,
                                                                  Clock clock) {
  if (directory == nullptr)
    return nullptr;
  return std::make_unique<ImageResolutionCache>(*directory, options.time_to_live, std::move(clock));
}

} // namespace cairn
