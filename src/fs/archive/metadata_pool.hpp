#pragma once

#include "fs/archive/entry.hpp"
#include "fs/archive/text_pool.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace cairn {

/// The Metadata of many files, each in 20 bytes: of types, modes, owners, devices and extended
/// attributes an image has few combinations, so each is kept once. Nothing is ever removed.
class MetadataPool {
public:
  /// What differs from file to file. Means something to the pool that it is from, and its copies.
  struct Packed {
    std::uint32_t attributes = 0; ///< Which combination.
    std::array<std::uint32_t, 2> mtime{};
    std::array<std::uint32_t, 2> size{}; ///< Of a symbolic link where its target is.
  };

  Packed add(const Metadata& meta);
  Metadata get(const Packed& packed) const;

  FileType type(const Packed& packed) const noexcept;
  std::uint64_t size(const Packed& packed) const noexcept;
  /// "" of what is no symbolic link.
  std::string_view link_target(const Packed& packed) const noexcept;

private:
  struct Order {
    using is_transparent = void;
    template<class A, class B>
    bool operator()(const A& a, const B& b) const;
  };
  /// Metadata without what is in Packed.
  using Attributes = std::shared_ptr<const Metadata>;

  std::uint32_t attributes_of(const Metadata& meta);

  std::vector<Attributes> attributes_;
  std::map<Attributes, std::uint32_t, Order> numbers_; ///< Places in attributes_.
  TextPool targets_;
};

} // namespace cairn
