#pragma once

#include "builder/store/layer_indexes.hpp"
#include "util/progress.hpp"
#include "util/work_queue.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace cairn {

/// All places of a build for indexes of layers. None of them can fail it: one that cannot be read
/// or written is told once and then left alone. An index is believed as long as its layer is not
/// read; when that is, and holds something else, the index is lost() and what was begun with it can
/// begin again. Thread-safe.
class LayerIndexCaches {
public:
  enum class Use { read, read_and_write };
  /// What is far is written beside the build.
  enum class Distance { near, far };
  /// Whether indexes stand for layers, or are only compared with them.
  enum class Trust { indexes, layers_alone };

  explicit LayerIndexCaches(Progress& progress, Trust trust = Trust::indexes)
      : progress_(progress), trust_(trust) {}
  LayerIndexCaches(const LayerIndexCaches&) = delete;
  LayerIndexCaches& operator=(const LayerIndexCaches&) = delete;
  /// Indexes that have not been put yet are dropped; those under way are waited for.
  ~LayerIndexCaches() = default;

  /// Earlier ones are asked first. Before anything is found or kept.
  void use(std::unique_ptr<LayerIndexes> place, Use how, Distance distance);

  /// What a layer holds, unless it has to be read for that. Places nearer than the one that has it
  /// get it.
  std::optional<IndexedLayer> find(const Digest& diff_id);
  /// The layer was read and verified: its index is kept where it is not.
  void keep(const Digest& diff_id, const IndexedLayer& layer);
  /// What was found is of no use: the layer has to be read, and what is kept is compared with it.
  void lose(const Digest& diff_id);
  /// The same of all that was found: something has failed, perhaps because of an index.
  void lose_all();
  /// How many indexes were found and were not those of their layers. They are not found again.
  std::size_t lost() const;
  /// Waits until everything that was kept is where it belongs.
  void finish() { queue_.finish(); }

  /// Compares the entries of a layer, while they are read, with the index that stood for it.
  class Comparison {
  public:
    Comparison(LayerIndexCaches& caches, Digest diff_id, Digest expected)
        : caches_(caches), diff_id_(std::move(diff_id)), expected_(std::move(expected)) {}

    void add(const LayerEntry& entry) { read_.add(entry); }
    /// All entries were read. @throws Error when the index was another layer's
    void finish();

  private:
    LayerIndexCaches& caches_;
    Digest diff_id_;
    Digest expected_;
    EntriesDigest read_;
  };

  /// Nothing when no index stood for the layer.
  std::optional<Comparison> comparison(const Digest& diff_id);

private:
  struct Place {
    std::unique_ptr<LayerIndexes> indexes;
    Use how = Use::read;
    Distance distance = Distance::near;
    bool readable = true;
    bool writable = true;
    std::set<Digest> damaged = {}; ///< What is there is no index.
    std::set<Digest> settled = {}; ///< What is there is right, or as good as that.
  };
  /// An index that was found.
  struct Found {
    std::size_t place = 0;
    Digest entries;
  };
  struct Addition {
    std::size_t place = 0;
    Digest diff_id;
    std::shared_ptr<const PackedIndex> index;
  };

  std::optional<IndexedLayer> find_in(Place& place, const Digest& diff_id);
  bool wants(Place& place, const Digest& diff_id, const PackedIndex& index);
  void put_in(Place& place, const Digest& diff_id, const PackedIndex& index);
  void put(std::size_t places, const Digest& diff_id, const IndexedLayer& layer);
  void put_far(const Addition& addition);
  bool is_usable(const bool& flag) const;
  bool is_trusted(const Digest& diff_id) const;
  void tell_damage(Place& place, const Digest& diff_id, const std::string& why);
  void lose_found(std::map<Digest, Found>::iterator found);
  void give_up(bool& flag, const std::string& why);

  Progress& progress_;
  const Trust trust_;
  std::vector<Place> places_;
  mutable std::mutex mutex_;
  std::map<Digest, Found> found_;
  std::set<Digest> lost_;
  bool has_told_ = false; ///< Of an index that is damaged.
  WorkQueue<Addition> queue_{[this](const Addition& addition) { put_far(addition); }};
};

} // namespace cairn
