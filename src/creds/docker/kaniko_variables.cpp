#include "creds/docker/kaniko_variables.hpp"

#include "creds/docker/docker_config.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <set>

namespace cairn {

namespace {

constexpr std::string_view prefix = "KANIKO_";
constexpr std::string_view user_suffix = "_USER";
constexpr std::string_view password_suffix = "_PASSWORD";

std::optional<Credential> at(const Variables& environment, const std::string& part) {
  const auto name = std::string(prefix) + part;
  const auto user = environment.find(name + std::string(user_suffix));
  const auto password = environment.find(name + std::string(password_suffix));
  if (!user || !password)
    return std::nullopt;
  Credential credential;
  credential.username = *user;
  credential.password = *password;
  credential.key = name + std::string(user_suffix);
  credential.source = "the environment";
  return credential;
}

std::string_view host_of(std::string_view registry) {
  if (registry == "docker.io")
    return "index.docker.io";
  return registry.substr(0, registry.find(':'));
}

/// The <HOST> of every pair of variables.
std::set<std::string> parts_in(const Variables& environment) {
  std::set<std::string> parts;
  for (const auto& entry : environment.entries()) {
    const auto name = std::string_view(entry).substr(0, entry.find('='));
    if (!name.starts_with(prefix) || !name.ends_with(user_suffix) ||
        name.size() <= prefix.size() + user_suffix.size())
      continue;
    auto part =
        std::string(name.substr(prefix.size(), name.size() - prefix.size() - user_suffix.size()));
    if (at(environment, part))
      parts.insert(std::move(part));
  }
  return parts;
}

Credential filed(Credential credential, std::string key) {
  credential.source = std::move(credential.key);
  credential.key = std::move(key);
  return credential;
}

std::string variable_of_key(const std::string& key) {
  const auto normal = normalise_credential_key(key);
  return kaniko_variable(host_of(normal.substr(0, normal.find('/'))));
}

} // namespace

std::string kaniko_variable(std::string_view host) {
  auto name = to_upper(host);
  for (auto& c : name)
    if (c == '.' || c == '-')
      c = '_';
  return name;
}

std::optional<Credential> kaniko_credential(const Variables& environment,
                                            std::string_view registry) {
  auto host = host_of(registry);
  while (!host.empty()) {
    if (auto credential = at(environment, kaniko_variable(host)))
      return credential;
    const auto dot = host.find('.');
    host = dot == std::string_view::npos ? std::string_view() : host.substr(dot + 1);
  }
  return std::nullopt;
}

std::vector<KanikoCredential> kaniko_credentials(const Variables& environment,
                                                 const std::vector<std::string>& wanted,
                                                 const std::vector<std::string>& known) {
  auto left = parts_in(environment);
  const auto forget = [&](const std::string& variable) {
    left.erase(
        variable.substr(prefix.size(), variable.size() - prefix.size() - user_suffix.size()));
  };
  std::vector<KanikoCredential> found;
  for (const auto& registry : wanted)
    if (const auto credential = kaniko_credential(environment, registry)) {
      found.push_back({filed(*credential, registry)});
      forget(credential->key);
    }
  std::set<std::string> named;
  for (const auto& key : known)
    if (const auto part = variable_of_key(key); left.count(part) != 0) {
      // Paths of a registry keep what they have: the variables are for the whole of it.
      if (key.find('/') == std::string::npos || key.find("://") != std::string::npos)
        found.push_back({filed(*at(environment, part), key)});
      named.insert(part);
    }
  for (const auto& part : named)
    left.erase(part);
  for (const auto& part : left) {
    auto host = to_lower(part);
    std::replace(host.begin(), host.end(), '_', '.');
    found.push_back({filed(*at(environment, part), host), true});
  }
  return found;
}

} // namespace cairn
