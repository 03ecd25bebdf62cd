#pragma once

#include <string>
#include <string_view>

namespace cairn {

/// Where a repository is, in the forms that git itself knows.
struct GitAddress {
  enum class Scheme { http, https, ssh, git };

  Scheme scheme = Scheme::https;
  std::string user;     ///< Decoded; empty when the address names none.
  std::string password; ///< Decoded. For the wire alone.
  std::string host;     ///< In lower case; an IPv6 address in brackets.
  std::string port;     ///< Empty: the scheme's own.
  /// With its slash and as written for http and https, decoded otherwise. Of user@host:path the
  /// path as it stands.
  std::string path;

  /// A URL of these schemes, or [user@]host:path. Paths of this machine and transports that run
  /// programs are none, and nothing in it can be taken for an option by the program at the other
  /// end. @throws Error
  static GitAddress parse(std::string_view text);

  std::string authority() const; ///< "host" or "host:port"
  /// Without user and password: what may be shown, and what libraries are told.
  std::string url() const;

  /// Host without the brackets of IPv6.
  std::string machine() const;

private:
  void take_authority(std::string_view text);
  void check(std::string_view text) const;
};

/// What a submodule's URL means in a repository at `remote` (git-submodule(1)): "./" and "../" in
/// front are relative to it, anything else stands for itself. @throws Error
std::string resolve_git_url(std::string_view remote, std::string_view url);

} // namespace cairn
