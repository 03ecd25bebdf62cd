#include "builder/layers/layer_stack.hpp"

#include "fs/copy/users.hpp"
#include "util/error.hpp"
#include "util/parallel.hpp"

#include <exception>
#include <utility>

namespace cairn {

namespace {

/// Files above this are not captured but read again when they are asked for.
constexpr std::uint64_t max_captured = std::uint64_t{1} << 20;

std::string read_text(EntryContent& content) {
  TextSink text;
  content.copy_to(text);
  return text.text();
}

IndexedLayer read_layer_index(const StageLayer& from, std::size_t number,
                              LayerStack::Loader* loader) {
  IndexedLayer layer;
  from.read([&](const LayerEntry& entry, EntryContent& content) {
    const auto position = static_cast<std::uint32_t>(layer.index.entries.size());
    layer.index.entries.push_back(entry);
    if (loader != nullptr)
      loader->entry(number, entry, content);
    if (is_captured(entry.path) && entry.meta.type == FileType::regular && !entry.hard_link &&
        entry.meta.size <= max_captured)
      layer.texts[position] =
          loader != nullptr ? loader->text(number, entry.path) : read_text(content);
  });
  if (from.indexes() != nullptr)
    from.indexes()->keep(from.diff_id(), layer);
  return layer;
}

/// A file of a layer, and all that it is read from.
class LayerFile final : public Source {
public:
  LayerFile(std::shared_ptr<const LayerContent> layer, std::size_t entry)
      : layer_(std::move(layer)), open_(layer_->reader()), file_(open_(entry)) {}

  std::size_t read(std::span<std::byte> buffer) override { return file_->read(buffer); }

private:
  std::shared_ptr<const LayerContent> layer_;
  ContentOpener open_;
  std::unique_ptr<Source> file_;
};

/// What a layer holds, without reading it: from its table of contents, or what earlier builds know.
std::optional<IndexedLayer> known_index(const StageLayer& of) {
  if (const auto* table = of.table())
    return IndexedLayer{table->index(), {}};
  return of.indexes() != nullptr ? of.indexes()->find(of.diff_id()) : std::nullopt;
}

} // namespace

std::unique_ptr<Source> read_content(const LayerStack::Layers& layers, const ContentRef& content) {
  if (auto files = layers.at(content.layer)->files())
    return std::make_unique<LayerFile>(std::move(files), content.entry);
  if (const auto* table = layers.at(content.layer)->table())
    return table->open_file(content.entry);
  return std::make_unique<ThreadSource>([&layers, content](Sink& sink) {
    std::uint32_t position = 0;
    layers.at(content.layer)->read([&](const LayerEntry&, EntryContent& found) {
      if (position++ == content.entry)
        found.copy_to(sink);
    });
  });
}

bool is_captured(const RootedPath& path) {
  return path.str() == "/etc/passwd" || path.str() == "/etc/group";
}

LayerStack::LayerStack(std::shared_ptr<Base> base, const Layers& more, std::size_t parallel)
    : layers_(base->layers()), parallel_(parallel), base_(std::move(base)) {
  layers_.insert(layers_.end(), more.begin(), more.end());
  base_image_layers_ = layers_.size();
}

LayerStack LayerStack::lowest(std::size_t count) const {
  auto stack = *this;
  if (count < layers_.size()) {
    stack.layers_.resize(count);
    stack.tree_.reset();
    stack.small_.clear();
  }
  return stack;
}

/// The Tree of the lowest layers, an empty one without a Base.
Tree LayerStack::load_base(Loader* loader) {
  if (!base_)
    return {};
  auto loaded = base_->load(loader);
  small_ = std::move(loaded.small);
  for (std::size_t i = 0; i < base_->layers().size() && loader != nullptr && !loaded.shown; ++i) {
    if (!loader->wants(i))
      continue;
    loader->begin(i);
    layers_[i]->read(
        [&](const LayerEntry& entry, EntryContent& content) { loader->entry(i, entry, content); });
    loader->end(i);
  }
  return std::move(loaded.tree);
}

void LayerStack::load(Loader* loader) {
  constexpr std::size_t parallel_lookups = 16;
  const auto wants = [&](std::size_t number) { return loader != nullptr && loader->wants(number); };
  auto whole = load_base(loader);
  const auto below = base_ ? base_->layers().size() : 0;
  const auto count = layers_.size() - below;
  std::vector<std::optional<IndexedLayer>> known(layers_.size());
  parallel_for(count, parallel_lookups, [&](std::size_t i) {
    if (!wants(below + i))
      known[below + i] = known_index(*layers_[below + i]);
  });
  std::vector<IndexedLayer> loaded(layers_.size());
  parallel_for(count, loader != nullptr ? loader->parallel() : parallel_, [&](std::size_t i) {
    const auto number = below + i;
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
  for (auto i = below; i < loaded.size(); ++i) {
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

void LayerStack::push(std::shared_ptr<const StageLayer> layer, const LayerEntries& entries) {
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
  const auto node = tree().lookup(path, Tree::Last::follow);
  if (!node || node->type() != FileType::regular)
    return std::nullopt;
  if (node->size() > limit)
    throw Error("'{}' is larger than {} bytes", path.str(), limit);
  if (node->size() == 0)
    return std::string();
  const auto known = small_.find(node->content());
  if (known != small_.end())
    return known->second;
  const auto source = read_content(layers_, node->content());
  auto found = read_all(*source, limit);
  small_[node->content()] = found;
  return found;
}

} // namespace cairn
