#include "creds/cloud/vault.hpp"

#include "net/url.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

/// A path of Vault's: each part encoded.
std::string encode_path(std::string_view path) {
  std::vector<std::string> parts;
  for (const auto& part : split(path, '/'))
    if (!part.empty())
      parts.push_back(percent_encode(part));
  return join(parts, "/");
}

std::string login_mount(const VaultAccess& access) {
  if (!access.login_path.empty())
    return access.login_path;
  return access.login == VaultLogin::kubernetes ? "kubernetes" : "jwt";
}

std::string text_member(const Json& data, std::string_view name) {
  const auto* found = data.find(name);
  return found != nullptr && found->is_string() ? found->as_string() : std::string();
}

/// A configuration, which may be kept as text or as the object itself.
std::optional<DockerConfig> config_in(const Json& data, const std::string& source) {
  for (const auto* name : {".dockerconfigjson", "dockerconfigjson", "config.json", ".dockercfg"}) {
    const auto* found = data.find(name);
    if (found == nullptr)
      continue;
    const auto text = found->is_string() ? found->as_string() : found->compact();
    return DockerConfig::parse(text, source);
  }
  return std::nullopt;
}

MountedCredentials credentials_in(const Json& data, const VaultSecret& secret,
                                  const std::string& source) {
  MountedCredentials found;
  if (auto config = config_in(data, source))
    found.configs.push_back(*std::move(config));
  Credential login;
  login.username = text_member(data, "username");
  login.password = text_member(data, "password");
  login.source = source;
  login.key = secret.registry;
  for (const auto* name : {"registry", "server"})
    if (login.key.empty())
      login.key = text_member(data, name);
  if (!login.username.empty() && !login.password.empty()) {
    if (login.key.empty())
      throw with_hint(Error("it does not say for which registry it is"),
                      "REGISTRY=PATH, or a \"registry\" in the secret, says it");
    found.login = std::move(login);
  }
  if (found.empty())
    throw Error("it holds neither \".dockerconfigjson\" nor \"username\" and \"password\"");
  return found;
}

} // namespace

VaultSecret VaultSecret::parse(std::string_view text, std::string mount, VaultEngine engine) {
  const auto parts = cut(text, '=');
  VaultSecret secret{parts ? std::string(trim(parts->first)) : std::string(), std::move(mount),
                     std::string(parts ? parts->second : text), engine};
  if (secret.path.find_first_not_of('/') == std::string::npos || (parts && secret.registry.empty()))
    throw Error("'{}' is not [REGISTRY=]PATH", text);
  return secret;
}

Request Vault::request(const std::string& path) const {
  auto address = access_.address;
  while (address.ends_with('/'))
    address.pop_back();
  if (address.empty())
    throw Error("VAULT_ADDR is not set");
  Request request;
  request.url = address + "/v1/" + path;
  request.tls = access_.tls;
  // Vault refuses requests that a page could have made a server send.
  request.headers.set("X-Vault-Request", "true");
  if (!access_.name_space.empty())
    request.headers.set("X-Vault-Namespace", access_.name_space);
  return request;
}

void Vault::log_in() {
  if (access_.secret.empty())
    throw Error("there is no token to log in with");
  if (access_.login == VaultLogin::token) {
    token_ = access_.secret;
    return;
  }
  auto body = Json::object();
  body.set("role", access_.role).set("jwt", access_.secret);
  auto login = request("auth/" + encode_path(login_mount(access_)) + "/login");
  login.method = "POST";
  login.headers.set("Content-Type", "application/json");
  login.body = body.compact();
  const auto answer = answer_json(login, send_secret(http_, login, {access_.secret}));
  const auto* auth = answer.find("auth");
  if (auth == nullptr || !auth->is_object())
    throw Error("{}: the answer has no \"auth\"", describe(login));
  token_ = within([&] { return answer_text(*auth, "client_token"); }, "{}", describe(login));
}

MountedCredentials Vault::read(const VaultSecret& secret) {
  const auto source = "Vault " + secret.mount + "/" + secret.path;
  return within(
      [&] {
        if (token_.empty())
          within([&] { log_in(); }, "log in");
        const bool is_v2 = secret.engine == VaultEngine::kv2;
        auto get = request(encode_path(secret.mount) + (is_v2 ? "/data/" : "/") +
                           encode_path(secret.path));
        if (std::any_of(token_.begin(), token_.end(), [](char c) { return c < ' '; }))
          throw Error("the token holds characters that no header may");
        get.headers.set("X-Vault-Token", token_);
        const auto answer = answer_json(get, send_secret(http_, get, {token_}));
        const auto* data = answer.find("data");
        if (is_v2 && data != nullptr && data->is_object())
          data = data->find("data");
        if (data == nullptr || !data->is_object())
          throw with_hint(Error("the answer has no data"),
                          "--vault-kv says which version of the key-value engine it is");
        return credentials_in(*data, secret, source);
      },
      "{}", source);
}

} // namespace cairn
