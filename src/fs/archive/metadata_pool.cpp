#include "fs/archive/metadata_pool.hpp"

#include <tuple>

namespace cairn {

namespace {

const Metadata& plain(const Metadata& meta) {
  return meta;
}

const Metadata& plain(const std::shared_ptr<const Metadata>& meta) {
  return *meta;
}

auto key(const Metadata& meta) {
  return std::tie(meta.type, meta.mode, meta.uid, meta.gid, meta.device_major, meta.device_minor,
                  meta.xattrs);
}

std::array<std::uint32_t, 2> halves(std::uint64_t number) {
  return {static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(number >> 32U)};
}

std::uint64_t whole(const std::array<std::uint32_t, 2>& halves) {
  return (std::uint64_t{halves[1]} << 32U) | halves[0];
}

} // namespace

template<class A, class B>
bool MetadataPool::Order::operator()(const A& a, const B& b) const {
  return key(plain(a)) < key(plain(b));
}

MetadataPool::Packed MetadataPool::add(const Metadata& meta) {
  Packed packed;
  packed.attributes = attributes_of(meta);
  packed.mtime = halves(static_cast<std::uint64_t>(meta.mtime.time_since_epoch().count()));
  packed.size = halves(meta.type == FileType::symlink ? targets_.add(meta.link_target) : meta.size);
  return packed;
}

std::uint32_t MetadataPool::attributes_of(const Metadata& meta) {
  if (!attributes_.empty() && key(*attributes_.back()) == key(meta))
    return static_cast<std::uint32_t>(attributes_.size() - 1);
  if (const auto known = numbers_.find(meta); known != numbers_.end())
    return known->second;
  auto attributes = meta;
  attributes.mtime = {};
  attributes.size = 0;
  attributes.link_target.clear();
  attributes_.push_back(std::make_shared<const Metadata>(std::move(attributes)));
  const auto number = static_cast<std::uint32_t>(attributes_.size() - 1);
  numbers_.emplace(attributes_.back(), number);
  return number;
}

Metadata MetadataPool::get(const Packed& packed) const {
  auto meta = *attributes_[packed.attributes];
  meta.mtime = Time(std::chrono::nanoseconds(static_cast<std::int64_t>(whole(packed.mtime))));
  if (meta.type == FileType::symlink)
    meta.link_target = targets_.at(packed.size[0]);
  else
    meta.size = whole(packed.size);
  return meta;
}

FileType MetadataPool::type(const Packed& packed) const noexcept {
  return attributes_[packed.attributes]->type;
}

std::uint64_t MetadataPool::size(const Packed& packed) const noexcept {
  return type(packed) == FileType::symlink ? 0 : whole(packed.size);
}

std::string_view MetadataPool::link_target(const Packed& packed) const noexcept {
  return type(packed) == FileType::symlink ? targets_.at(packed.size[0]) : std::string_view();
}

} // namespace cairn
