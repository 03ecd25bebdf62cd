#include "apps/creds/vault_settings.hpp"

#include "net/ca_pool.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <unistd.h>

namespace cairn {

namespace {

constexpr const char* service_account_token = "/var/run/secrets/kubernetes.io/serviceaccount/token";

std::shared_ptr<const TlsOptions> tls_options(const Variables& environment) {
  const auto authority = environment.text("VAULT_CACERT");
  const auto skip = parse_go_bool(environment.text("VAULT_SKIP_VERIFY")).value_or(false);
  if (authority.empty() && !skip)
    return nullptr;
  auto tls = std::make_shared<TlsOptions>();
  if (!authority.empty())
    tls->extra_ca = within([&] { return load_pem(authority); }, "VAULT_CACERT");
  if (skip)
    tls->verify = TlsVerify::none;
  return tls;
}

std::string read_token(const ParsedCredsFlags& given) {
  if (!given.vault.token_file.empty())
    return within([&] { return read_token_file(given.vault.token_file); }, "--vault-token-file");
  if (auto token = given.environment.text("VAULT_TOKEN"); !token.empty())
    return token;
  const auto usual = given.environment.text("HOME") + "/.vault-token";
  if (::access(usual.c_str(), R_OK) == 0)
    return read_token_file(usual);
  throw with_hint(Error("--vault: there is no token"),
                  "VAULT_TOKEN or --vault-token-file holds one; --vault-role logs in instead");
}

std::string read_jwt(const ParsedCredsFlags& given, VaultLogin login) {
  const auto& flags = given.vault;
  if (!flags.jwt_file.empty())
    return within([&] { return read_token_file(flags.jwt_file); }, "--vault-jwt-file");
  const auto variable = flags.jwt_variable.empty() ? "VAULT_ID_TOKEN" : flags.jwt_variable;
  auto value = given.environment.text(variable);
  if (!value.empty())
    return value;
  if (login == VaultLogin::jwt || !flags.jwt_variable.empty())
    throw Error("--vault-jwt-env: the variable '{}' is not set", variable);
  return within([&] { return read_token_file(service_account_token); }, "--vault-auth=kubernetes");
}

/// A role is for a login; a job of GitLab has a token of its own for that.
VaultLogin usual_login(const ParsedCredsFlags& given) {
  if (given.vault.role.empty())
    return VaultLogin::token;
  const bool has_jwt =
      !given.vault.jwt_variable.empty() || !given.environment.text("VAULT_ID_TOKEN").empty();
  return has_jwt ? VaultLogin::jwt : VaultLogin::kubernetes;
}

} // namespace

void resolve_vault(ParsedCredsFlags& given) {
  auto& sources = given.inject.sources;
  for (const auto& text : given.vault.secrets)
    sources.vault.push_back(
        within([&] { return VaultSecret::parse(text, given.vault.mount, given.vault.engine); },
               "--vault"));
  if (sources.vault.empty())
    return;
  auto& access = sources.vault_access;
  access.address = given.environment.text("VAULT_ADDR");
  if (access.address.empty())
    throw Error("--vault: VAULT_ADDR does not say where Vault is");
  access.name_space = given.environment.text("VAULT_NAMESPACE");
  access.tls = tls_options(given.environment);
  access.login = given.vault.login.value_or(usual_login(given));
  access.role = given.vault.role;
  access.login_path = given.vault.login_path;
  if (access.login != VaultLogin::token && access.role.empty())
    throw Error("--vault-role: needed for that login");
  access.secret =
      access.login == VaultLogin::token ? read_token(given) : read_jwt(given, access.login);
}

} // namespace cairn
