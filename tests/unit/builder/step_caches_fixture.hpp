#pragma once

#include "builder/cache/step_caches.hpp"
#include "shelf.hpp"

#include <future>
#include <memory>
#include <string>
#include <vector>

namespace cairn::test {

using Lines = std::vector<std::string>;

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
    return std::make_shared<StageLayer>(SharedResult<Layer>(made.get_future()), store);
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
  BlobStore store = BlobStore::existing("/dev/null");
  FakeProgress progress;
  Shelf near{"near"};
  Shelf far{"far"};
  StepCaches caches{rule, progress};
};

} // namespace cairn::test
