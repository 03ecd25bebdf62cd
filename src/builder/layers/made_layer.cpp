#include "builder/layers/made_layer.hpp"

#include "builder/store/verified_blob.hpp"
#include "fs/archive/read_layer.hpp"
#include "util/error.hpp"

#include <utility>

namespace cairn {

MadeLayer::MadeLayer(LayerContent content, LayerFactory& factory)
    : factory_(factory), content_(std::make_shared<const LayerContent>(std::move(content))) {}

void MadeLayer::write() const {
  begin(LayerForm::of_the_image);
}

/// Not under the lock: to begin may take until another layer is finished, which may read this one.
void MadeLayer::begin(LayerForm form) const {
  std::call_once(begun_, [&] { written_ = factory_.start(files(), form); });
}

void MadeLayer::set_aside() const {
  begin(LayerForm::plain);
  written_.get();
  const std::lock_guard lock(mutex_);
  content_.reset();
}

const Layer& MadeLayer::written() const {
  begin(LayerForm::of_the_image);
  return written_.get();
}

Descriptor MadeLayer::blob() const {
  const auto& layer = written();
  return {"", layer.digest, layer.size};
}

std::unique_ptr<Source> MadeLayer::open() const {
  const auto descriptor = blob();
  return verify_blob(factory_.store().read(descriptor.digest), descriptor);
}

std::shared_ptr<const LayerContent> MadeLayer::files() const {
  const std::lock_guard lock(mutex_);
  return content_;
}

void MadeLayer::read(const LayerVisitor& visit) const {
  if (const auto content = files()) {
    const auto open = content->reader();
    for (std::size_t i = 0; i < content->entries.size(); ++i) {
      EntryContent file(open, i);
      visit(content->entries[i], file);
    }
    return;
  }
  within(
      [&] {
        const auto source = open();
        read_layer(
            *source, diff_id(),
            [&](const LayerEntry& entry, TarReader& tar) {
              EntryContent file(tar);
              visit(entry, file);
            },
            unlimited_expansion);
      },
      "layer {}", blob().digest.str());
}

} // namespace cairn
