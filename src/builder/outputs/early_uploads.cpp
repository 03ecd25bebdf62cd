#include "builder/outputs/early_uploads.hpp"

#include "util/error.hpp"
#include "util/interruptible.hpp"

#include <algorithm>

namespace cairn {

namespace {

/// Enough to send one layer while the next is being written.
constexpr std::size_t parallel_uploads = 2;

bool can_mount(const std::optional<ImageRef>& from, const ImageRef& to) {
  return from && from->registry() == to.registry();
}

} // namespace

EarlyUploads::EarlyUploads(RegistryClient& client, const std::vector<ImageRef>& destinations,
                           Progress& progress)
    : client_(client), progress_(progress) {
  std::set<std::string> names;
  for (const auto& destination : destinations)
    if (names.insert(destination.name()).second)
      repositories_.push_back(destination);
  queue_.start(parallel_uploads);
}

EarlyUploads::~EarlyUploads() {
  ending_ = true;
}

void EarlyUploads::add(std::shared_ptr<const StageLayer> layer) {
  {
    const std::lock_guard lock(mutex_);
    if (!known_.insert(layer).second)
      return;
  }
  queue_.add(std::move(layer));
}

bool EarlyUploads::must_send(const Descriptor& blob, const std::optional<ImageRef>& repository) {
  return std::any_of(repositories_.begin(), repositories_.end(), [&](const ImageRef& to) {
    try {
      return !can_mount(repository, to) && !is_given_up(to) && !client_.has_blob(to, blob.digest);
    } catch (const Error&) {
      return false; // The push will say what is wrong.
    }
  });
}

bool EarlyUploads::is_there(const ImageRef& repository, const Digest& blob) const {
  const std::lock_guard lock(mutex_);
  return there_.contains({repository.name(), blob});
}

bool EarlyUploads::is_given_up(const ImageRef& repository) const {
  const std::lock_guard lock(mutex_);
  return given_up_.contains(repository.name());
}

void EarlyUploads::send(const StageLayer& layer) {
  try {
    // Waits until the layer is written.
    const auto blob = layer.descriptor(ImageFormat::oci);
    for (const auto& repository : repositories_)
      if (!ending_ && !is_given_up(repository))
        send_to(repository, layer, blob);
  } catch (const std::exception&) {
    // The layer could not be written, which is what the build ends with.
  }
}

void EarlyUploads::send_to(const ImageRef& repository, const StageLayer& layer,
                           const Descriptor& blob) {
  const Timed timed(progress_, "send", blob.digest.str());
  try {
    std::vector<std::string> from;
    if (const auto base = layer.base(); base && can_mount(base->repository, repository) &&
                                        base->repository->repository() != repository.repository())
      from.push_back(base->repository->repository());
    client_.push_blob(
        repository, blob,
        [&] { return std::make_unique<InterruptibleSource>(layer.open(), ending_); }, from);
    const std::lock_guard lock(mutex_);
    there_.insert({repository.name(), blob.digest});
  } catch (const std::exception& error) {
    progress_.debug("{}: blob {} is left for the push: {}", repository.name(), blob.digest.str(),
                    error.what());
    const std::lock_guard lock(mutex_);
    given_up_.insert(repository.name());
  }
}

} // namespace cairn
