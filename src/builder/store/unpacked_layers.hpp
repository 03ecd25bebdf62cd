#pragma once

#include "oci/digest.hpp"
#include "util/cache_failure.hpp"
#include "util/cache_locks.hpp"
#include "util/fd.hpp"
#include "util/progress.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace cairn {

/// Layers as lower directories of overlays, kept from build to build by their chain ids: the same
/// layer may mean something else above others.
///
///   <directory>/<chain id>/          a layer, with its seal (fs/tree/seal.hpp)
///   <directory>/.partial-<random>/   one on its way, locked by the one who makes it
///
/// An entry counts when it is as its seal says, and it is sealed once all of it is on the disk: so
/// neither a power cut nor anybody's hand in it makes a wrong image. Others are thrown away, with a
/// warning. Sealing goes on beside the build. Thread-safe.
class UnpackedLayers {
public:
  /// What can be done with the directory. To make entries is to use them as well.
  enum class Ability { nothing, use, make };

  /// What is borrowed must outlive it.
  UnpackedLayers(std::string directory, Ability ability, CacheLocks& held, Progress& progress)
      : directory_(std::move(directory)), held_(held), progress_(progress), ability_(ability) {}
  UnpackedLayers(const UnpackedLayers&) = delete;
  UnpackedLayers& operator=(const UnpackedLayers&) = delete;
  ~UnpackedLayers() { finish(); }

  bool can_use() const { return ability() != Ability::nothing; }
  bool can_make() const { return ability() == Ability::make; }

  /// The directory of a layer, which stays until finish(). Nothing when there is none that counts.
  std::optional<std::string> find(const Digest& chain_id);

  /// A layer that is being unpacked.
  class Unpacking {
  public:
    /// @throws CacheFailure
    explicit Unpacking(UnpackedLayers& layers);
    Unpacking(const Unpacking&) = delete;
    Unpacking& operator=(const Unpacking&) = delete;
    ~Unpacking(); ///< Without commit() nothing remains.

    const std::string& path() const noexcept { return path_; }
    /// Where it is from then on. What another build unpacked at the same time is as good.
    /// @throws CacheFailure
    std::string commit(const Digest& chain_id);
    /// Where it is until finish(), for this build alone.
    std::string use_once();

  private:
    UnpackedLayers& layers_;
    std::string path_;
    Fd held_;
  };

  /// Runs `body`, which unpacks here. What the file system refuses ends that for this build.
  /// @throws CacheFailure
  template<class Body>
  decltype(auto) unpack(Body&& body) {
    try {
      return in_cache(std::forward<Body>(body));
    } catch (const CacheFailure& error) {
      refuse(error);
      throw;
    }
  }

  using Moment = std::chrono::steady_clock::time_point;

  /// Whether all that is in use is as it was when it was given out. A change cannot be undone, so
  /// it was the same at every moment before.
  bool are_intact();
  /// The same for what was made of it at a moment: looks again only where that is needed.
  bool were_intact_at(Moment moment);
  /// True when the build that used it so far cannot go on: something is lost or was refused.
  bool have_failed() { return was_refused() || has_gone() || !are_intact(); }
  /// Forgets what is in use. After the second loss nothing here is used any more.
  void begin_again();

  /// Waits until entries are sealed, and lets go of what only this build could use.
  void finish() noexcept;

private:
  enum class Fate { kept, spare };
  struct Sealing {
    std::string path;
    Fd directory;
    Fate fate = Fate::kept;
  };

  Ability ability() const;
  bool was_refused() const;
  bool has_gone() const;
  void refuse(const CacheFailure& error);
  std::optional<std::string> find_intact(const std::string& name);
  void throw_away(const std::string& name, std::string_view why);
  void use(const std::string& path, std::optional<std::string> seal);
  std::map<std::string, std::string> seals_in_use();
  void seal_later(Sealing sealing);
  void work();
  void seal_some(std::unique_lock<std::mutex>& lock);
  void seal(const std::vector<Sealing>& batch);

  const std::string directory_;
  CacheLocks& held_;
  Progress& progress_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Ability ability_;
  bool refused_ = false;
  unsigned losses_ = 0;
  /// Directories in use with their seals, as soon as these are known.
  std::map<std::string, std::optional<std::string>> used_;
  std::vector<Sealing> to_seal_;
  std::vector<Sealing> sealed_; ///< Unpacked by this build, and held until it ends.
  bool ending_ = false;
  Moment began_{};
  Moment intact_at_{};
  std::jthread worker_;
};

} // namespace cairn
