#include "apps/shared/common_flags.hpp"

#include <algorithm>

namespace cairn {

namespace {

using enum FlagType;

using Use = RegistryUse;
using Value = FlagValue;

void add_helper(RegistryUse& use, const FlagValue& value) {
  if (!use.helpers)
    use.helpers.emplace();
  if (!value.empty())
    use.helpers->push_back(parse_credential_helper(value.text()));
}

void add_attempts(RegistryUse& use, const FlagValue& value) {
  use.extra_attempts = std::max(use.extra_attempts, value.count());
}

// clang-format would give every member of a row its own line.
// clang-format off
Flags<RegistryUse> push_protocol_flags() {
  return {
    {{.name = "insecure", .type = boolean, .group = registry_group, .preset = "false",
      .help = "Push over plain HTTP where HTTPS does not answer"},
     [](Use& u, const Value& v) { u.options.insecure_push = v.boolean(); }},
    {{.name = "skip-tls-verify", .type = boolean, .group = registry_group, .preset = "false",
      .help = "Push without verifying certificates"},
     [](Use& u, const Value& v) { u.options.skip_tls_verify_push = v.boolean(); }},
  };
}

Flags<RegistryUse> pull_protocol_flags() {
  return {
    {{.name = "insecure-pull", .type = boolean, .group = registry_group, .preset = "false",
      .help = "Pull over plain HTTP where HTTPS does not answer"},
     [](Use& u, const Value& v) { u.options.insecure_pull = v.boolean(); }},
    {{.name = "skip-tls-verify-pull", .type = boolean, .group = registry_group, .preset = "false",
      .help = "Pull without verifying certificates"},
     [](Use& u, const Value& v) { u.options.skip_tls_verify_pull = v.boolean(); }},
  };
}

Flags<RegistryUse> mirror_flags() {
  return {
    {{.name = "registry-map", .type = list, .group = registry_group,
      .help = "ORIGIN=MIRROR[/PREFIX][;ORIGIN=MIRROR], registries to pull base images from instead"},
     [](Use& u, const Value& v) { u.mirrors.add(v.text()); }},
    {{.name = "registry-mirror", .type = list, .group = registry_group,
      .help = "HOST[:PORT][/PREFIX] to pull base images from instead of Docker Hub"},
     [](Use& u, const Value& v) { u.mirrors.add_mirror(v.text()); }},
    {{.name = "skip-default-registry-fallback", .type = boolean, .group = registry_group,
      .preset = "false", .help = "Fail when no mirror has an image; means nothing without mirrors"},
     [](Use& u, const Value& v) {
       u.mirrors.set_fallback(v.boolean() ? OriginFallback::skip : OriginFallback::use);
     }},
  };
}

Flags<RegistryUse> retry_flags() {
  return {
    {{.name = "image-download-retry", .type = integer, .group = registry_group, .preset = "0",
      .help = "Further attempts when a registry fails in passing"},
     add_attempts},
  };
}

Flags<RegistryUse> push_flags() {
  return {
    {{.name = "skip-push-permission-check", .type = boolean, .group = registry_group,
      .preset = "false", .help = "Do not ask the registry at the start whether we may push"},
     [](Use& u, const Value& v) {
       u.push_check = v.boolean() ? PushCheck::none : PushCheck::before_work;
     }},
    {{.name = "push-retry", .type = integer, .group = registry_group, .preset = "0",
      .help = "The same as --image-download-retry; the larger of the two counts"},
     add_attempts},
    {{.name = "push-ignore-immutable-tag-errors", .type = boolean, .group = registry_group,
      .preset = "false", .help = "Take a registry's refusal to move a tag for success"},
     [](Use& u, const Value& v) {
       u.immutable_tags = v.boolean() ? ImmutableTags::accept : ImmutableTags::fail;
     }},
  };
}
// clang-format on

} // namespace

// clang-format off
Flags<RegistryUse> trust_flags() {
  return {
    {{.name = "insecure-registry", .type = list, .group = registry_group,
      .help = "HOST[:PORT] that may be spoken to over plain HTTP"},
     [](Use& u, const Value& v) { u.options.insecure_registries.insert(v.text()); }},
    {{.name = "skip-tls-verify-registry", .type = list, .group = registry_group,
      .help = "HOST[:PORT] whose certificate is not verified"},
     [](Use& u, const Value& v) { u.options.skip_tls_verify_registries.insert(v.text()); }},
    {{.name = "registry-certificate", .type = list, .group = registry_group,
      .help = "HOST=FILE, certificates that are trusted for this registry too"},
     [](Use& u, const Value& v) { u.options.add_certificate(v.text()); }},
    {{.name = "registry-client-cert", .type = list, .group = registry_group,
      .help = "HOST=CERTIFICATE,KEY, files that prove to the registry who we are"},
     [](Use& u, const Value& v) { u.options.add_client_certificate(v.text()); }},
  };
}

Flags<RegistryUse> credential_helper_flag() {
  return {
    {{.name = "credential-helpers", .type = list, .group = registry_group, .preset = "all",
      .help = "What is asked for credentials besides config.json: env, google, ecr, acr, gitlab, or an empty value for nothing"},
     add_helper},
  };
}
// clang-format on

Flags<RegistryUse> registry_flags(RegistryAccess access) {
  auto for_pulls = together({pull_protocol_flags(), trust_flags(), mirror_flags(),
                             credential_helper_flag(), retry_flags()});
  if (access == RegistryAccess::pull)
    return for_pulls;
  return together({push_protocol_flags(), for_pulls, push_flags()});
}

void resolve_registry(RegistryUse& use, const ProcessEnvironment& environment) {
  constexpr std::string_view map = "KANIKO_REGISTRY_MAP";
  constexpr std::string_view mirror = "KANIKO_REGISTRY_MIRROR";
  within([&] { use.mirrors.add(environment.text(map)); }, "{}", map);
  if (const auto name = environment.text(mirror); !name.empty())
    within([&] { use.mirrors.add_mirror(name); }, "{}", mirror);
}

// clang-format off
ExpansionLimit expansion_limit(const FlagValue& value) {
  const auto size = value.bytes();
  return {size == 0 ? std::nullopt : std::optional(size)};
}

Flags<LogOptions> logging_flags() {
  return {
    {{.name = "verbosity", .shorthand = "v", .group = logging_group, .preset = "info",
      .help = "trace, debug, info, warn, error, fatal or panic"},
     [](LogOptions& o, const Value& v) { o.verbosity = parse_verbosity(v.text()); }},
    {{.name = "log-format", .group = logging_group, .preset = "auto",
      .help = "text, color, json, or auto: color at a terminal, text elsewhere"},
     [](LogOptions& o, const Value& v) { o.format = parse_log_format(v.text()); }},
    {{.name = "log-timestamp", .type = boolean, .group = logging_group, .preset = "false",
      .help = "Show the time of day in the log"},
     [](LogOptions& o, const Value& v) {
       o.time = v.boolean() ? LogTime::timestamp : LogTime::elapsed;
     }},
  };
}
// clang-format on

} // namespace cairn
