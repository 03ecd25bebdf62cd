#include "apps/executor/named_paths.hpp"

#include "builder/outputs/reports.hpp"
#include "builder/plan/named_context.hpp"
#include "context/local.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace cairn {

namespace {

using Use = NamedPath::Use;

/// The paths in a value.
using Paths = std::vector<std::string>;

/// A path, or a URL to send a report to
Paths file(const std::string& value) {
  return is_uploaded(value) ? Paths() : Paths{value};
}

/// HOST=FILE, HOST=CERTIFICATE,KEY, ID=SOCKET
Paths behind_equals(const std::string& value) {
  const auto parts = cut(value, '=');
  return parts ? split(parts->second, ',') : Paths();
}

/// id=NAME,src=FILE
Paths secret_source(const std::string& value) {
  Paths paths;
  for (const auto& field : split(value, ','))
    for (const std::string_view key : {"src=", "source="})
      if (field.starts_with(key))
        paths.push_back(field.substr(key.size()));
  return paths;
}

/// oci:PATH, otherwise a repository
Paths layout(const std::string& value) {
  constexpr std::string_view scheme = "oci:";
  return value.starts_with(scheme) ? Paths{value.substr(scheme.size())} : Paths();
}

/// The steps of a cache in oci:PATH are PATH:KEY: it takes the whole directory.
Paths cache_layouts(const std::string& value) {
  auto paths = layout(value);
  for (auto& path : paths) {
    const auto slash = path.rfind('/');
    path = slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
  }
  return paths;
}

Paths if_local(const std::optional<std::string>& path) {
  return path && !path->empty() ? Paths{*path} : Paths();
}

/// A path, dir://PATH, tar://PATH, otherwise something on another machine
Paths context(const std::string& value) {
  return if_local(local_path(value));
}

/// What --context-base says, of which a path in --context is a part; "" for nothing.
std::string context_base(const std::vector<FlagUse>& uses) {
  std::string base;
  for (const auto& use : uses)
    if (use.name == "context-base")
      base = use.value.text();
  return base;
}

/// A context, in the base unless it says by a scheme where it is.
Paths context_in(const std::string& base, const std::string& value) {
  auto paths = context(value);
  if (!base.empty() && value.find("://") == std::string::npos)
    for (auto& path : paths)
      path.insert(0, base + "/");
  return paths;
}

/// NAME=PATH, NAME=oci-layout://PATH[:TAG][@DIGEST]
Paths named_context(const std::string& value) {
  const auto parts = cut(value, '=');
  return parts ? if_local(local_path_of(parts->second)) : Paths();
}

/// NAME=PATH
Paths volume(const std::string& value) {
  const auto parts = cut(value, '=');
  return parts ? Paths{std::string(parts->second)} : Paths();
}

struct PathRow {
  std::string_view flag;
  Use use;
  Paths (*paths)(const std::string& value);
};

constexpr std::array rows = {
    PathRow{"context", Use::read, context},
    PathRow{"context-base", Use::read, file},
    PathRow{"build-context", Use::read, named_context},
    PathRow{"base-volume", Use::read, volume},
    PathRow{"dockerfile", Use::read, context},
    PathRow{"secret", Use::read, secret_source},
    PathRow{"ssh", Use::read, behind_equals},
    PathRow{"registry-certificate", Use::read, behind_equals},
    PathRow{"registry-client-cert", Use::read, behind_equals},
    PathRow{"import-cache-mounts", Use::read, layout},
    PathRow{"export-cache-mounts", Use::written, layout},
    PathRow{"cache-repo", Use::written, cache_layouts},
    PathRow{"cache-dir", Use::written, file},
    PathRow{"kaniko-dir", Use::written, file},
    PathRow{"tar-path", Use::written, file},
    PathRow{"oci-layout-path", Use::written, file},
    PathRow{"oci-layout-on-push-failure", Use::written, file},
    PathRow{"digest-file", Use::written, file},
    PathRow{"image-name-with-digest-file", Use::written, file},
    PathRow{"image-name-tag-with-digest-file", Use::written, file},
    PathRow{"image-url-file", Use::written, file},
    PathRow{"images-file", Use::written, file},
    PathRow{"base-images-file", Use::written, file},
    PathRow{"trace-file", Use::written, file},
};

/// What credentials are read from when they are needed, which may be after the build.
constexpr std::array late_variables = {"DOCKER_CONFIG",
                                       "REGISTRY_AUTH_FILE",
                                       "AWS_SHARED_CREDENTIALS_FILE",
                                       "AWS_CONFIG_FILE",
                                       "AWS_WEB_IDENTITY_TOKEN_FILE",
                                       "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                                       "AZURE_FEDERATED_TOKEN_FILE",
                                       "CLOUDSDK_CONFIG",
                                       "GOOGLE_APPLICATION_CREDENTIALS",
                                       "SSH_AUTH_SOCK"};

/// The same below $HOME.
constexpr std::array home_directories = {".docker", ".aws", ".config/gcloud"};

const PathRow* find_row(std::string_view flag) {
  const auto row = std::find_if(rows.begin(), rows.end(),
                                [&](const PathRow& known) { return known.flag == flag; });
  return row != rows.end() ? &*row : nullptr;
}

} // namespace

bool names_paths(std::string_view flag) {
  return find_row(flag) != nullptr;
}

std::vector<NamedPath> named_paths(const std::vector<FlagUse>& uses,
                                   const ProcessEnvironment& environment) {
  std::vector<NamedPath> paths;
  const auto base = context_base(uses);
  for (const auto& use : uses)
    if (const auto* row = find_row(use.name))
      for (auto& path : use.name == "context" ? context_in(base, use.value.text())
                                              : row->paths(use.value.text()))
        if (!path.empty())
          paths.push_back({row->use, "--" + std::string(use.name), std::move(path)});
  for (const auto* name : late_variables)
    if (auto path = environment.text(name); !path.empty())
      paths.push_back({Use::read, name, std::move(path)});
  if (const auto directory = environment.text("BUILDER_OUTPUT"); !directory.empty())
    paths.push_back({Use::written, "BUILDER_OUTPUT", directory});
  if (const auto home = environment.text("HOME"); !home.empty())
    for (const auto* directory : home_directories)
      paths.push_back({Use::read, "HOME", home + "/" + directory});
  return paths;
}

} // namespace cairn
