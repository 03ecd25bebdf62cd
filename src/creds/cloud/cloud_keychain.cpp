#include "creds/cloud/cloud_keychain.hpp"

#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>

namespace cairn {

namespace {

constexpr std::chrono::minutes longest_margin{5};
constexpr std::chrono::minutes pause_after_nothing{10};

/// A credential is replaced a tenth of its life, at most five minutes, before it ends.
Time use_until(Time now, Time expires) {
  const auto life = expires - now;
  return expires - std::min<std::chrono::nanoseconds>(life / 10, longest_margin);
}

class CloudKeychain final : public Keychain {
public:
  CloudKeychain(CloudMinters providers, Retry retry, Clock clock, Progress& progress)
      : providers_(std::move(providers)), retry_(std::move(retry)), clock_(std::move(clock)),
        progress_(progress) {}

  std::optional<Credential> find(const ImageRef& ref) override {
    auto* provider = provider_for(providers_, ref.registry());
    if (provider == nullptr)
      return std::nullopt;
    const std::lock_guard lock(mutex_);
    const auto now = clock_();
    auto& answer = answers_[ref.registry()];
    if (answer.fresh_until > now)
      return answer.credential;
    answer.credential.reset();
    answer.fresh_until = now + pause_after_nothing;
    if (auto minted = mint(*provider, ref.registry())) {
      answer.credential = std::move(minted->credential);
      answer.fresh_until = use_until(now, minted->expires);
    }
    return answer.credential;
  }

  std::string places() const override {
    std::vector<std::string> names;
    for (const auto& provider : providers_)
      names.emplace_back(provider->name());
    return join(names, ", ");
  }

private:
  struct Answer {
    std::optional<Credential> credential;
    Time fresh_until{};
  };

  std::optional<MintedCredential> mint(TokenProvider& provider, const std::string& registry) {
    try {
      return retry_.run([&] { return provider.mint(registry); });
    } catch (const Error& error) {
      // A public image must not be lost to an identity that does not work.
      progress_.warn("credential helper {}: {}: {}; going on without it", provider.name(), registry,
                     error.what());
      return std::nullopt;
    }
  }

  CloudMinters providers_;
  Retry retry_;
  Clock clock_;
  Progress& progress_;
  std::mutex mutex_;
  std::map<std::string, Answer> answers_;
};

} // namespace

TokenProvider* provider_for(const CloudMinters& providers, std::string_view registry) {
  for (const auto& provider : providers)
    if (provider->covers(registry))
      return provider.get();
  return nullptr;
}

std::unique_ptr<Keychain> make_cloud_keychain(CloudMinters providers, Retry retry, Clock clock,
                                              Progress& progress) {
  return std::make_unique<CloudKeychain>(std::move(providers), std::move(retry), std::move(clock),
                                         progress);
}

} // namespace cairn
