#include "creds/docker/keychain.hpp"

#include "creds/docker/kaniko_variables.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <chrono>
#include <map>
#include <mutex>
#include <utility>

namespace cairn {

namespace {

/// What helpers said, for a while: they may start clouds' programs, and a build asks often.
class HelperCache {
public:
  HelperCache(HelperEnvironment environment, Progress& progress)
      : environment_(std::move(environment)), progress_(progress) {}

  /// Whether it is a program, and not this one.
  bool is_program(const std::string& helper) const {
    const auto found = environment_.programs.find(helper);
    return found != environment_.programs.end() && found->second &&
           !found->second->is_this_program();
  }

  std::optional<Credential> ask(const std::string& helper, const std::string& server) {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    auto& answer = answers_[{helper, server}];
    const bool has_said = answer.fresh_until != std::chrono::steady_clock::time_point{};
    if (answer.fresh_until > now || (has_said && !environment_.is_unchanged(helper)))
      return answer.credential;
    answer.fresh_until = now + lifetime;
    answer.credential.reset();
    try {
      answer.credential = ask_helper(helper, server, environment_);
    } catch (const Error& error) {
      // A registry that needs no login must not be lost to a helper that does not work.
      progress_.warn("{}; going on without it", error.what());
    }
    return answer.credential;
  }

private:
  static constexpr std::chrono::minutes lifetime{10};

  struct Answer {
    std::optional<Credential> credential;
    std::chrono::steady_clock::time_point fresh_until{};
  };

  HelperEnvironment environment_;
  Progress& progress_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Answer> answers_;
};

class DockerKeychain final : public Keychain {
public:
  DockerKeychain(std::vector<DockerConfig> configs, HelperEnvironment environment,
                 Progress& progress, OwnHelpers own)
      : configs_(std::move(configs)), helpers_(pinned(std::move(environment), configs_), progress),
        own_(std::move(own)) {
    std::erase_if(own_, [&](const auto& entry) { return helpers_.is_program(entry.first); });
  }

  std::optional<Credential> find(const ImageRef& ref) override {
    for (const auto& config : configs_) {
      if (const auto helper = config.helper(ref))
        if (auto credential = ask(*helper, ref))
          return credential;
      if (auto credential = config.find(ref))
        return credential;
    }
    return std::nullopt;
  }

  std::string places() const override {
    std::vector<std::string> names;
    for (const auto& config : configs_)
      names.push_back(config.source());
    return join(names, ", ");
  }

private:
  static HelperEnvironment pinned(HelperEnvironment environment,
                                  const std::vector<DockerConfig>& configs) {
    for (const auto& config : configs)
      environment.pin(config.helpers());
    return environment;
  }

  std::optional<Credential> ask(const std::string& helper, const ImageRef& ref) {
    const auto own = own_.find(helper);
    return own != own_.end() ? own->second->find(ref) : helpers_.ask(helper, helper_server(ref));
  }

  std::vector<DockerConfig> configs_;
  HelperCache helpers_;
  OwnHelpers own_;
};

class EnvKeychain final : public Keychain {
public:
  explicit EnvKeychain(const std::vector<std::string>& entries) : environment_(entries) {}

  std::optional<Credential> find(const ImageRef& ref) override {
    return kaniko_credential(environment_, ref.registry());
  }

  std::string places() const override { return "KANIKO_<HOST>_USER and _PASSWORD"; }

private:
  Variables environment_;
};

class KeychainChain final : public Keychain {
public:
  explicit KeychainChain(std::vector<std::unique_ptr<Keychain>> keychains)
      : keychains_(std::move(keychains)) {}

  std::optional<Credential> find(const ImageRef& ref) override {
    for (const auto& keychain : keychains_)
      if (auto credential = keychain->find(ref))
        return credential;
    return std::nullopt;
  }

  std::string places() const override {
    std::vector<std::string> names;
    for (const auto& keychain : keychains_)
      if (auto places = keychain->places(); !places.empty())
        names.push_back(std::move(places));
    return join(names, ", ");
  }

private:
  std::vector<std::unique_ptr<Keychain>> keychains_;
};

} // namespace

std::unique_ptr<Keychain> make_docker_keychain(std::vector<DockerConfig> configs,
                                               HelperEnvironment environment, Progress& progress,
                                               OwnHelpers own) {
  return std::make_unique<DockerKeychain>(std::move(configs), std::move(environment), progress,
                                          std::move(own));
}

std::unique_ptr<Keychain> make_env_keychain(const std::vector<std::string>& environment) {
  return std::make_unique<EnvKeychain>(environment);
}

std::unique_ptr<Keychain> make_keychain_chain(std::vector<std::unique_ptr<Keychain>> keychains) {
  return std::make_unique<KeychainChain>(std::move(keychains));
}

} // namespace cairn
