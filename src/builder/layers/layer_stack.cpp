#include "builder/layers/layer_stack.hpp"

#include "builder/store/verified_blob.hpp"
#include "fs/copy/users.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"

#include <exception>
#include <utility>

namespace cairn {

namespace {

/// Files above this are not captured but read again when they are asked for.
constexpr std::uint64_t max_captured = std::uint64_t{1} << 20;

/// Copies what is read into a store and commits it at the end. A store without room gets nothing;
/// if it is that of a cache, that is told.
class KeepingSource final : public Source {
public:
  KeepingSource(std::unique_ptr<Source> from, const BlobStore& store, const Descriptor& blob,
                const CacheDirectory* cache)
      : from_(std::move(from)), blob_(blob), cache_(cache) {
    keep([&] { writer_.emplace(store); });
  }

  std::size_t read(std::span<std::byte> buffer) override {
    const auto count = from_->read(buffer);
    if (writer_)
      keep([&] {
        if (count != 0)
          return writer_->write(buffer.first(count));
        writer_->commit(blob_.digest, blob_.size);
        writer_.reset();
      });
    return count;
  }

private:
  template<class Body>
  void keep(const Body& body) {
    try {
      in_cache(body);
    } catch (const CacheFailure& failure) {
      writer_.reset();
      if (cache_ != nullptr)
        cache_->tell(failure);
    }
  }

  std::unique_ptr<Source> from_;
  std::optional<BlobStore::Writer> writer_;
  Descriptor blob_;
  const CacheDirectory* cache_; ///< Null when the store belongs to the build alone.
};

std::string read_text(TarReader& reader) {
  TextSink text;
  reader.copy_to(text);
  return text.text();
}

IndexedLayer read_layer_index(const StageLayer& from, std::size_t number,
                              LayerStack::Loader* loader) {
  IndexedLayer layer;
  from.read([&](const LayerEntry& entry, TarReader& reader) {
    const auto position = static_cast<std::uint32_t>(layer.index.entries.size());
    layer.index.entries.push_back(entry);
    if (loader != nullptr)
      loader->entry(number, entry, reader);
    if (is_captured(entry.path) && entry.meta.type == FileType::regular && !entry.hard_link &&
        entry.meta.size <= max_captured)
      layer.texts[position] =
          loader != nullptr ? loader->text(number, entry.path) : read_text(reader);
  });
  if (from.indexes() != nullptr)
    from.indexes()->keep(from.diff_id(), layer);
  return layer;
}

std::optional<IndexedLayer> known_index(const StageLayer& of) {
  return of.indexes() != nullptr ? of.indexes()->find(of.diff_id()) : std::nullopt;
}

} // namespace

std::unique_ptr<Source> read_content(const std::vector<std::shared_ptr<const StageLayer>>& layers,
                                     const ContentRef& content) {
  return std::make_unique<ThreadSource>([&layers, content](Sink& sink) {
    std::uint32_t position = 0;
    layers.at(content.layer)->read([&](const LayerEntry&, TarReader& reader) {
      if (position++ == content.entry)
        reader.copy_to(sink);
    });
  });
}

bool is_captured(const RootedPath& path) {
  return path.str() == "/etc/passwd" || path.str() == "/etc/group";
}

StageLayer::StageLayer(std::shared_ptr<const BaseImage> base, std::size_t number,
                       LayerCachePolicy keep)
    : base_(std::move(base)), number_(number), store_(keep.blobs), cache_(keep.cache),
      indexes_(keep.indexes) {}

StageLayer::StageLayer(SharedResult<Layer> made, const BlobStore& store)
    : made_(std::move(made)), store_(&store) {}

Digest StageLayer::diff_id() const {
  return base_ ? base_->config.diff_ids.at(number_) : made_.get().diff_id;
}

Descriptor StageLayer::blob() const {
  if (base_)
    return base_->manifest.layers.at(number_);
  const auto& layer = made_.get();
  return {"", layer.digest, layer.size};
}

Compression StageLayer::compression() const {
  return base_ ? compression_of(blob().media_type) : made_.get().compression;
}

Descriptor StageLayer::descriptor(ImageFormat format) const {
  auto descriptor = blob();
  descriptor.media_type = layer_type(format, compression());
  return descriptor;
}

std::unique_ptr<Source> StageLayer::open() const {
  const auto descriptor = blob();
  if (cache_ != nullptr)
    if (auto kept = cache_->open_blob(descriptor))
      return kept;
  const bool is_own_store = cache_ == nullptr || store_ != &cache_->blobs();
  if (!base_ || (store_ != nullptr && is_own_store && store_->has(descriptor.digest)))
    return verify_blob(store_->read(descriptor.digest), descriptor);
  auto source = base_->open(descriptor);
  if (store_ != nullptr)
    source = std::make_unique<KeepingSource>(std::move(source), *store_, descriptor,
                                             is_own_store ? nullptr : cache_);
  return source;
}

void StageLayer::read(const EntryVisitor& visit) const {
  within(
      [&] {
        auto comparison = indexes_ != nullptr ? indexes_->comparison(diff_id()) : std::nullopt;
        if (!comparison)
          return show(visit);
        // Whoever expected something else may fail first: that is to be known.
        std::exception_ptr failure;
        show([&](const LayerEntry& entry, TarReader& reader) {
          comparison->add(entry);
          try {
            if (!failure)
              visit(entry, reader);
          } catch (const Error&) {
            failure = std::current_exception();
          }
        });
        comparison->finish();
        if (failure)
          std::rethrow_exception(failure);
      },
      "layer {}", blob().digest.str());
}

void StageLayer::show(const EntryVisitor& visit) const {
  try {
    const auto source = open();
    read_layer(*source, diff_id(), visit, base_ ? base_->limit : unlimited_expansion);
  } catch (const Error&) {
    if (cache_ != nullptr)
      cache_->doubt(blob());
    throw;
  }
}

void LayerStack::load(Loader* loader) {
  constexpr std::size_t parallel_lookups = 16;
  const auto wants = [&](std::size_t number) { return loader != nullptr && loader->wants(number); };
  std::vector<std::optional<IndexedLayer>> known(layers_.size());
  parallel_for(layers_.size(), parallel_lookups, [&](std::size_t number) {
    if (!wants(number))
      known[number] = known_index(*layers_[number]);
  });
  std::vector<IndexedLayer> loaded(layers_.size());
  const std::size_t parallel = loader != nullptr ? loader->parallel() : 2;
  parallel_for(layers_.size(), parallel, [&](std::size_t number) {
    if (known[number]) {
      loaded[number] = *std::exchange(known[number], std::nullopt);
      return;
    }
    auto* const own = wants(number) ? loader : nullptr;
    if (own != nullptr)
      own->begin(number);
    loaded[number] = read_layer_index(*layers_[number], number, own);
    if (own != nullptr)
      own->end(number);
  });
  Tree whole;
  for (std::size_t i = 0; i < loaded.size(); ++i) {
    if (loader != nullptr)
      loader->all_read(i, whole);
    apply(*layers_[i], std::exchange(loaded[i], {}), whole);
  }
  tree_ = std::move(whole);
}

const Tree& LayerStack::tree() {
  if (!tree_)
    load(nullptr);
  return *tree_;
}

void LayerStack::push(std::shared_ptr<const StageLayer> layer,
                      const std::vector<LayerEntry>& entries) {
  tree();
  tree_->apply({entries});
  layers_.push_back(std::move(layer));
}

void LayerStack::push(std::shared_ptr<const StageLayer> layer) {
  if (tree_) {
    auto known = known_index(*layer);
    apply(*layer, known ? *std::move(known) : read_layer_index(*layer, 0, nullptr), *tree_);
  }
  layers_.push_back(std::move(layer));
}

void LayerStack::apply(const StageLayer& from, IndexedLayer&& layer, Tree& tree) {
  try {
    const auto number = tree.apply(layer.index);
    for (auto& [position, text] : layer.texts)
      small_[{number, position}] = std::move(text);
  } catch (const Error&) {
    // Layers that make no sense together may be others than their indexes say.
    if (from.indexes() != nullptr)
      from.indexes()->lose_all();
    throw;
  }
}

void LayerStack::remember(const ContentRef& content, std::string text) {
  small_[content] = std::move(text);
}

std::optional<std::string> LayerStack::text(const RootedPath& path, std::uint64_t limit) {
  const auto* node = tree().lookup(path, Tree::Last::follow);
  if (node == nullptr || node->meta.type != FileType::regular)
    return std::nullopt;
  if (node->meta.size > limit)
    throw Error("'{}' is larger than {} bytes", path.str(), limit);
  if (node->meta.size == 0)
    return std::string();
  const auto known = small_.find(node->content);
  if (known != small_.end())
    return known->second;
  std::string found;
  std::uint32_t position = 0;
  layers_.at(node->content.layer)->read([&](const LayerEntry&, TarReader& reader) {
    if (position++ == node->content.entry)
      found = read_text(reader);
  });
  small_[node->content] = found;
  return found;
}

} // namespace cairn
