#pragma once

#include "context/git/git_address.hpp"

#include <map>
#include <string>

namespace cairn {

/// What proves to a server of repositories who we are.
struct GitAuthorization {
  std::string header; ///< The value of Authorization; empty: nothing is known. For the wire alone.
  std::string source; ///< Where it is from, for messages: "the secret GIT_AUTH_TOKEN".
};

/// The credentials for repositories over HTTP, as BuildKit has them. Per host, most specific first:
/// the secrets GIT_AUTH_HEADER.HOST and GIT_AUTH_TOKEN.HOST, then GIT_AUTH_HEADER and
/// GIT_AUTH_TOKEN, which open the host of the repository that was asked for and no other, be it a
/// submodule's. HOST is as in the URL, with its port if it has one.
class GitCredentials {
public:
  GitCredentials() = default;
  /// `secrets` by their ids, which may be many others.
  explicit GitCredentials(const std::map<std::string, std::string>& secrets);

  /// A name and password that open the host of `of`, where no secret does: what kaniko takes from
  /// GIT_USERNAME, GIT_PASSWORD and GIT_TOKEN.
  void add_login(const GitAddress& of, const std::string& user, const std::string& password,
                 std::string source);

  /// For a repository at `address`, of the build that asked for the one at `main`. An address that
  /// itself holds a user and password goes first.
  GitAuthorization find(const GitAddress& address, const GitAddress& main) const;

private:
  std::map<std::string, std::string> secrets_;
  std::map<std::string, GitAuthorization> logins_; ///< By URL of the host.
};

} // namespace cairn
