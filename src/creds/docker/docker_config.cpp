#include "creds/docker/docker_config.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

namespace cairn {

namespace {

constexpr std::string_view hub_server = "https://index.docker.io/v1/";

constexpr std::array<std::string_view, 3> hub_names = {"index.docker.io", "docker.io",
                                                       "registry-1.docker.io"};

bool is_hub(std::string_view registry) {
  return std::find(hub_names.begin(), hub_names.end(), registry) != hub_names.end();
}

std::string_view without_scheme(std::string_view key) {
  const auto colon = key.find("://");
  return colon == std::string_view::npos ? key : key.substr(colon + 3);
}

std::string text_or_empty(const Json& entry, std::string_view name) {
  const auto* member = entry.find(name);
  return member == nullptr ? std::string() : member->as_string();
}

/// "auth" is base64 of "user:password"; Docker pads it with NUL bytes at times.
void decode_auth(Credential& credential, const std::string& auth) {
  auto decoded = base64_decode(trim(auth));
  if (!decoded)
    throw Error("\"auth\" is not base64");
  decoded->erase(decoded->find_last_not_of('\0') + 1);
  const auto parts = cut(*decoded, ':');
  if (!parts)
    throw Error("\"auth\" does not hold \"user:password\"");
  credential.username = parts->first;
  credential.password = parts->second;
}

/// The members of `map` filed under `wanted`, in the order of the document.
template<class Use>
void for_each_match(const Json& map, const std::string& wanted, const Use& use) {
  for (const auto& [key, value] : map.as_object())
    if (normalise_credential_key(key) == wanted)
      use(key, value);
}

/// Docker reads "https://host/any/path" as the host alone.
template<class Use>
void for_each_url_of(const Json& map, const ImageRef& ref, const Use& use) {
  for (const auto& [key, value] : map.as_object()) {
    const auto normal = normalise_credential_key(key);
    const auto slash = normal.find('/');
    if (key.find("://") == std::string::npos || slash == std::string::npos)
      continue;
    const auto host = normal.substr(0, slash);
    const auto registry = normalise_credential_key(ref.registry());
    if (host == registry && !is_hub(host))
      use(key, value);
  }
}

const Json* object_member(const Json& document, std::string_view name, const std::string& source) {
  const auto* member = document.find(name);
  if (member != nullptr && !member->is_object())
    throw Error("{}: \"{}\" is not an object", source, name);
  return member;
}

/// A bare map of registries, as ~/.dockercfg was: no member of config.json, and all are objects.
bool is_bare_map(const Json& document) {
  const auto& members = document.as_object();
  return !members.empty() && std::all_of(members.begin(), members.end(), [](const auto& member) {
    return member.second.is_object() &&
           (member.second.find("auth") != nullptr || member.second.find("username") != nullptr) &&
           (member.first.find('.') != std::string::npos ||
            member.first.find(':') != std::string::npos);
  });
}

std::optional<DockerConfig> load_file(const std::string& path) {
  const auto file = try_open_at(current_directory(), path, O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (!file || (::fstat(file->get(), &status) == 0 && S_ISDIR(status.st_mode)))
    return std::nullopt;
  const auto text = within([&] { return read_file(*file, max_config); }, "{}", path);
  return DockerConfig::parse(trim(text).empty() ? "{}" : text, path);
}

std::optional<DockerConfig> load_directory(const std::string& directory) {
  for (const auto* name : {"config.json", ".dockerconfigjson", ".dockercfg"})
    if (auto config = load_file(directory + "/" + name))
      return config;
  return std::nullopt;
}

std::optional<DockerConfig> load_first_file(const CredentialPlaces& places) {
  std::optional<DockerConfig> config;
  if (!places.docker_config.empty())
    config = load_directory(places.docker_config);
  else if (!places.home.empty())
    config = load_directory(places.home + "/.docker");
  if (!config && !places.registry_auth_file.empty())
    config = load_file(places.registry_auth_file);
  if (!config && !places.xdg_runtime_dir.empty())
    config = load_file(places.xdg_runtime_dir + "/containers/auth.json");
  return config;
}

} // namespace

DockerConfig DockerConfig::parse(std::string_view text, std::string source) {
  DockerConfig config;
  config.source_ = std::move(source);
  config.document_ = within([&] { return Json::parse(text); }, "{}", config.source_);
  if (!config.document_.is_object())
    throw Error("{}: not a JSON object", config.source_);
  if (is_bare_map(config.document_)) {
    auto auths = std::exchange(config.document_, Json::object());
    config.document_.set("auths", std::move(auths));
  }
  object_member(config.document_, "auths", config.source_);
  object_member(config.document_, "credHelpers", config.source_);
  return config;
}

std::optional<Credential> DockerConfig::find(const ImageRef& ref) const {
  const auto* auths = document_.find("auths");
  if (auths == nullptr)
    return std::nullopt;
  std::optional<Credential> found;
  const auto take = [&](const std::string& key, const Json& entry) {
    if (found || !entry.is_object())
      return;
    auto credential = parse_auth_entry(key, entry, source_);
    if (credential.has_secret())
      found = std::move(credential);
  };
  for (const auto& key : credential_keys(ref))
    for_each_match(*auths, key, take);
  for_each_url_of(*auths, ref, take);
  return found;
}

std::optional<std::string> DockerConfig::helper(const ImageRef& ref) const {
  std::optional<std::string> found;
  const auto take = [&](const std::string&, const Json& name) {
    if (!found && name.is_string() && !name.as_string().empty())
      found = name.as_string();
  };
  if (const auto* helpers = document_.find("credHelpers"))
    for (const auto& key : credential_keys(ref))
      for_each_match(*helpers, key, take);
  if (const auto* store = document_.find("credsStore"); !found && store != nullptr)
    take({}, *store);
  return found;
}

std::vector<std::string> DockerConfig::helpers() const {
  std::vector<std::string> names;
  const auto take = [&](const Json& name) {
    if (name.is_string() && !name.as_string().empty())
      names.push_back(name.as_string());
  };
  if (const auto* helpers = document_.find("credHelpers"))
    for (const auto& [key, name] : helpers->as_object())
      take(name);
  if (const auto* store = document_.find("credsStore"))
    take(*store);
  return names;
}

Credential parse_auth_entry(const std::string& key, const Json& entry, const std::string& source) {
  return within(
      [&] {
        Credential credential;
        credential.key = key;
        credential.source = source;
        credential.username = text_or_empty(entry, "username");
        credential.password = text_or_empty(entry, "password");
        if (const auto auth = text_or_empty(entry, "auth"); !auth.empty())
          decode_auth(credential, auth);
        credential.identity_token = text_or_empty(entry, "identitytoken");
        credential.registry_token = text_or_empty(entry, "registrytoken");
        return credential;
      },
      "{}: auths: \"{}\"", source, printable(key));
}

std::vector<std::string> credential_keys(const ImageRef& ref) {
  const auto registry = normalise_credential_key(ref.registry());
  std::vector<std::string> paths;
  for (std::string path = "/" + ref.repository(); !path.empty(); path.erase(path.rfind('/')))
    paths.push_back(path);
  paths.emplace_back();
  std::vector<std::string> keys;
  for (const auto& path : paths) {
    if (!is_hub(registry))
      keys.push_back(registry + path);
    else
      for (const auto name : hub_names)
        keys.push_back(std::string(name) + path);
  }
  return keys;
}

std::string normalise_credential_key(std::string_view key) {
  auto rest = without_scheme(trim(key));
  while (rest.ends_with('/'))
    rest.remove_suffix(1);
  const auto slash = std::min(rest.find('/'), rest.size());
  auto host = to_lower(rest.substr(0, slash));
  auto path = rest.substr(slash);
  if (path == "/v1" || path == "/v2")
    path = {};
  if (host.ends_with(":443"))
    host.resize(host.size() - 4);
  return host + std::string(path);
}

std::string written_credential_key(std::string_view key) {
  const auto whole = trim(key);
  auto rest = trim(without_scheme(whole));
  while (rest.ends_with('/'))
    rest = trim_right(rest.substr(0, rest.size() - 1));
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto host = to_lower(trim(rest.substr(0, slash)));
  const auto path = rest.substr(slash);
  const bool is_host = path.empty() || path == "/v1" || path == "/v2";
  const bool has_scheme = whole.find("://") != std::string_view::npos;
  if (is_hub(host) && is_host)
    return std::string(hub_server);
  // Docker keeps other tokens beside that of its registry.
  if (is_hub(host) && has_scheme)
    return std::string(whole);
  // Behind a scheme a path is no part of an image's name, and Docker takes the host.
  return is_host || has_scheme ? host : host + std::string(path);
}

std::string helper_server(const ImageRef& ref) {
  return is_hub(ref.registry()) ? std::string(hub_server) : ref.registry();
}

std::vector<DockerConfig> load_docker_configs(const CredentialPlaces& places) {
  std::vector<DockerConfig> configs;
  if (!trim(places.auth_config_text).empty())
    configs.push_back(DockerConfig::parse(places.auth_config_text, "DOCKER_AUTH_CONFIG"));
  if (auto config = load_first_file(places))
    configs.push_back(*std::move(config));
  return configs;
}

} // namespace cairn
