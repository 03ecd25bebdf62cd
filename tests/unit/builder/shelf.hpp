#pragma once

#include "builder/cache/step_cache.hpp"
#include "support/journal.hpp"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace cairn::test {

/// What a place for entries holds and how it behaves. It outlives the StepCache that is made of it.
struct Shelf {
  std::string name;
  std::map<std::string, Manifest> entries = {}; ///< By the key that they are asked for by.
  std::optional<ImageRef> repository = {};
  /// Called while the place is asked, to wait or to throw.
  std::function<void()> on_find = [] {};
  std::function<void()> on_open = [] {};
  std::function<void()> on_read = [] {};
  std::function<void(const StepKey&)> on_put = [](const StepKey&) {};
  Journal asked = {}; ///< "find K", "open K", "put K": K is how the key begins.
  std::mutex mutex = {};
};

/// A key that begins with this letter and goes on with it.
inline StepKey key_of(char letter) {
  return {std::string(64, letter)};
}

/// A place in memory.
class ShelfCache final : public StepCache {
public:
  explicit ShelfCache(Shelf& shelf) : shelf_(shelf) {}

  std::string name() const override { return shelf_.name; }
  std::optional<ImageRef> repository() const override { return shelf_.repository; }

  std::optional<Manifest> find(const StepKey& key) override {
    ask("find ", key);
    shelf_.on_find();
    const std::lock_guard lock(shelf_.mutex);
    const auto found = shelf_.entries.find(key.hex);
    return found == shelf_.entries.end() ? std::nullopt : std::optional(found->second);
  }
  std::unique_ptr<Source> open(const StepKey& key, const Descriptor&) override {
    ask("open ", key);
    shelf_.on_open();
    return std::make_unique<Empty>(shelf_);
  }
  void put(const StepKey& key, const BuiltImage& entry) override {
    shelf_.on_put(key);
    {
      const std::lock_guard lock(shelf_.mutex);
      shelf_.entries.insert_or_assign(key.hex, entry.manifest);
    }
    ask("put ", key);
  }

private:
  class Empty final : public Source {
  public:
    explicit Empty(Shelf& shelf) : shelf_(shelf) {}
    std::size_t read(std::span<std::byte>) override {
      shelf_.on_read();
      return 0;
    }

  private:
    Shelf& shelf_;
  };

  void ask(const std::string& what, const StepKey& key) {
    shelf_.asked.add(what + key.hex.substr(0, 1));
  }

  Shelf& shelf_;
};

} // namespace cairn::test
