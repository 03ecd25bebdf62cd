#include "builder/store/directory_indexes.hpp"

namespace cairn {

namespace {

class DirectoryIndexes final : public LayerIndexes {
public:
  explicit DirectoryIndexes(const CacheDirectory& directory) : directory_(directory) {}

  std::string name(const Digest& diff_id) const override { return directory_.index_path(diff_id); }
  std::optional<IndexedLayer> find(const Digest& diff_id) override {
    return directory_.index(diff_id);
  }
  bool has(const Digest& diff_id) override { return directory_.has_index(diff_id); }
  void keep(const Digest& diff_id, const PackedIndex& index) override {
    directory_.keep_index(diff_id, index);
  }

private:
  const CacheDirectory& directory_;
};

} // namespace

std::unique_ptr<LayerIndexes> make_directory_indexes(const CacheDirectory& directory) {
  return std::make_unique<DirectoryIndexes>(directory);
}

} // namespace cairn
