#pragma once

#include "builder/layers/stage_layer.hpp"
#include "oci/digest.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "registry/client.hpp"
#include "util/progress.hpp"
#include "util/work_queue.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace cairn {

/// Sends layers to where the image will be pushed while the build goes on. Nothing is tagged: what
/// a build that fails has sent is for the registry to collect. What cannot be sent now is left to
/// the push at the end, which says why. Thread-safe.
class EarlyUploads {
public:
  /// `client` and `progress` must outlive it.
  EarlyUploads(RegistryClient& client, const std::vector<ImageRef>& destinations,
               Progress& progress);
  EarlyUploads(const EarlyUploads&) = delete;
  EarlyUploads& operator=(const EarlyUploads&) = delete;
  /// What is under way is broken off.
  ~EarlyUploads();

  /// A layer of the image, which may still be being written. Each is sent once.
  void add(std::shared_ptr<const StageLayer> layer);

  /// Whether a blob that is read from `repository` will have to be sent to some destination: it is
  /// not there, and the registry cannot take it over from its own repository.
  bool must_send(const Descriptor& blob, const std::optional<ImageRef>& repository);

  /// Waits until everything that was added has been sent or given up.
  void finish() { queue_.finish(); }
  /// Whether a repository is known to have a blob.
  bool is_there(const ImageRef& repository, const Digest& blob) const;

private:
  void send(const StageLayer& layer);
  void send_to(const ImageRef& repository, const StageLayer& layer, const Descriptor& blob);
  bool is_given_up(const ImageRef& repository) const;

  RegistryClient& client_;
  Progress& progress_;
  std::vector<ImageRef> repositories_; ///< Each once.
  mutable std::mutex mutex_;
  std::set<std::shared_ptr<const StageLayer>> known_;
  std::set<std::pair<std::string, Digest>> there_; ///< Repositories with what they have.
  std::set<std::string> given_up_;
  std::atomic<bool> ending_ = false;
  WorkQueue<std::shared_ptr<const StageLayer>> queue_{
      [this](const std::shared_ptr<const StageLayer>& layer) { send(*layer); }};
};

} // namespace cairn
