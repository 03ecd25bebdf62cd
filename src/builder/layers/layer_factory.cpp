#include "builder/layers/layer_factory.hpp"

#include "util/error.hpp"
#include "util/interruptible.hpp"
#include "util/threads.hpp"

#include <memory>
#include <optional>
#include <utility>

namespace cairn {

LayerFactory::LayerFactory(const BlobStore& store, Options options, const std::atomic<bool>& cancel)
    : store_(store), options_(options), cancel_(cancel) {}

/// The right to write a layer: free again however the writing ends, or does not begin.
class LayerFactory::Slot {
public:
  explicit Slot(LayerFactory& owner) : owner_(&owner) {
    std::unique_lock lock(owner.mutex_);
    owner.changed_.wait(lock, [&] { return owner.active_ < owner.options_.parallel; });
    ++owner.active_;
  }
  Slot(Slot&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
  Slot& operator=(Slot&&) = delete;
  ~Slot() {
    if (owner_ == nullptr)
      return;
    const std::lock_guard lock(owner_->mutex_);
    --owner_->active_;
    owner_->changed_.notify_all();
  }

private:
  LayerFactory* owner_;
};

SharedResult<Layer> LayerFactory::start(std::shared_ptr<const LayerContent> given, LayerForm form) {
  return start_async([this, form, slot = Slot(*this), content = std::move(given)]() mutable {
    const Slot held = std::move(slot);
    auto layer = write(*content, form);
    // What it was read from is not held until the last one has asked for the result.
    content.reset();
    return layer;
  });
}

Layer LayerFactory::write(const LayerContent& content, LayerForm form) {
  std::optional<Timed> timed;
  if (options_.progress != nullptr)
    timed.emplace(*options_.progress, "write", content.step);
  try {
    const auto files = content.reader();
    const auto open = [&](std::size_t n) -> std::unique_ptr<Source> {
      return std::make_unique<InterruptibleSource>(files(n), cancel_);
    };
    const auto compression = form == LayerForm::plain ? CompressionChoice{Compression::none, {}, 0}
                                                      : options_.compression;
    return write_layer(content.entries, open, store_, compression, options_.times);
  } catch (SysError& error) {
    error.add_context(content.step);
    if (error.is(std::errc::no_space_on_device))
      error.add_hint(
          "the build needs more room: mount a larger volume and name it with --kaniko-dir");
    throw;
  } catch (Error& error) {
    error.add_context(content.step);
    throw;
  }
}

TimeRule time_rule(const TimeOptions& options) {
  if (options.reproducible)
    return {TimeRule::Kind::set, options.epoch.value_or(Time{})};
  if (options.epoch)
    return {TimeRule::Kind::clamp, *options.epoch};
  return {};
}

} // namespace cairn
