#pragma once

#include "util/crypto.hpp"

#include <compare>
#include <string>
#include <string_view>

namespace cairn {

/// What names a step's layer in a cache: a digest over all that the layer depends on. Whoever has
/// the same key has the same layer, up to what commands do differently each time.
struct StepKey {
  std::string hex; ///< 64 lowercase hex digits, fit to be a tag.

  auto operator<=>(const StepKey&) const = default;
};

/// One digest over named fields, unambiguous whatever they hold.
class KeyHash {
public:
  /// `what` tells apart keys of different things.
  explicit KeyHash(std::string_view what) { add("what", what); }

  KeyHash& add(std::string_view field, std::string_view value);
  KeyHash& add(std::string_view field, const StepKey& key) { return add(field, key.hex); }
  StepKey finish() { return {hash_.hex()}; }

private:
  Sha256 hash_;
};

} // namespace cairn
