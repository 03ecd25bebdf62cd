#include "creds/cloud/gitlab.hpp"

#include "creds/docker/docker_config.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>

namespace cairn {

namespace {

struct GitlabVariables {
  const char* server;
  const char* user;
  const char* password;
};
constexpr std::array<GitlabVariables, 3> variables = {{
    {"CI_REGISTRY", "CI_DEPLOY_USER", "CI_DEPLOY_PASSWORD"},
    {"CI_REGISTRY", "CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD"},
    {"CI_DEPENDENCY_PROXY_SERVER", "CI_DEPENDENCY_PROXY_USER", "CI_DEPENDENCY_PROXY_PASSWORD"},
}};

class GitlabKeychain final : public Keychain {
public:
  explicit GitlabKeychain(std::vector<Credential> credentials)
      : credentials_(std::move(credentials)) {}

  std::optional<Credential> find(const ImageRef& ref) override {
    const auto wanted = normalise_credential_key(ref.registry());
    const auto found =
        std::find_if(credentials_.rbegin(), credentials_.rend(), [&](const Credential& one) {
          return normalise_credential_key(one.key) == wanted;
        });
    return found == credentials_.rend() ? std::nullopt : std::optional(*found);
  }

  std::string places() const override { return "CI_REGISTRY_USER and _PASSWORD"; }

private:
  std::vector<Credential> credentials_;
};

} // namespace

std::vector<Credential> gitlab_credentials(const Variables& environment) {
  std::vector<Credential> found;
  for (const auto& names : variables) {
    Credential credential;
    credential.key = trim(environment.text(names.server));
    credential.username = environment.text(names.user);
    credential.password = environment.text(names.password);
    credential.source = names.user;
    if (!credential.key.empty() && !credential.username.empty() && !credential.password.empty())
      found.push_back(std::move(credential));
  }
  return found;
}

std::unique_ptr<Keychain> make_gitlab_keychain(const Variables& environment) {
  return std::make_unique<GitlabKeychain>(gitlab_credentials(environment));
}

} // namespace cairn
