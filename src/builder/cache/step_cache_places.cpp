#include "builder/cache/step_cache_places.hpp"

#include "builder/layers/write_layout.hpp"
#include "builder/store/verified_blob.hpp"
#include "oci/layout.hpp"
#include "oci/media_type.hpp"
#include "registry/push.hpp"
#include "util/cache_locks.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace cairn {

namespace {

constexpr std::uint64_t max_manifest = std::uint64_t{1} << 20;

class RepositoryCache final : public StepCache {
public:
  RepositoryCache(ImageRef repository, RegistryClient& client, CacheContact* contact)
      : repository_(std::move(repository)), client_(client), contact_(contact) {}

  std::string name() const override { return repository_.name(); }
  std::optional<ImageRef> repository() const override { return repository_; }

  std::optional<Manifest> find(const StepKey& key) override {
    require_contact(contact_);
    auto found = client_.get_manifest(repository_.with_tag(key.hex));
    if (!found)
      return std::nullopt;
    return Manifest::parse(std::move(found->raw), found->media_type);
  }

  std::unique_ptr<Source> open(const StepKey&, const Descriptor& blob) override {
    return client_.read_blob(repository_, blob);
  }

  void put(const StepKey& key, const BuiltImage& entry) override {
    require_contact(contact_);
    SilentProgress silent;
    push_image(client_,
               {.destinations = {repository_.with_tag(key.hex)},
                .documents = {document_of(entry.manifest)},
                .open = [&](const Descriptor& blob) { return entry.open(blob); },
                .known_in = [&](const Digest& blob) { return entry.known_in(blob); }},
               silent);
  }

private:
  ImageRef repository_;
  RegistryClient& client_;
  CacheContact* contact_;
};

/// A directory that comes to be under its name when it is complete.
class LayoutCache final : public StepCache {
public:
  explicit LayoutCache(std::string path) : path_(std::move(path)) {}

  std::string name() const override { return "oci:" + path_; }
  std::optional<ImageRef> repository() const override { return std::nullopt; }

  std::optional<Manifest> find(const StepKey& key) override {
    if (::access((directory(key) + "/index.json").c_str(), F_OK) != 0)
      return std::nullopt;
    const auto layout = Layout::open(directory(key));
    const auto found = layout.find(std::nullopt, std::nullopt);
    const auto source = verify_blob(layout.blobs().read(found.digest), found);
    return Manifest::parse(read_all(*source, max_manifest), found.media_type);
  }

  std::unique_ptr<Source> open(const StepKey& key, const Descriptor& blob) override {
    return verify_blob(Layout::open(directory(key)).blobs().read(blob.digest), blob);
  }

  void put(const StepKey& key, const BuiltImage& entry) override {
    const auto half = fmt::format("{}.partial-{}", path_, random_hex(8));
    const auto above = path_.rfind('/');
    if (above != std::string::npos && above != 0)
      make_directories(path_.substr(0, above));
    try {
      write_layout(entry, half, std::nullopt);
      rename_to(half, directory(key));
    } catch (...) {
      remove_tree(current_directory(), half);
      throw;
    }
  }

private:
  std::string directory(const StepKey& key) const { return path_ + ":" + key.hex; }

  /// Another build may have put the same entry in the meantime: either will do.
  static void rename_to(const std::string& half, const std::string& whole) {
    if (::rename(half.c_str(), whole.c_str()) == 0)
      return;
    if (errno != EEXIST && errno != ENOTEMPTY)
      throw SysError(errno, "rename '{}'", half);
    const auto old = half + ".old";
    if (::rename(whole.c_str(), old.c_str()) != 0 || ::rename(half.c_str(), whole.c_str()) != 0)
      remove_tree(current_directory(), half);
    remove_tree(current_directory(), old);
  }

  std::string path_;
};

class DirectoryCache final : public StepCache {
public:
  explicit DirectoryCache(const CacheDirectory& cache) : cache_(cache) {}

  std::string name() const override { return cache_.path() + "/steps"; }
  std::optional<ImageRef> repository() const override { return std::nullopt; }

  std::optional<Manifest> find(const StepKey& key) override {
    const auto file = try_open_at(current_directory(), path(key), O_RDONLY | O_NONBLOCK);
    if (!file)
      return std::nullopt;
    auto manifest = Manifest::parse(read_file(*file, max_manifest), media_type::oci_manifest);
    // The store may have lost what the entry names: blobs are removed when room is needed.
    for (const auto& layer : manifest.layers)
      if (!cache_.hold(cache_.blobs().path(layer.digest)) ||
          cache_.blobs().size(layer.digest) != layer.size)
        return std::nullopt;
    touch_entry(path(key));
    return manifest;
  }

  std::unique_ptr<Source> open(const StepKey& key, const Descriptor& blob) override {
    if (auto kept = cache_.open_blob(blob))
      return kept;
    if (cache_.is_writable())
      ::unlink(path(key).c_str());
    throw Error("{}/{}: its layer {} is damaged or gone", name(), key.hex, blob.digest.str());
  }

  void put(const StepKey& key, const BuiltImage& entry) override {
    const auto& store = cache_.blobs();
    for (const auto& layer : entry.manifest.layers)
      if (!cache_.has_blob(layer)) {
        BlobStore::Writer writer(store);
        copy(*entry.open(layer), writer);
        writer.commit(layer.digest, layer.size);
      }
    AtomicFile file(path(key));
    file.write(entry.manifest.raw);
    file.commit();
  }

private:
  std::string path(const StepKey& key) const { return name() + "/" + key.hex + ".json"; }

  const CacheDirectory& cache_;
};

} // namespace

std::unique_ptr<StepCache> make_remote_cache(const CacheLocation& location, RegistryClient& client,
                                             CacheContact* contact) {
  if (location.reference)
    return std::make_unique<RepositoryCache>(*location.reference, client, contact);
  return std::make_unique<LayoutCache>(location.layout_path);
}

std::unique_ptr<StepCache> make_local_cache(const CacheDirectory& directory) {
  return std::make_unique<DirectoryCache>(directory);
}

} // namespace cairn
