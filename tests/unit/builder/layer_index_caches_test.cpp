#include "builder/layers/image_layer.hpp"
#include "builder/layers/layer_stack.hpp"
#include "builder/store/layer_index_caches.hpp"
#include "builder/store/unreachable_cache.hpp"
#include "memory_image.hpp"
#include "support/gate.hpp"
#include "support/journal.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <mutex>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/layer_index_caches");

namespace {

/// What a place holds and how it behaves. It outlives the LayerIndexes that is made of it.
struct IndexShelf {
  std::string name;
  std::map<Digest, std::string> packed = {};
  std::function<void()> on_find = [] {};
  std::function<void()> on_keep = [] {};
  Journal asked = {}; ///< "find", "has", "keep"
  std::mutex mutex = {};
};

class ShelfIndexes final : public LayerIndexes {
public:
  explicit ShelfIndexes(IndexShelf& shelf) : shelf_(shelf) {}

  std::string name(const Digest&) const override { return shelf_.name; }
  std::optional<IndexedLayer> find(const Digest& diff_id) override {
    shelf_.asked.add("find");
    shelf_.on_find();
    const std::lock_guard lock(shelf_.mutex);
    const auto found = shelf_.packed.find(diff_id);
    if (found == shelf_.packed.end())
      return std::nullopt;
    try {
      TextSource source(found->second);
      return unpack_index(source);
    } catch (const Error& error) {
      throw DamagedIndex(error);
    }
  }
  bool has(const Digest& diff_id) override {
    shelf_.asked.add("has");
    const std::lock_guard lock(shelf_.mutex);
    return shelf_.packed.contains(diff_id);
  }
  void keep(const Digest& diff_id, const PackedIndex& index) override {
    shelf_.on_keep();
    const std::lock_guard lock(shelf_.mutex);
    shelf_.packed.insert_or_assign(diff_id, index.bytes);
    shelf_.asked.add("keep");
  }

private:
  IndexShelf& shelf_;
};

IndexedLayer index_of(const Files& files) {
  IndexedLayer layer;
  layer.index.entries = entries_of(files);
  return layer;
}

using Trust = LayerIndexCaches::Trust;

/// An image of two layers, of which the lower has a passwd; a place near and one far away.
struct TwoPlaces {
  using Use = LayerIndexCaches::Use;
  using Distance = LayerIndexCaches::Distance;

  explicit TwoPlaces(Trust trust = Trust::indexes) : caches(progress, trust) {
    caches.use(std::make_unique<ShelfIndexes>(near), Use::read_and_write, Distance::near);
    caches.use(std::make_unique<ShelfIndexes>(far), Use::read_and_write, Distance::far);
  }

  LayerStack stack() { return stack(caches); }
  LayerStack stack(LayerIndexCaches& with) const {
    std::vector<std::shared_ptr<const StageLayer>> layers;
    for (std::size_t i = 0; i < 2; ++i)
      layers.push_back(std::make_shared<ImageLayer>(image.share(), i,
                                                    LayerCachePolicy{nullptr, nullptr, &with}));
    return {layers, 2};
  }
  const Digest& diff_id(std::size_t layer) { return image.image().config.diff_ids.at(layer); }
  /// Both layers are indexed everywhere, and forgotten by `caches`.
  void fill() {
    LayerIndexCaches first(progress);
    first.use(std::make_unique<ShelfIndexes>(near), Use::read_and_write, Distance::near);
    first.use(std::make_unique<ShelfIndexes>(far), Use::read_and_write, Distance::near);
    stack(first).tree();
    image.opened.clear();
    near.asked.clear();
    far.asked.clear();
  }
  void put_false(IndexShelf& shelf, std::size_t layer, const Files& files) {
    shelf.packed.insert_or_assign(diff_id(layer), pack_index(index_of(files)).bytes);
  }
  std::size_t warnings() { return progress.told().count("warn: "); }

  MemoryImage image{std::vector<Files>{{{"etc/passwd", "root"}, {"a", "1"}}, {{"b", "2"}}}};
  FakeProgress progress;
  IndexShelf near{"near"};
  IndexShelf far{"far"};
  LayerIndexCaches caches;
};

struct TwoDistrusted : TwoPlaces {
  TwoDistrusted() : TwoPlaces(Trust::layers_alone) {}
};

const std::vector<std::string> all_files = {"/a", "/b", "/etc/passwd"};

} // namespace

TEST_CASE_FIXTURE(TwoPlaces, "a layer that was read is indexed in all places, and not read again") {
  CHECK(files_in(stack().tree()) == all_files);
  caches.finish();
  CHECK(near.packed.size() == 2);
  CHECK(far.packed == near.packed);
  image.opened.clear();
  auto again = stack();
  CHECK(files_in(again.tree()) == all_files);
  CHECK(again.text(RootedPath::parse("etc/passwd"), 100) == "root");
  CHECK(image.opened.lines().empty());
  CHECK(warnings() == 0);
}

TEST_CASE_FIXTURE(TwoPlaces, "what only the far place has comes from there, and is near then") {
  fill();
  near.packed.clear();
  CHECK(files_in(stack().tree()) == all_files);
  CHECK(image.opened.lines().empty());
  CHECK(near.packed == far.packed);
  CHECK(far.asked.count("keep") == 0);
}

TEST_CASE_FIXTURE(TwoPlaces, "the near place is asked first") {
  fill();
  CHECK(files_in(stack().tree()) == all_files);
  CHECK(far.asked.lines().empty());
}

TEST_CASE_FIXTURE(TwoPlaces, "all layers are looked up at the same time") {
  fill();
  Meeting meeting;
  near.on_find = [&] { CHECK(meeting.come()); };
  CHECK(files_in(stack().tree()) == all_files);
}

TEST_CASE_FIXTURE(TwoPlaces,
                  "the build goes on while the far place is written to, and waits at its end") {
  Gate gate;
  far.on_keep = [&] { CHECK(gate.pass()); };
  CHECK(files_in(stack().tree()) == all_files);
  CHECK(far.packed.empty());
  gate.open();
  caches.finish();
  CHECK(far.packed.size() == 2);
}

TEST_CASE_FIXTURE(TwoPlaces, "what is there is not put again, however often the layer is read") {
  fill();
  for (int i = 0; i < 3; ++i)
    caches.keep(diff_id(0), index_of({{"a", "1"}}));
  caches.finish();
  CHECK(far.asked.count("keep") + near.asked.count("keep") == 0);
  CHECK(far.asked.count("has") <= 3);
}

TEST_CASE_FIXTURE(TwoPlaces, "a place that cannot be asked is told once, and not asked again") {
  far.on_find = [] { throw TemporaryError("nobody answers"); };
  CHECK(files_in(stack().tree()) == all_files);
  caches.finish();
  CHECK(warnings() == 1);
  far.asked.clear();
  CHECK_FALSE(caches.find(Digest::of("another layer")));
  CHECK(far.asked.lines().empty());
}

TEST_CASE_FIXTURE(TwoPlaces, "a place that takes nothing is told once") {
  far.on_keep = [] { throw Error("405 Method Not Allowed"); };
  CHECK(files_in(stack().tree()) == all_files);
  caches.finish();
  CHECK(warnings() == 1);
  CHECK(near.packed.size() == 2);
}

TEST_CASE_FIXTURE(TwoPlaces, "of a cache that is out of reach nothing is told here") {
  far.on_find = far.on_keep = [] { throw UnreachableCache("no contact"); };
  CHECK(files_in(stack().tree()) == all_files);
  caches.finish();
  CHECK(warnings() == 0);
}

TEST_CASE_FIXTURE(TwoPlaces, "a damaged index is told, its layer is read, and it is replaced") {
  fill();
  const auto whole = far.packed;
  near.packed.clear();
  for (auto& [diff_id, bytes] : far.packed)
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
  CHECK(files_in(stack().tree()) == all_files);
  CHECK(image.opened.lines().size() == 2);
  caches.finish();
  CHECK(far.packed == whole);
  CHECK(warnings() == 1);
  CHECK(caches.lost() == 0);
}

TEST_CASE_FIXTURE(TwoPlaces, "an index of another layer is found out when the layer is read") {
  fill();
  const auto whole = far.packed;
  near.packed.clear();
  put_false(far, 0, {{"a", "another size"}});
  auto first = stack();
  CHECK(files_in(first.tree()) == std::vector<std::string>{"/a", "/b"});
  CHECK(caches.lost() == 0);
  CHECK_THROWS_WITH_AS(first.layers()[0]->read([](const LayerEntry&, EntryContent&) {}),
                       ("layer " + image.image().manifest.layers[0].digest.str() +
                        ": the index far is not that of the layer")
                           .c_str(),
                       Error);
  CHECK(caches.lost() == 1);
  CHECK(files_in(stack().tree()) == all_files);
  caches.finish();
  CHECK(near.packed == whole);
  CHECK(far.packed == whole);
}

TEST_CASE_FIXTURE(TwoPlaces,
                  "a reader that expects something else may fail first, and the index is "
                  "what was wrong") {
  fill();
  put_false(near, 0, {{"a", "another size"}});
  auto first = stack();
  first.tree();
  CHECK_THROWS_AS(first.layers()[0]->read([](const LayerEntry&, EntryContent&) {
    throw Error("this is not what I came for");
  }),
                  Error);
  CHECK(caches.lost() == 1);
}

TEST_CASE_FIXTURE(TwoPlaces,
                  "a reader that fails where the index is right fails with its own error") {
  fill();
  auto first = stack();
  first.tree();
  CHECK_THROWS_WITH_AS(
      first.layers()[1]->read(
          [](const LayerEntry&, EntryContent&) { throw Error("there is no room"); }),
      ("layer " + image.image().manifest.layers[1].digest.str() + ": there is no room").c_str(),
      Error);
  CHECK(caches.lost() == 0);
}

TEST_CASE_FIXTURE(TwoPlaces,
                  "indexes that make no sense together are lost, and the layers are read") {
  fill();
  auto nonsense = index_of({{"b", "2"}});
  auto link = nonsense.index.entries.front();
  link.meta.size = 0;
  link.hard_link = RootedPath::parse("nowhere");
  nonsense.index.entries = {link};
  near.packed.insert_or_assign(diff_id(1), pack_index(nonsense).bytes);
  auto first = stack();
  CHECK_THROWS_AS(first.tree(), Error);
  CHECK(caches.lost() > 0);
  CHECK(files_in(stack().tree()) == all_files);
}

TEST_CASE_FIXTURE(TwoPlaces, "after a failure all layers are read, and only false ones replaced") {
  fill();
  const auto whole = far.packed;
  near.packed.clear();
  put_false(far, 0, {{"a", "another size"}});
  stack().tree();
  caches.lose_all();
  CHECK(caches.lost() == 2);
  near.asked.clear();
  CHECK(files_in(stack().tree()) == all_files);
  CHECK(image.opened.lines().size() == 2);
  caches.finish();
  CHECK(near.packed == whole);
  CHECK(far.packed == whole);
  CHECK(near.asked.count("keep") == 1);
  CHECK(far.asked.count("keep") == 1);
}

TEST_CASE_FIXTURE(TwoDistrusted,
                  "when layers alone are trusted they are read, and a false index is "
                  "told and replaced") {
  fill();
  const auto whole = far.packed;
  put_false(far, 0, {{"a", "another size"}});
  CHECK(files_in(stack().tree()) == all_files);
  CHECK(image.opened.lines().size() == 2);
  caches.finish();
  CHECK(far.packed == whole);
  CHECK(near.asked.count("keep") == 0);
  CHECK(far.asked.count("keep") == 1);
  CHECK(warnings() == 1);
  CHECK(caches.lost() == 0);
}

TEST_SUITE_END();
