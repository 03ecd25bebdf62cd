#include "creds/docker/stored_logins.hpp"

#include "creds/docker/config_places.hpp"
#include "creds/docker/config_store.hpp"
#include "creds/docker/helper_protocol.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

constexpr const char* file_name = "cairn-credentials.json";

Json load(const std::string& folder) {
  if (folder.empty())
    return Json::object();
  const auto config = load_docker_config(folder + "/" + file_name);
  const auto* auths = config ? config->document().find("auths") : nullptr;
  return auths == nullptr ? Json::object() : *auths;
}

void save(const std::string& folder, const Json& auths) {
  if (folder.empty())
    throw Error("there is no folder to keep credentials in: neither DOCKER_CONFIG nor HOME is set");
  auto document = Json::object();
  document.set("auths", auths);
  SilentProgress silent;
  write_credential_file({.path = folder, .disk = DiskRule::allow}, file_name,
                        document.pretty() + "\n", silent);
}

} // namespace

std::optional<Credential> StoredLogins::find(const std::string& server) const {
  auto auths = load(folder_);
  const auto image = image_on_server(server);
  if (auths.as_object().empty() || !image)
    return std::nullopt;
  auto document = Json::object();
  document.set("auths", std::move(auths));
  return DockerConfig::parse(document.compact(), folder_ + "/" + file_name).find(*image);
}

void StoredLogins::put(const std::string& server, const Credential& credential) const {
  auto auths = load(folder_);
  auto entry = Json::object();
  entry.set("auth", base64_encode(credential.username + ":" + credential.password));
  if (!credential.identity_token.empty())
    entry.set("identitytoken", credential.identity_token);
  auths.set(server, std::move(entry));
  save(folder_, auths);
}

void StoredLogins::erase(const std::string& server) const {
  auto auths = load(folder_);
  if (auths.find(server) == nullptr)
    return;
  auths.erase(server);
  save(folder_, auths);
}

std::map<std::string, std::string> StoredLogins::list() const {
  std::map<std::string, std::string> users;
  const auto auths = load(folder_);
  for (const auto& [server, entry] : auths.as_object())
    users[server] = parse_auth_entry(server, entry, folder_ + "/" + file_name).username;
  return users;
}

} // namespace cairn
