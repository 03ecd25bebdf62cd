#include "apps/creds/helper_program.hpp"

#include "apps/shared/credentials.hpp"
#include "apps/shared/http_settings.hpp"
#include "creds/cloud/cloud_keychain.hpp"
#include "creds/cloud/gitlab.hpp"
#include "creds/docker/helper_protocol.hpp"
#include "creds/docker/keychain.hpp"
#include "creds/docker/stored_logins.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <unistd.h>

#include <atomic>

namespace cairn {

namespace {

/// What a program of this name answers for.
struct HelperScope {
  std::vector<CredentialHelper> helpers;
  bool stores = false; ///< Whether it keeps what it is given.
};

HelperScope scope_of(std::string_view name) {
  if (name == "docker-credential-ecr-login")
    return {{CredentialHelper::ecr}};
  if (name == "docker-credential-gcr" || name == "docker-credential-gcloud")
    return {{CredentialHelper::google}};
  if (name == "docker-credential-acr-env")
    return {{CredentialHelper::acr}};
  return {all_credential_helpers(), true};
}

class ProgramBackend final : public HelperBackend {
public:
  ProgramBackend(HelperScope scope, const Variables& environment, StoredLogins* stored)
      : scope_(std::move(scope)), environment_(environment),
        http_(make_http(http_options(environment, cancel_))), clouds_(*http_, environment, cancel_),
        stored_(stored) {}

  std::optional<Credential> get(const std::string& server) override {
    if (stored_ != nullptr)
      if (auto found = stored_->find(server))
        return found;
    const auto image = image_on_server(server);
    return image ? find(*image) : std::nullopt;
  }

  void store(const std::string& server, const Credential& credential) override {
    require_store().put(server, credential);
  }

  void erase(const std::string& server) override { require_store().erase(server); }

  std::map<std::string, std::string> list() override {
    return stored_ == nullptr ? std::map<std::string, std::string>() : stored_->list();
  }

private:
  std::optional<Credential> find(const ImageRef& image) {
    for (const auto helper : scope_.helpers)
      if (helper == CredentialHelper::env) {
        if (auto found = make_env_keychain(environment_.entries())->find(image))
          return found;
      } else if (helper == CredentialHelper::gitlab) {
        if (auto found = make_gitlab_keychain(environment_)->find(image))
          return found;
      }
    const auto providers = clouds_.providers(scope_.helpers);
    auto* provider = provider_for(providers, image.registry());
    auto minted = provider == nullptr ? std::nullopt : provider->mint(image.registry());
    return minted ? std::optional(std::move(minted->credential)) : std::nullopt;
  }

  StoredLogins& require_store() {
    if (stored_ == nullptr)
      throw Error("not implemented");
    return *stored_;
  }

  HelperScope scope_;
  const Variables& environment_;
  std::atomic<bool> cancel_ = false;
  std::unique_ptr<Http> http_;
  CloudAccess clouds_;
  StoredLogins* stored_;
};

} // namespace

int run_credential_helper(std::string_view name, const std::vector<std::string>& arguments,
                          const ProcessEnvironment& environment, StandardStreams streams) {
  try {
    const auto input = helper_reads_input(arguments)
                           ? read_file(FdRef(STDIN_FILENO), max_helper_input)
                           : std::string();
    auto scope = scope_of(name);
    StoredLogins stored(docker_folder(environment));
    auto* const store = scope.stores ? &stored : nullptr;
    ProgramBackend backend(std::move(scope), environment, store);
    const auto answer = serve_helper({std::string(name), CAIRN_VERSION}, arguments, input, backend);
    print(streams.out, answer.output);
    return answer.exit_status;
  } catch (const Error& error) {
    // The protocol has messages on stdout, where clients look for them.
    print(streams.out, printable(error.what()) + "\n");
    return 1;
  }
}

} // namespace cairn
