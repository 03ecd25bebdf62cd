#include "creds/docker/login.hpp"

#include "creds/docker/config_merge.hpp"
#include "creds/docker/config_places.hpp"

namespace cairn {

void save_login(const Login& login, const ConfigFolder& folder, const HelperEnvironment& helpers,
                Progress& progress) {
  constexpr const char* name = "config.json";
  const auto path = folder.path + "/" + name;
  const auto config = load_docker_config(path).value_or(DockerConfig());
  Credential credential;
  credential.username = login.username;
  credential.password = login.password;
  credential.key = helper_server(login.registry);
  credential.source = "login";
  if (const auto helper = config.helper(login.registry)) {
    store_in_helper(*helper, credential, helpers);
    progress.info("{}: stored by docker-credential-{}", credential.key, *helper);
    return;
  }
  ConfigMerge merge(progress);
  merge.add(config);
  merge.add(credential);
  write_credential_file(folder, name, merge.document().pretty() + "\n", progress);
  progress.info("{}: stored in {}", credential.key, path);
}

} // namespace cairn
