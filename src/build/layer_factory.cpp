#include "build/layer_factory.hpp"

#include "util/error.hpp"

#include <memory>

namespace cairn {

namespace {

/// Each writes with threads of its own already.
constexpr std::size_t max_active = 2;

/// Ends with an Error when the program was told to end.
class InterruptibleSource final : public Source {
public:
  InterruptibleSource(std::unique_ptr<Source> from, const std::atomic<bool>& cancel)
      : from_(std::move(from)), cancel_(cancel) {}

  std::size_t read(std::span<std::byte> buffer) override {
    if (cancel_)
      throw Error("the build was told to stop");
    return from_->read(buffer);
  }

private:
  std::unique_ptr<Source> from_;
  const std::atomic<bool>& cancel_;
};

} // namespace

LayerFactory::LayerFactory(const BlobStore& store, CompressionChoice choice, TimeRule times,
                           const std::atomic<bool>& cancel)
    : store_(store), choice_(choice), times_(times), cancel_(cancel) {}

std::shared_future<Layer> LayerFactory::start(LayerContent content) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return active_ < max_active; });
    ++active_;
  }
  auto shared = std::make_shared<LayerContent>(std::move(content));
  return std::async(std::launch::async,
                    [this, shared]() mutable {
                      // The slot is free again however the writing ends.
                      const std::shared_ptr<void> slot(nullptr, [this](void*) {
                        const std::lock_guard lock(mutex_);
                        --active_;
                        changed_.notify_all();
                      });
                      Layer layer = write(*shared);
                      shared.reset();
                      if (listener_)
                        listener_(layer);
                      return layer;
                    })
      .share();
}

Layer LayerFactory::write(const LayerContent& content) {
  try {
    const auto open = [&](std::size_t n) -> std::unique_ptr<Source> {
      return std::make_unique<InterruptibleSource>(content.open(n), cancel_);
    };
    return write_layer(content.entries, open, store_, choice_, times_);
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
