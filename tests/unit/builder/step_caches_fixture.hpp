#pragma once

#include "builder/cache/step_caches.hpp"
#include "builder/layers/stage_layer.hpp"
#include "shelf.hpp"
#include "util/error.hpp"
#include "util/shared_result.hpp"

#include <future>
#include <memory>
#include <string>
#include <vector>

namespace cairn::test {

using Lines = std::vector<std::string>;

/// A layer that somebody is still to make.
class PromisedLayer final : public StageLayer {
public:
  explicit PromisedLayer(std::future<Layer> made) : made_(std::move(made)) {}

  Digest diff_id() const override { return made_.get().diff_id; }
  Compression compression() const override { return made_.get().compression; }
  std::unique_ptr<Source> open() const override { throw Error("it has no bytes"); }
  void read(const LayerVisitor&) const override { throw Error("it has no entries"); }

private:
  Descriptor blob() const override { return {"", made_.get().digest, made_.get().size}; }

  SharedResult<Layer> made_;
};

inline Layer layer_named(const std::string& text) {
  return {Digest::of(text), Digest::of(text + ", compressed"), text.size(), Compression::gzip};
}

/// Caches with two places, of which `near` is asked first.
struct TwoShelves {
  explicit TwoShelves(
      EntryRule with = {std::chrono::hours(24), from_unix(1'800'000'000), {}, false})
      : rule(with) {}

  void use(StepCaches::Use near_how, StepCaches::Use far_how) {
    caches.use(std::make_unique<ShelfCache>(near), near_how);
    caches.use(std::make_unique<ShelfCache>(far), far_how);
  }
  void read_both() { use(StepCaches::Use::read, StepCaches::Use::read); }
  void write_both() { use(StepCaches::Use::read_and_write, StepCaches::Use::read_and_write); }

  /// A finished layer, whose bytes nobody asks for.
  std::shared_ptr<const StageLayer> layer(const std::string& text) {
    std::promise<Layer> made;
    made.set_value(layer_named(text));
    return std::make_shared<PromisedLayer>(made.get_future());
  }
  /// The entry that a build like this one would have put.
  Manifest entry(const StepKey& key) { return entry(key, rule); }
  Manifest entry(const StepKey& key, const EntryRule& made_by) {
    return make_entry(key, layer("layer"), "RUN make", made_by).manifest;
  }
  static void shelve(Shelf& shelf, const StepKey& key, Manifest manifest) {
    shelf.entries.insert_or_assign(key.hex, std::move(manifest));
  }
  void add(char key) { caches.add(key_of(key), layer({key}), "RUN make"); }
  std::size_t warnings() { return progress.told().count("warn: "); }

  EntryRule rule;
  FakeProgress progress;
  Shelf near{"near"};
  Shelf far{"far"};
  StepCaches caches{rule, progress};
};

} // namespace cairn::test
