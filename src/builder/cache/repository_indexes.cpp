#include "builder/cache/repository_indexes.hpp"

#include "oci/artifact.hpp"
#include "registry/push.hpp"
#include "util/progress.hpp"

#include <atomic>
#include <mutex>
#include <utility>

namespace cairn {

namespace {

constexpr std::string_view artifact = "application/vnd.cairn.layer-index.v1";
constexpr std::string_view blob_type = "application/vnd.cairn.layer-index.v1+zstd";
constexpr const char* layer_key = "dev.cairn.layer.diff-id";

class RepositoryIndexes final : public LayerIndexes {
public:
  RepositoryIndexes(ImageRef repository, RegistryClient& client, CacheContact* contact)
      : repository_(std::move(repository)), client_(client), contact_(contact) {}

  std::string name(const Digest& diff_id) const override { return place(diff_id).str(); }

  std::optional<IndexedLayer> find(const Digest& diff_id) override {
    require_contact(contact_);
    auto found = client_.get_manifest(place(diff_id));
    if (!found)
      return std::nullopt;
    try {
      const auto manifest = Manifest::parse(std::move(found->raw), found->media_type);
      const auto& blob = blob_of(manifest, diff_id);
      const auto source = client_.read_blob(repository_, blob);
      return unpack_index(*source);
    } catch (const TemporaryError&) {
      throw;
    } catch (const Error& error) {
      throw DamagedIndex(error);
    }
  }

  bool has(const Digest& diff_id) override {
    require_contact(contact_);
    return client_.head_manifest(place(diff_id)).has_value();
  }

  void keep(const Digest& diff_id, const PackedIndex& index) override {
    require_contact(contact_);
    // All of them have the same configuration. Some registries take a blob that two send at the
    // same time for one that is not there: so nobody goes beside the first of this build, and who
    // met that of another build tries again.
    std::unique_lock first(putting_first_);
    if (has_put_)
      first.unlock();
    try {
      put(diff_id, index);
    } catch (const TemporaryError&) {
      throw;
    } catch (const Error&) {
      put(diff_id, index);
    }
    has_put_ = true;
  }

private:
  void put(const Digest& diff_id, const PackedIndex& index) {
    const Descriptor blob{std::string(blob_type), Digest::of(index.bytes), index.bytes.size()};
    const auto manifest = make_artifact(artifact, blob, {{layer_key, diff_id.str()}});
    SilentProgress silent;
    push_image(client_,
               {.destinations = {place(diff_id)},
                .documents = {document_of(manifest)},
                .open = [&](const Descriptor& wanted) -> std::unique_ptr<Source> {
                  return std::make_unique<TextSource>(wanted.digest == blob.digest
                                                          ? std::string_view(index.bytes)
                                                          : empty_document);
                }},
               silent);
  }

  ImageRef place(const Digest& diff_id) const {
    return repository_.with_tag("index-" + std::string(diff_id.hex()));
  }

  /// Names in a repository can be changed by whoever writes to it: the index says whose it is.
  static const Descriptor& blob_of(const Manifest& manifest, const Digest& diff_id) {
    const auto said = manifest.annotations.find(layer_key);
    if (artifact_type(manifest) != artifact || said == manifest.annotations.end() ||
        said->second != diff_id.str())
      throw Error("it is not an index of that layer");
    if (manifest.layers.size() != 1)
      throw Error("it has {} blobs, not one", manifest.layers.size());
    const auto& blob = manifest.layers.front();
    if (blob.size > most_packed_bytes)
      throw Error("its {} bytes are more than the {} that an index may have", blob.size,
                  most_packed_bytes);
    return blob;
  }

  ImageRef repository_;
  RegistryClient& client_;
  CacheContact* contact_;
  std::mutex putting_first_;
  std::atomic<bool> has_put_ = false;
};

} // namespace

std::unique_ptr<LayerIndexes>
make_repository_indexes(const ImageRef& repository, RegistryClient& client, CacheContact* contact) {
  return std::make_unique<RepositoryIndexes>(repository, client, contact);
}

} // namespace cairn
