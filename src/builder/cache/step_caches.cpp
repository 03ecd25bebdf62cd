#include "builder/cache/step_caches.hpp"

#include "builder/store/unreachable_cache.hpp"
#include "net/http.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

/// Enough to keep a connection busy while a layer is being finished.
constexpr std::size_t parallel_puts = 2;

/// Runs `body`, and `lost` when it fails. What remains is an error that no second try mends.
template<class Body>
auto watched(const std::function<void()>& lost, Body&& body) {
  try {
    return std::forward<Body>(body)();
  } catch (const Error& error) {
    lost();
    throw Error(error);
  }
}

class WatchedSource final : public Source {
public:
  WatchedSource(std::unique_ptr<Source> from, std::function<void()> lost)
      : from_(std::move(from)), lost_(std::move(lost)) {}

  std::size_t read(std::span<std::byte> buffer) override {
    return watched(lost_, [&] { return from_->read(buffer); });
  }

private:
  std::unique_ptr<Source> from_;
  std::function<void()> lost_;
};

} // namespace

StepCaches::StepCaches(EntryRule rule, Progress& progress) : rule_(rule), progress_(progress) {}

void StepCaches::use(std::unique_ptr<StepCache> cache, Use how) {
  places_.push_back({std::move(cache), how});
  if (how == Use::read_and_write && !queue_.start(parallel_puts))
    progress_.warn("Nothing is put into the cache: there can be no further thread");
}

std::shared_ptr<const BaseImage> StepCaches::find(const StepKey& key) {
  for (auto& place : places_)
    if (auto found = find_in(place, key))
      return found;
  return nullptr;
}

std::shared_ptr<const BaseImage> StepCaches::find_in(Place& place, const StepKey& key) {
  if (!is_usable(place.readable) || is_lost(place, key))
    return nullptr;
  try {
    if (auto manifest = place.cache->find(key))
      if (const auto entry =
              within([&] { return read_entry(key, *std::move(manifest), rule_, *place.cache); },
                     "{}:{}", place.cache->name(), key.hex))
        return watch(*entry, place, key);
  } catch (const UnreachableCache&) {
    give_up(place.readable, {});
  } catch (const Error& error) {
    give_up(place.readable, fmt::format("Nothing is taken from the cache {}: {}",
                                        place.cache->name(), error.what()));
  }
  return nullptr;
}

std::shared_ptr<const BaseImage> StepCaches::watch(const BaseImage& image, Place& place,
                                                   const StepKey& key) {
  auto result = std::make_shared<BaseImage>(image);
  const auto lost = [this, &place, key] { lose(place, key); };
  result->open = [open = image.open, lost](const Descriptor& blob) -> std::unique_ptr<Source> {
    return std::make_unique<WatchedSource>(watched(lost, [&] { return open(blob); }), lost);
  };
  return result;
}

std::size_t StepCaches::lost() const {
  const std::lock_guard lock(mutex_);
  std::size_t count = 0;
  for (const auto& place : places_)
    count += place.lost.size();
  return count;
}

void StepCaches::stop_finding() {
  const std::lock_guard lock(mutex_);
  for (auto& place : places_)
    place.readable = false;
}

void StepCaches::add(const StepKey& key, std::shared_ptr<const StageLayer> layer,
                     std::string created_by) {
  queue_.add({key, std::move(layer), std::move(created_by), std::chrono::steady_clock::now()});
}

std::map<Digest, std::vector<ImageRef>> StepCaches::holders() const {
  const std::lock_guard lock(mutex_);
  return holders_;
}

void StepCaches::put(const Addition& addition) {
  try {
    if (voucher_ && !voucher_(addition.made))
      return;
    const auto entry = make_entry(addition.key, addition.layer, addition.created_by, rule_);
    for (auto& place : places_)
      if (place.how == Use::read_and_write && is_usable(place.writable))
        put_in(place, addition.key, entry);
  } catch (const std::exception& error) {
    // The layer could not be written, which is what the build ends with.
    progress_.debug("A step is not put into the cache: {}", error.what());
  }
}

void StepCaches::put_in(Place& place, const StepKey& key, const BuiltImage& entry) {
  try {
    place.cache->put(key, entry);
    progress_.debug("Put {} into the cache {}", key.hex, place.cache->name());
    if (const auto repository = place.cache->repository()) {
      const std::lock_guard lock(mutex_);
      holders_[entry.manifest.layers.front().digest].push_back(*repository);
    }
  } catch (const UnreachableCache&) {
    give_up(place.writable, {});
  } catch (const Error& error) {
    give_up(place.writable, fmt::format("Nothing more is put into the cache {}: {}",
                                        place.cache->name(), error.what()));
  }
}

bool StepCaches::is_usable(const bool& flag) const {
  const std::lock_guard lock(mutex_);
  return flag;
}

bool StepCaches::is_lost(const Place& place, const StepKey& key) const {
  const std::lock_guard lock(mutex_);
  return place.lost.contains(key.hex);
}

void StepCaches::lose(Place& place, const StepKey& key) {
  const std::lock_guard lock(mutex_);
  place.lost.insert(key.hex);
}

/// Without a reason it has been told.
void StepCaches::give_up(bool& flag, const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(flag, false) && !why.empty())
    progress_.warn("{}", why);
}

} // namespace cairn
