#pragma once

#include "builder/cache/step_key.hpp"
#include "builder/images/image_library.hpp"
#include "builder/layers/image_writer.hpp"
#include "builder/layers/stage_layer.hpp"
#include "util/clock.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace cairn {

/// A place where layers of steps are kept from build to build. Thread-safe. It throws when it
/// cannot be reached or holds nonsense: whoever asks decides what that means.
class StepCache {
public:
  virtual ~StepCache() = default;

  /// What messages call it.
  virtual std::string name() const = 0;
  /// The manifest of an entry, as it was put; nothing when there is none. @throws Error
  virtual std::optional<Manifest> find(const StepKey& key) = 0;
  /// The bytes of a blob that a found manifest names, verified at their end. @throws Error
  virtual std::unique_ptr<Source> open(const StepKey& key, const Descriptor& blob) = 0;
  /// Where its blobs can be mounted from, when that is a repository.
  virtual std::optional<ImageRef> repository() const = 0;
  /// Puts an entry: all its blobs, then its manifest. @throws Error
  virtual void put(const StepKey& key, const BuiltImage& entry) = 0;
};

/// What makes an entry one that a build may use.
struct EntryRule {
  std::chrono::nanoseconds time_to_live{0};
  Time now;
  /// No file in a layer may be newer than this, see TimeOptions::epoch.
  std::optional<Time> epoch;
  bool reproducible = false;
};

/// An entry is an image of one layer that any registry keeps. Its manifest says in annotations
/// which step it is of, and what else the configuration would have to be fetched for.
BuiltImage make_entry(const StepKey& key, std::shared_ptr<const StageLayer> layer,
                      const std::string& created_by, const EntryRule& rule);

/// The image that an entry is, with its blobs in `cache`, which must outlive it; nothing when it is
/// another step's, or the rule forbids its use. @throws Error when it is no entry
std::shared_ptr<const BaseImage> read_entry(const StepKey& key, Manifest manifest,
                                            const EntryRule& rule, StepCache& cache);

} // namespace cairn
