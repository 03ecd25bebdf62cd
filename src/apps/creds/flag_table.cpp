#include "apps/creds/flag_table.hpp"

#include "apps/creds/login_flags.hpp"
#include "apps/shared/common_flags.hpp"
#include "util/error.hpp"

namespace cairn {

namespace {

using enum FlagType;

constexpr std::string_view target_group = "Where to";
constexpr std::string_view source_group = "Where from";
constexpr std::string_view login_group = "Logins by flags";
constexpr std::string_view vault_group = "Vault";

using Parsed = ParsedCredsFlags;
using Value = FlagValue;
using CredsFlags = Flags<ParsedCredsFlags>;

void set_vault_login(ParsedCredsFlags& given, const FlagValue& value) {
  if (value.text() == "token")
    given.vault.login = VaultLogin::token;
  else if (value.text() == "kubernetes")
    given.vault.login = VaultLogin::kubernetes;
  else if (value.text() == "jwt")
    given.vault.login = VaultLogin::jwt;
  else
    throw Error("'{}' is none of token, kubernetes, jwt", value.text());
}

void set_vault_engine(ParsedCredsFlags& given, const FlagValue& value) {
  if (value.text() != "1" && value.text() != "2")
    throw Error("'{}' is neither 1 nor 2", value.text());
  given.vault.engine = value.text() == "1" ? VaultEngine::kv1 : VaultEngine::kv2;
}

Flag<ParsedCredsFlags> directory_flag(std::string_view help) {
  return {{.name = "dir", .group = target_group, .preset = "$DOCKER_CONFIG", .help = help},
          [](Parsed& d, const Value& v) { d.directory = v.text(); }};
}

Flag<ParsedCredsFlags> auth_file_flag(std::string_view help) {
  return {{.name = "auth-file", .group = target_group, .help = help},
          [](Parsed& d, const Value& v) { d.inject.auth_file = v.text(); }};
}

// clang-format would give every member of a row its own line.
// clang-format off
CredsFlags target_flags() {
  return {
    directory_flag("The folder to write config.json to"),
    auth_file_flag("Also write a copy for buildah, podman and skopeo to this file"),
    {{.name = "chown", .group = target_group,
      .help = "UID[:GID] to give the folder and the file to, for steps of other users"},
     [](Parsed& d, const Value& v) { d.inject.folder.owner = parse_owner(v.text()); }},
    {{.name = "require-memory", .type = boolean, .group = target_group, .preset = "false",
      .help = "Refuse a folder that is not in memory (tmpfs)"},
     [](Parsed& d, const Value& v) {
       if (v.boolean())
         d.inject.folder.disk = DiskRule::refuse;
     }},
    {{.name = "allow-disk", .type = boolean, .group = target_group, .preset = "false",
      .help = "Do not warn about a folder that is not in memory"},
     [](Parsed& d, const Value& v) {
       if (v.boolean())
         d.inject.folder.disk = DiskRule::allow;
     }},
    {{.name = "print-env", .type = boolean, .group = target_group, .preset = "false",
      .help = "Print the variables that lead to the folder"},
     [](Parsed& d, const Value& v) {
       d.inject.print = v.boolean() ? PrintEnvironment::yes : PrintEnvironment::no;
     }},
  };
}

CredsFlags source_flags() {
  return {
    {{.name = "from-dir", .type = list, .group = source_group,
      .help = "A mounted Secret or volume: config.json, .dockerconfigjson, .dockercfg, or username, password and registry"},
     [](Parsed& d, const Value& v) { d.inject.sources.directories.push_back(v.text()); }},
    {{.name = "only-flags", .type = boolean, .group = source_group, .preset = "false",
      .help = "Take what flags name alone, not what is found in usual places and the environment"},
     [](Parsed& d, const Value& v) {
       d.inject.sources.found = v.boolean() ? FoundSources::ignore : FoundSources::use;
     }},
    {{.name = "for", .type = list, .group = source_group,
      .help = "A registry to look up KANIKO_<HOST>_USER and _PASSWORD for"},
     [](Parsed& d, const Value& v) { d.inject.sources.registries.push_back(v.text()); }},
    {{.name = "tekton-dir", .group = source_group, .preset = "/tekton",
      .help = "Where Tekton puts the Secrets of the service account"},
     [](Parsed& d, const Value& v) { d.inject.sources.tekton = v.text(); }},
    {{.name = "cloud", .type = list, .group = source_group,
      .help = "A registry of Amazon, Google or Azure, left to docker-credential-cairn"},
     [](Parsed& d, const Value& v) { d.inject.sources.helped.push_back(v.text()); }},
    {{.name = "mint", .type = list, .group = source_group,
      .help = "Such a registry whose password is fetched now, for programs without that helper"},
     [](Parsed& d, const Value& v) { d.inject.sources.minted.push_back(v.text()); }},
  };
}

// Lists, because their order says to which registry they belong.
CredsFlags login_flags() {
  return {
    {{.name = "registry", .type = list, .group = login_group,
      .help = "A registry that the following flags are about"},
     begin_login},
    {{.name = "username", .type = list, .group = login_group, .help = "The user"}, set_login_user},
    {{.name = "username-env", .type = list, .group = login_group,
      .help = "The variable that holds the user"},
     set_login_user_variable},
    {{.name = "username-file", .type = list, .group = login_group,
      .help = "The file that holds the user"},
     set_login_user_file},
    {{.name = "password-env", .type = list, .group = login_group,
      .help = "The variable that holds the password"},
     set_login_password_variable},
    {{.name = "password-file", .type = list, .group = login_group,
      .help = "The file that holds the password"},
     set_login_password_file},
    {{.name = "password-stdin", .type = boolean, .group = login_group, .preset = "false",
      .help = "Read the password of the last --registry from stdin"},
     set_login_password_stdin},
  };
}

CredsFlags vault_flags() {
  return {
    {{.name = "vault", .type = list, .group = vault_group,
      .help = "[REGISTRY=]PATH of a secret with username and password, or .dockerconfigjson"},
     [](Parsed& d, const Value& v) { d.vault.secrets.push_back(v.text()); }},
    {{.name = "vault-mount", .group = vault_group, .preset = "secret",
      .help = "Where the key-value engine is mounted"},
     [](Parsed& d, const Value& v) { d.vault.mount = v.text(); }},
    {{.name = "vault-kv", .group = vault_group, .preset = "2", .help = "The engine's version, 1 or 2"},
     set_vault_engine},
    {{.name = "vault-auth", .group = vault_group, .preset = "token, with a --vault-role kubernetes or jwt",
      .help = "How to log in: token, kubernetes or jwt"},
     set_vault_login},
    {{.name = "vault-role", .group = vault_group, .help = "The role to log in as"},
     [](Parsed& d, const Value& v) { d.vault.role = v.text(); }},
    {{.name = "vault-auth-path", .group = vault_group, .preset = "kubernetes or jwt",
      .help = "Where that method is mounted"},
     [](Parsed& d, const Value& v) { d.vault.login_path = v.text(); }},
    {{.name = "vault-token-file", .group = vault_group, .preset = "~/.vault-token",
      .help = "The file with the token, unless VAULT_TOKEN holds it"},
     [](Parsed& d, const Value& v) { d.vault.token_file = v.text(); }},
    {{.name = "vault-jwt-env", .group = vault_group, .preset = "VAULT_ID_TOKEN",
      .help = "The variable with the JSON Web Token to log in with"},
     [](Parsed& d, const Value& v) { d.vault.jwt_variable = v.text(); }},
    {{.name = "vault-jwt-file", .group = vault_group, .preset = "the service account's",
      .help = "The file with it"},
     [](Parsed& d, const Value& v) { d.vault.jwt_file = v.text(); }},
  };
}

CredsFlags check_flags() {
  return {
    directory_flag("The folder whose config.json counts"),
    {{.name = "push", .type = boolean, .group = registry_group, .preset = "false",
      .help = "Also ask for the right to push: begin an upload and abandon it"},
     [](Parsed& d, const Value& v) {
       d.check.depth = v.boolean() ? CheckDepth::push : CheckDepth::login;
     }},
    {{.name = "insecure", .type = boolean, .group = registry_group, .preset = "false",
      .help = "Speak plain HTTP where HTTPS does not answer"},
     [](Parsed& d, const Value& v) { d.check.registry.options.insecure_push = v.boolean(); }},
    {{.name = "skip-tls-verify", .type = boolean, .group = registry_group, .preset = "false",
      .help = "Do not verify certificates"},
     [](Parsed& d, const Value& v) { d.check.registry.options.skip_tls_verify_push = v.boolean(); }},
  };
}
// clang-format on

LogOptions& log_options(ParsedCredsFlags& given) {
  return given.log;
}

RegistryUse& registry_use(ParsedCredsFlags& given) {
  return given.check.registry;
}

CredsFlags log_flags() {
  return lift(logging_flags(), log_options);
}

CredsFlags help_flags() {
  return help_flag(+[](ParsedCredsFlags& d) -> bool& { return d.help; });
}

} // namespace

std::vector<CredsVerb> creds_verbs() {
  return {
      {"inject", "[flags]", "Collects credentials and writes them to one config.json.",
       together<ParsedCredsFlags>({target_flags(), source_flags(), login_flags(), vault_flags(),
                                   log_flags(), help_flags()})},
      {"check", "[flags] IMAGE...", "Logs in to the registries of images, and says as whom.",
       together<ParsedCredsFlags>({check_flags(), lift(trust_flags(), registry_use),
                                   lift(credential_helper_flag(), registry_use), log_flags(),
                                   help_flags()})},
      {"erase", "[flags]", "Removes the config.json that inject wrote.",
       together<ParsedCredsFlags>(
           {{directory_flag("The folder that holds it"), auth_file_flag("Also remove this copy")},
            help_flags()})},
      {"print-env", "[flags]", "Prints the variables that lead programs to the credentials.",
       together<ParsedCredsFlags>({{directory_flag("The folder that holds them")}, help_flags()})},
  };
}

} // namespace cairn
