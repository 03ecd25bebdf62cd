#include "builder/store/layer_index_caches.hpp"

#include "builder/store/unreachable_cache.hpp"

#include <utility>

namespace cairn {

namespace {

/// Indexes are small: enough to hide the registry's answers behind each other.
constexpr std::size_t parallel_puts = 2;

Digest digest_of(const IndexedLayer& layer) {
  EntriesDigest digest;
  for (const auto& entry : layer.index.entries)
    digest.add(entry);
  return digest.finish();
}

} // namespace

void LayerIndexCaches::use(std::unique_ptr<LayerIndexes> place, Use how, Distance distance) {
  places_.push_back({std::move(place), how, distance});
}

std::optional<IndexedLayer> LayerIndexCaches::find(const Digest& diff_id) {
  if (!is_trusted(diff_id))
    return std::nullopt;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    auto layer = find_in(places_[i], diff_id);
    if (!layer)
      continue;
    progress_.debug("What layer {} holds is known from {}", diff_id.str(),
                    places_[i].indexes->name(diff_id));
    {
      const std::lock_guard lock(mutex_);
      found_.insert_or_assign(diff_id, Found{i, digest_of(*layer)});
    }
    put(i, diff_id, *layer);
    return layer;
  }
  return std::nullopt;
}

bool LayerIndexCaches::is_trusted(const Digest& diff_id) const {
  const std::lock_guard lock(mutex_);
  return trust_ == Trust::indexes && !lost_.contains(diff_id);
}

std::optional<IndexedLayer> LayerIndexCaches::find_in(Place& place, const Digest& diff_id) {
  {
    const std::lock_guard lock(mutex_);
    if (!place.readable || place.damaged.contains(diff_id))
      return std::nullopt;
  }
  try {
    return place.indexes->find(diff_id);
  } catch (const UnreachableCache&) {
    give_up(place.readable, {});
  } catch (const DamagedIndex& error) {
    tell_damage(place, diff_id, error.what());
  } catch (const Error& error) {
    give_up(place.readable,
            fmt::format("Indexes of layers are not looked for any more: {}", error.what()));
  }
  return std::nullopt;
}

void LayerIndexCaches::keep(const Digest& diff_id, const IndexedLayer& layer) {
  put(places_.size(), diff_id, layer);
}

/// Into the first so many places. What cannot be packed is read again each time.
void LayerIndexCaches::put(std::size_t places, const Digest& diff_id, const IndexedLayer& layer) {
  std::shared_ptr<const PackedIndex> packed;
  for (std::size_t i = 0; i < places; ++i) {
    auto& place = places_[i];
    if (place.how == Use::read || !is_usable(place.writable))
      continue;
    try {
      if (!packed)
        packed = std::make_shared<const PackedIndex>(pack_index(layer));
    } catch (const Error& error) {
      progress_.debug("The index of layer {} is not kept: {}", diff_id.str(), error.what());
      return;
    }
    if (place.distance == Distance::far) {
      if (queue_.start(parallel_puts))
        queue_.add({i, diff_id, packed});
    } else {
      put_in(place, diff_id, *packed);
    }
  }
}

void LayerIndexCaches::put_far(const Addition& addition) {
  try {
    put_in(places_[addition.place], addition.diff_id, *addition.index);
  } catch (const std::exception& error) {
    progress_.debug("The index of layer {} is not kept: {}", addition.diff_id.str(), error.what());
  }
}

void LayerIndexCaches::put_in(Place& place, const Digest& diff_id, const PackedIndex& index) {
  if (!is_usable(place.writable))
    return;
  const auto name = place.indexes->name(diff_id);
  try {
    if (wants(place, diff_id, index)) {
      place.indexes->keep(diff_id, index);
      progress_.debug("Put the index of layer {} as {}", diff_id.str(), name);
    }
    const std::lock_guard lock(mutex_);
    place.settled.insert(diff_id);
  } catch (const UnreachableCache&) {
    give_up(place.writable, {});
  } catch (const Error& error) {
    give_up(place.writable,
            fmt::format("No more indexes of layers are kept: {}: {}", name, error.what()));
  }
}

/// Whether a place lacks an index. What it has and is not trusted is compared.
bool LayerIndexCaches::wants(Place& place, const Digest& diff_id, const PackedIndex& index) {
  {
    const std::lock_guard lock(mutex_);
    if (place.settled.contains(diff_id))
      return false;
    if (place.damaged.contains(diff_id))
      return true;
  }
  if (!place.indexes->has(diff_id))
    return true;
  if (is_trusted(diff_id))
    return false;
  try {
    const auto known = place.indexes->find(diff_id);
    if (known && pack_index(*known) == index)
      return false;
    progress_.warn("{} is not the index of its layer, and is replaced",
                   place.indexes->name(diff_id));
  } catch (const DamagedIndex& error) {
    tell_damage(place, diff_id, error.what());
  }
  return true;
}

void LayerIndexCaches::lose(const Digest& diff_id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = found_.find(diff_id); found != found_.end())
    lose_found(found);
}

void LayerIndexCaches::lose_all() {
  const std::lock_guard lock(mutex_);
  while (!found_.empty())
    lose_found(found_.begin());
}

/// With the lock. What was found far away may have been put into nearer places.
void LayerIndexCaches::lose_found(std::map<Digest, Found>::iterator found) {
  for (auto& place : places_)
    place.settled.erase(found->first);
  lost_.insert(found->first);
  found_.erase(found);
}

std::size_t LayerIndexCaches::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_.size();
}

std::optional<LayerIndexCaches::Comparison> LayerIndexCaches::comparison(const Digest& diff_id) {
  const std::lock_guard lock(mutex_);
  const auto found = found_.find(diff_id);
  if (found == found_.end())
    return std::nullopt;
  return std::optional<Comparison>(std::in_place, *this, diff_id, found->second.entries);
}

void LayerIndexCaches::Comparison::finish() {
  if (read_.finish() == expected_)
    return;
  std::string name;
  {
    const std::lock_guard lock(caches_.mutex_);
    if (const auto found = caches_.found_.find(diff_id_); found != caches_.found_.end())
      name = caches_.places_[found->second.place].indexes->name(diff_id_);
  }
  caches_.lose(diff_id_);
  throw Error("the index {} is not that of the layer", name);
}

bool LayerIndexCaches::is_usable(const bool& flag) const {
  const std::lock_guard lock(mutex_);
  return flag;
}

void LayerIndexCaches::tell_damage(Place& place, const Digest& diff_id, const std::string& why) {
  const std::lock_guard lock(mutex_);
  place.damaged.insert(diff_id);
  if (!std::exchange(has_told_, true))
    progress_.warn("{} is not used: {}", place.indexes->name(diff_id), why);
}

/// Without a reason it has been told.
void LayerIndexCaches::give_up(bool& flag, const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(flag, false) && !why.empty())
    progress_.warn("{}", why);
}

} // namespace cairn
