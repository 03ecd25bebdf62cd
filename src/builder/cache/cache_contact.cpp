#include "builder/cache/cache_contact.hpp"

#include "net/retry.hpp"
#include "util/cancelled.hpp"
#include "util/threads.hpp"

#include <chrono>

namespace cairn {

namespace {

constexpr std::chrono::seconds patience{3};
/// A registry that is just being started refuses connections for a moment.
constexpr int most_attempts = 3;
constexpr Milliseconds pause_between{500};

} // namespace

CacheContact::CacheContact(RegistryClient& registry, ImageRef repository, Progress& progress)
    : registry_(registry), repository_(std::move(repository)), progress_(progress) {
  try {
    failure_ = start_async([this] { return attempt(); });
  } catch (const SysError& error) {
    // Without a thread the cache is asked as if there had been an answer.
    progress_.debug("{}: {}", repository_.name(), error.what());
  }
}

CacheContact::~CacheContact() {
  cancel_ = true;
  failure_ = {};
}

void CacheContact::require() {
  const auto why = failure_.valid() ? failure_.get() : std::nullopt;
  if (!why)
    return;
  if (!has_told_.exchange(true))
    progress_.warn("The cache {} is not used: {}", repository_.name(), *why);
  throw UnreachableCache("the cache {} is not used", repository_.name());
}

std::optional<std::string> CacheContact::attempt() {
  const auto pause = make_pause(&cancel_);
  const auto end = std::chrono::steady_clock::now() + patience;
  try {
    for (int number = 1;; ++number) {
      try {
        registry_.require_answer(repository_, patience, &cancel_);
        return std::nullopt;
      } catch (const TemporaryError&) {
        if (number == most_attempts || std::chrono::steady_clock::now() >= end)
          throw;
      }
      pause(pause_between * number);
    }
  } catch (const std::exception& error) {
    return error.what();
  }
}

} // namespace cairn
