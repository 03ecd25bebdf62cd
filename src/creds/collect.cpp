#include "creds/collect.hpp"

#include "creds/cloud/cloud_keychain.hpp"
#include "creds/cloud/gitlab.hpp"
#include "creds/docker/config_places.hpp"
#include "creds/docker/helper_protocol.hpp"
#include "creds/docker/kaniko_variables.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

namespace cairn {

namespace {

class Collector {
public:
  Collector(ConfigMerge& merge, const CredentialSources& sources, const CollectServices& services)
      : merge_(merge), sources_(sources), services_(services) {}

  void run() {
    add_folder(sources_.target);
    if (sources_.found == FoundSources::use) {
      add_docker_places();
      add_tekton();
      add_environment();
    }
    for (const auto& directory : sources_.directories)
      add_directory(directory);
    add_vault();
    add_clouds();
    for (const auto& login : sources_.logins)
      merge_.add(login);
  }

private:
  void add(const std::optional<DockerConfig>& config) {
    if (config)
      merge_.add(*config);
  }

  void add(const MountedCredentials& mounted) {
    for (const auto& config : mounted.configs)
      merge_.add(config);
    if (mounted.login && !mounted.login->key.empty())
      merge_.add(*mounted.login);
  }

  /// A place that need not exist.
  void add_folder(const std::string& path) {
    if (path.empty())
      return;
    if (const auto mounted = load_mounted_credentials(path))
      add(*mounted);
  }

  void add_docker_places() {
    const auto& environment = services_.environment;
    const auto docker = environment.text("DOCKER_CONFIG");
    const auto home = environment.text("HOME");
    const auto runtime = environment.text("XDG_RUNTIME_DIR");
    if (docker != sources_.target)
      add_folder(docker);
    if (!home.empty() && home + "/.docker" != sources_.target)
      add_folder(home + "/.docker");
    if (!runtime.empty())
      add(load_docker_config(runtime + "/containers/auth.json"));
    if (const auto file = environment.text("REGISTRY_AUTH_FILE"); !file.empty())
      add(load_docker_config(file));
  }

  /// Tekton merges the Secrets of a service account and drops what it does not know: the Secrets
  /// themselves, which are mounted beside, count more.
  void add_tekton() {
    add_folder(sources_.tekton + "/home/.docker");
    add_folder(sources_.tekton + "/creds/.docker");
    const auto secrets = sources_.tekton + "/creds-secrets";
    const auto directory = try_open_at(current_directory(), secrets, O_RDONLY | O_DIRECTORY);
    if (!directory)
      return;
    for (const auto& name : list_directory(*directory))
      add_folder(fmt::format("{}/{}", secrets, name));
  }

  void add_environment() {
    const auto& environment = services_.environment;
    if (const auto text = environment.text("DOCKER_AUTH_CONFIG"); !trim(text).empty())
      merge_.add(DockerConfig::parse(text, "DOCKER_AUTH_CONFIG"));
    for (const auto& login : gitlab_credentials(environment)) {
      merge_.add(login);
      // The server comes with its port, while clients ask for the name that references have.
      constexpr std::string_view usual_port = ":443";
      auto bare = login;
      if (bare.key.ends_with(usual_port)) {
        bare.key.resize(bare.key.size() - usual_port.size());
        merge_.add(bare);
      }
    }
    std::vector<std::string> filed;
    for (const auto& entry : merge_.entries())
      filed.push_back(entry.key);
    for (const auto& login : kaniko_credentials(environment, sources_.registries, filed)) {
      if (login.is_guess)
        services_.progress.info("{}: taken for the registry {}; --for says if it is another",
                                login.credential.source, login.credential.key);
      merge_.add(login.credential);
    }
  }

  void add_directory(const std::string& path) {
    // What an optional workspace is called while nothing is bound to it.
    if (path.empty())
      return;
    const auto mounted = load_mounted_credentials(path);
    if (!mounted)
      throw Error("--from-dir: there is no directory '{}'", path);
    if (mounted->empty())
      throw with_hint(Error("--from-dir: '{}' holds no credentials", path),
                      "looked for: config.json, .dockerconfigjson, .dockercfg, or username and "
                      "password with registry");
    if (mounted->login && mounted->login->key.empty())
      throw with_hint(Error("--from-dir: '{}' does not say for which registry it is", path),
                      fmt::format("a file \"registry\" says it, or --registry=HOST "
                                  "--username-file={0}/username --password-file={0}/password",
                                  path));
    add(*mounted);
  }

  void add_vault() {
    Vault vault(services_.http, sources_.vault_access);
    for (const auto& secret : sources_.vault)
      add(vault.read(secret));
  }

  void add_clouds() {
    for (const auto& registry : sources_.helped) {
      provider(registry, "--cloud");
      merge_.add_helper(registry, "cairn", "--cloud");
    }
    for (const auto& registry : sources_.minted) {
      auto& cloud = provider(registry, "--mint");
      const auto minted =
          within([&] { return cloud.mint(host_of(registry)); }, "--mint={}", registry);
      if (!minted)
        throw Error("--mint={}: there is no identity for {} here", registry, cloud.name());
      merge_.add(minted->credential);
    }
  }

  static std::string host_of(const std::string& registry) {
    const auto image = image_on_server(registry);
    return image ? image->registry() : registry;
  }

  TokenProvider& provider(const std::string& registry, std::string_view flag) {
    auto* found = provider_for(services_.providers, host_of(registry));
    if (found == nullptr)
      throw Error("{}={}: no registry of Amazon, Google or Azure", flag, registry);
    return *found;
  }

  ConfigMerge& merge_;
  const CredentialSources& sources_;
  const CollectServices& services_;
};

} // namespace

void collect_credentials(ConfigMerge& merge, const CredentialSources& sources,
                         const CollectServices& services) {
  Collector(merge, sources, services).run();
}

} // namespace cairn
