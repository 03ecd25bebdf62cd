#include "creds/docker/config_merge.hpp"

#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

namespace cairn {

namespace {

std::string describe_user(const Credential& credential) {
  if (!credential.identity_token.empty())
    return "an identity token";
  if (!credential.registry_token.empty())
    return "a registry token";
  return "user \"" + printable(credential.username) + "\"";
}

std::string encode_auth(const Credential& credential) {
  return base64_encode(credential.username + ":" + credential.password);
}

} // namespace

void ConfigMerge::add(const DockerConfig& config) {
  for (const auto& [name, value] : config.document().as_object()) {
    if (name != "auths" && name != "credHelpers") {
      add_member(name, value, config.source());
    } else if (value.is_object()) {
      for (const auto& [key, entry] : value.as_object())
        if (name == "auths")
          add_auth(key, entry, config.source());
        else
          add_helper(key,
                     within([&entry = entry] { return entry.as_string(); },
                            "{}: credHelpers: \"{}\"", config.source(), printable(key)),
                     config.source());
    }
  }
}

void ConfigMerge::add(const Credential& login) {
  auto value = Json::object();
  // An identity token goes beside the user's name alone, as `docker login` writes it.
  if (login.registry_token.empty())
    value.set("auth", encode_auth(login));
  if (!login.identity_token.empty())
    value.set("identitytoken", login.identity_token);
  if (!login.registry_token.empty())
    value.set("registrytoken", login.registry_token);
  put(written_credential_key(login.key),
      {std::move(value), login.source, describe_user(login), login.has_secret()});
}

void ConfigMerge::add_helper(std::string_view registry, const std::string& helper,
                             const std::string& source) {
  put(written_credential_key(registry),
      {Json(helper), source, "docker-credential-" + printable(helper), !helper.empty()});
}

void ConfigMerge::add_auth(const std::string& key, const Json& value, const std::string& source) {
  if (!value.is_object())
    throw Error("{}: auths: \"{}\": not an object", source, printable(key));
  const auto credential = parse_auth_entry(key, value, source);
  auto written = value;
  const bool has_login = !credential.username.empty() && !credential.password.empty();
  if (value.find("auth") == nullptr && has_login)
    written.set("auth", encode_auth(credential));
  put(written_credential_key(key),
      {std::move(written), source, describe_user(credential), credential.has_secret()});
}

void ConfigMerge::add_member(const std::string& name, const Json& value,
                             const std::string& source) {
  const auto [found, is_new] = members_.try_emplace(name, Member{value, source});
  if (is_new)
    return;
  if (found->second.value != value)
    progress_.info("\"{}\" of {} counts instead of that of {}", printable(name), source,
                   found->second.source);
  found->second = {value, source};
}

void ConfigMerge::put(const std::string& key, Entry entry) {
  const auto [found, is_new] = entries_.try_emplace(key, entry);
  auto& known = found->second;
  if (is_new || known.value == entry.value)
    return;
  // Docker leaves such entries behind for registries whose secrets a helper keeps.
  if (!entry.has_secret && known.has_secret)
    return;
  if (known.has_secret)
    progress_.info("{}: {} of {} counts instead of {} of {}", printable(key), entry.who,
                   entry.source, known.who, known.source);
  known = std::move(entry);
}

std::vector<MergedEntry> ConfigMerge::entries() const {
  std::vector<MergedEntry> list;
  for (const auto& [key, entry] : entries_)
    if (entry.has_secret)
      list.push_back({key, entry.source, entry.who});
  if (const auto store = members_.find("credsStore");
      store != members_.end() && store->second.value.is_string())
    list.push_back({"every registry", store->second.source,
                    "docker-credential-" + printable(store->second.value.as_string())});
  return list;
}

Json ConfigMerge::document() const {
  auto auths = Json::object();
  auto helpers = Json::object();
  for (const auto& [key, entry] : entries_)
    (entry.is_helper() ? helpers : auths).set(key, entry.value);
  auto document = Json::object();
  document.set("auths", std::move(auths));
  if (!helpers.as_object().empty())
    document.set("credHelpers", std::move(helpers));
  for (const auto& [name, member] : members_)
    document.set(name, member.value);
  return document;
}

} // namespace cairn
