#pragma once

#include "context/git/git_reference.hpp"
#include "context/git/git_services.hpp"
#include "context/local.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace cairn {

/// What kaniko's flag and variables say of repositories that are build contexts.
struct GitContextOptions {
  std::string branch;                 ///< --git=branch=: where the context names none.
  std::optional<bool> submodules;     ///< --git=recurse-submodules=
  TlsVerify verify = TlsVerify::full; ///< --git=insecure-skip-tls=
  std::string pull_method = "https";  ///< GIT_PULL_METHOD: what git:// stands for.
  std::string username;               ///< GIT_USERNAME, or GIT_TOKEN.
  std::string password;               ///< GIT_PASSWORD
  std::string login_source;           ///< The variables that the two are from.
};

/// A repository that is a build context.
struct GitContextSource {
  GitReference reference;
  bool is_kaniko = false; ///< Written as kaniko does: .dockerignore counts.
};

/// The repository that --context names: as kaniko writes it, git://HOST/PATH[#REF[#COMMIT]], over
/// https and without submodules unless the options say otherwise; or as BuildKit does. Nothing for
/// a context of another kind. @throws Error
std::optional<GitContextSource> parse_git_context(std::string_view context,
                                                  const GitContextOptions& options);

/// A repository that was fetched to be the build context.
struct GitContext {
  LocalContext files;
  Time time; ///< When its commit was made.
};

/// @throws Error
GitContext open_git_context(const GitReference& reference, const GitContextOptions& options,
                            const std::string& sub_path, GitServices services);

} // namespace cairn
