#pragma once

#include "fs/tree/packed_index.hpp"
#include "oci/digest.hpp"
#include "util/error.hpp"

#include <optional>
#include <string>

namespace cairn {

/// What a place has for the index of a layer and is none. The place itself is as it should be.
class DamagedIndex final : public Error {
public:
  explicit DamagedIndex(const Error& cause) : Error(cause) {}
  [[noreturn]] void raise() const override { throw DamagedIndex(*this); }
};

/// A place where the indexes of layers are kept by diff id, so that a layer need not be read for
/// what it holds. It throws when it cannot be reached: whoever asks decides what that means.
/// Thread-safe.
class LayerIndexes {
public:
  virtual ~LayerIndexes() = default;

  /// What messages call the index of a layer.
  virtual std::string name(const Digest& diff_id) const = 0;
  /// Nothing when there is none. @throws DamagedIndex; Error
  virtual std::optional<IndexedLayer> find(const Digest& diff_id) = 0;
  /// Whether find() would have something to look at. @throws Error
  virtual bool has(const Digest& diff_id) = 0;
  /// Puts an index in the place of any other. @throws Error
  virtual void keep(const Digest& diff_id, const PackedIndex& index) = 0;
};

} // namespace cairn
