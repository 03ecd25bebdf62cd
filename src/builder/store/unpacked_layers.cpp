#include "builder/store/unpacked_layers.hpp"

#include "fs/tree/seal.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/parallel.hpp"
#include "util/threads.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>

namespace cairn {

namespace {

constexpr std::size_t parallel_checks = 4;
constexpr unsigned most_losses = 2;
constexpr int tries = 3; // where somebody else may be at work on the same entry

Fd open_entry(const std::string& path) {
  return open_at(current_directory(), path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/// A seal that no directory has.
constexpr const char* no_seal = "";

std::string seal_or_none(FdRef directory) {
  try {
    return seal_of(directory);
  } catch (const std::exception&) {
    return no_seal;
  }
}

} // namespace

UnpackedLayers::Ability UnpackedLayers::ability() const {
  const std::lock_guard lock(mutex_);
  return ability_;
}

bool UnpackedLayers::was_refused() const {
  const std::lock_guard lock(mutex_);
  return refused_;
}

/// Whether the volume is no longer there. What the kernel remembers of its files may look intact.
bool UnpackedLayers::has_gone() const {
  if (ability() != Ability::make)
    return false;
  const auto probe = fmt::format("{}/.removed-{}", directory_, random_hex(8));
  if (::mkdir(probe.c_str(), 0700) == 0) {
    ::rmdir(probe.c_str());
    return false;
  }
  return errno == EIO || errno == ESTALE || errno == ENODEV || errno == ENOTCONN || errno == EROFS;
}

void UnpackedLayers::refuse(const CacheFailure& error) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(refused_, true))
    return;
  ability_ = std::min(ability_, Ability::use);
  progress_.warn("No more layers are unpacked in {}: {}", directory_, error.what());
}

std::optional<std::string> UnpackedLayers::find(const Digest& chain_id) {
  if (!can_use())
    return std::nullopt;
  try {
    return find_intact(std::string(chain_id.hex()));
  } catch (const SysError& error) {
    progress_.warn("{}/{} is not used: {}", directory_, chain_id.hex(), error.what());
    return std::nullopt;
  }
}

std::optional<std::string> UnpackedLayers::find_intact(const std::string& name) {
  auto path = directory_ + "/" + name;
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return std::nullopt;
  std::string_view why = "is no directory";
  if (S_ISDIR(info.st_mode)) {
    const auto directory = open_entry(path);
    if (!lock_shared(directory) || !is_entry(directory, current_directory(), path))
      return std::nullopt;
    const auto seal = read_seal(directory);
    if (seal && seal_or_none(directory) == *seal && held_.hold(path)) {
      use(path, seal);
      return path;
    }
    why = seal ? "is not what it was when it was unpacked" : "is not known to be complete";
  }
  throw_away(name, why);
  return std::nullopt;
}

void UnpackedLayers::throw_away(const std::string& name, std::string_view why) {
  if (!can_make()) {
    progress_.warn("{}/{} {}: it is not used", directory_, name, why);
    return;
  }
  const auto folder = open_entry(directory_);
  struct stat info {};
  const bool is_directory =
      ::fstatat(folder.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
      S_ISDIR(info.st_mode);
  const auto claim = is_directory ? try_lock_exclusive(folder, name) : std::nullopt;
  // Another build is at work on it, or works with it: that one will notice.
  if (is_directory && !claim)
    return;
  progress_.warn("{}/{} {}: the layer is unpacked again", directory_, name, why);
  const auto passing = ".removed-" + random_hex(8);
  if (::renameat(folder.get(), name.c_str(), folder.get(), passing.c_str()) != 0)
    throw SysError(errno, "rename '{}'", name);
  remove_tree(folder, passing);
}

void UnpackedLayers::use(const std::string& path, std::optional<std::string> seal) {
  const std::lock_guard lock(mutex_);
  used_.insert_or_assign(path, std::move(seal));
}

UnpackedLayers::Unpacking::Unpacking(UnpackedLayers& layers) : layers_(layers) {
  layers_.unpack([this] {
    for (int i = 0; i < tries; ++i) {
      path_ = fmt::format("{}/.partial-{}", layers_.directory_, random_hex(8));
      make_directories(path_);
      held_ = open_entry(path_);
      // Whoever removes what killed builds left may have been faster.
      if (lock_shared(held_) && is_entry(held_, current_directory(), path_))
        return;
    }
    throw SysError(EBUSY, "make '{}'", path_);
  });
}

UnpackedLayers::Unpacking::~Unpacking() {
  if (path_.empty())
    return;
  try {
    remove_tree(current_directory(), path_);
  } catch (const Error&) {
    // Nobody looks for it under that name.
    return;
  }
}

std::string UnpackedLayers::Unpacking::commit(const Digest& chain_id) {
  auto whole = fmt::format("{}/{}", layers_.directory_, chain_id.hex());
  return layers_.unpack([&] {
    for (int i = 0; i < tries; ++i) {
      if (::rename(path_.c_str(), whole.c_str()) == 0) {
        path_.clear();
        layers_.seal_later({whole, std::move(held_), Fate::kept});
        return whole;
      }
      if (errno != EEXIST && errno != ENOTEMPTY && errno != ENOTDIR)
        throw SysError(errno, "rename '{}'", path_);
      if (const auto found = layers_.find(chain_id))
        return *found;
    }
    // Another build has not finished it. Its own is as good for this build.
    return use_once();
  });
}

std::string UnpackedLayers::Unpacking::use_once() {
  auto own = std::exchange(path_, {});
  layers_.seal_later({own, std::move(held_), Fate::spare});
  return own;
}

void UnpackedLayers::seal_later(Sealing sealing) {
  std::unique_lock lock(mutex_);
  used_.insert_or_assign(sealing.path, std::nullopt);
  to_seal_.push_back(std::move(sealing));
  changed_.notify_all();
  if (worker_.joinable())
    return;
  try {
    worker_ = start_thread([this] { work(); });
  } catch (const SysError&) {
    // No thread is to be had: then it is done here.
    seal_some(lock);
  }
}

void UnpackedLayers::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return ending_ || !to_seal_.empty(); });
    if (to_seal_.empty())
      return;
    seal_some(lock);
  }
}

void UnpackedLayers::seal_some(std::unique_lock<std::mutex>& lock) {
  auto batch = std::exchange(to_seal_, {});
  lock.unlock();
  seal(batch);
  lock.lock();
  // The locks last as long as the use.
  std::move(batch.begin(), batch.end(), std::back_inserter(sealed_));
}

void UnpackedLayers::seal(const std::vector<Sealing>& batch) {
  std::vector<std::string> seals;
  for (const auto& sealing : batch) {
    seals.push_back(seal_or_none(sealing.directory));
    use(sealing.path, seals.back());
  }
  changed_.notify_all();
  try {
    if (::syncfs(batch.front().directory.get()) != 0)
      throw SysError(errno, "write '{}' to the disk", directory_);
    for (std::size_t i = 0; i < batch.size(); ++i)
      if (batch[i].fate == Fate::kept && seals[i] != no_seal)
        write_seal(batch[i].directory, seals[i]);
  } catch (const std::exception& error) {
    progress_.warn("Layers that were unpacked are not kept: {}", error.what());
  }
}

std::map<std::string, std::string> UnpackedLayers::seals_in_use() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return std::all_of(used_.begin(), used_.end(),
                       [](const auto& entry) { return entry.second.has_value(); });
  });
  std::map<std::string, std::string> seals;
  for (const auto& [path, seal] : used_)
    seals.emplace(path, *seal);
  return seals;
}

bool UnpackedLayers::are_intact() {
  const auto seals = seals_in_use();
  const std::vector<std::pair<std::string, std::string>> list(seals.begin(), seals.end());
  std::atomic<bool> intact = true;
  parallel_for(list.size(), parallel_checks, [&](std::size_t i) {
    try {
      if (seal_of(open_entry(list[i].first)) != list[i].second)
        intact = false;
    } catch (const Error&) {
      intact = false;
    }
  });
  return intact;
}

bool UnpackedLayers::were_intact_at(Moment moment) {
  {
    const std::lock_guard lock(mutex_);
    if (moment < began_)
      return false;
    if (moment <= intact_at_)
      return true;
  }
  const auto now = std::chrono::steady_clock::now();
  if (!are_intact())
    return false;
  const std::lock_guard lock(mutex_);
  intact_at_ = std::max(intact_at_, now);
  return true;
}

void UnpackedLayers::begin_again() {
  const bool gone = has_gone();
  const bool lost = !are_intact();
  const std::lock_guard lock(mutex_);
  refused_ = false;
  if (gone || (lost && ++losses_ >= most_losses))
    ability_ = Ability::nothing;
  for (const auto& entry : used_)
    held_.drop(entry.first);
  used_.clear();
  began_ = std::chrono::steady_clock::now();
}

void UnpackedLayers::finish() noexcept {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable())
    worker_.join();
  for (const auto& unpacked : std::exchange(sealed_, {})) {
    if (unpacked.fate != Fate::spare)
      continue;
    try {
      remove_tree(current_directory(), unpacked.path);
    } catch (const Error& error) {
      progress_.debug("{} is left: {}", unpacked.path, error.what());
    }
  }
  const std::lock_guard lock(mutex_);
  used_.clear();
  ending_ = false;
}

} // namespace cairn
