#include "context/git/git_address.hpp"

#include "net/url.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <algorithm>
#include <optional>

namespace cairn {

namespace {

std::optional<GitAddress::Scheme> scheme_of(std::string_view name) {
  using Scheme = GitAddress::Scheme;
  if (name == "https")
    return Scheme::https;
  if (name == "http")
    return Scheme::http;
  if (name == "git")
    return Scheme::git;
  if (name == "ssh" || name == "ssh+git" || name == "git+ssh")
    return Scheme::ssh;
  return std::nullopt;
}

std::string_view name_of(GitAddress::Scheme scheme) {
  switch (scheme) {
  case GitAddress::Scheme::http:
    return "http";
  case GitAddress::Scheme::https:
    return "https";
  case GitAddress::Scheme::ssh:
    return "ssh";
  case GitAddress::Scheme::git:
    return "git";
  }
  return {};
}

/// What can be shown of an address that is none: there may be a password in it.
Error not_an_address(std::string_view text, std::string_view why) {
  const auto at = text.rfind('@');
  const auto shown =
      at == std::string_view::npos ? std::string(text) : "…" + std::string(text.substr(at));
  return Error("'{}' is not the address of a git repository: {}", printable(shown), why);
}

std::string decoded(std::string_view part, std::string_view text) {
  auto plain = percent_decode(part);
  if (!plain)
    throw not_an_address(text, "a % is not followed by two hex digits");
  return *std::move(plain);
}

bool is_web(GitAddress::Scheme scheme) {
  return scheme == GitAddress::Scheme::http || scheme == GitAddress::Scheme::https;
}

/// Cuts the last part of a path off. False when only "host:" is left to cut from.
bool chop_last(std::string& remote) {
  if (const auto slash = remote.rfind('/'); slash != std::string::npos) {
    remote.resize(slash);
    return true;
  }
  const auto colon = remote.rfind(':');
  if (colon == std::string::npos)
    throw Error("there is nothing above '{}'", printable(remote));
  remote.resize(colon);
  return false;
}

} // namespace

GitAddress GitAddress::parse(std::string_view text) {
  GitAddress address;
  const auto end = text.find("://");
  if (end != std::string_view::npos) {
    const auto scheme = scheme_of(to_lower(text.substr(0, end)));
    if (!scheme)
      throw not_an_address(text, "it is none of https, http, ssh and git");
    address.scheme = *scheme;
    const auto rest = text.substr(end + 3);
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos)
      throw not_an_address(text, "it has no path");
    address.take_authority(rest.substr(0, slash));
    const auto path = rest.substr(slash);
    address.path = is_web(*scheme) ? std::string(path) : decoded(path, text);
    // "/~user/x" is below that user's home.
    if (address.scheme == Scheme::ssh && address.path.starts_with("/~"))
      address.path.erase(0, 1);
  } else {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || text.find('/') < colon)
      throw not_an_address(text, "a path of this machine cannot be fetched from");
    if (text.substr(colon).starts_with("::"))
      throw not_an_address(text, "no program is run to fetch from it");
    address.scheme = Scheme::ssh;
    address.take_authority(text.substr(0, colon));
    address.path = text.substr(colon + 1);
  }
  address.check(text);
  return address;
}

void GitAddress::take_authority(std::string_view text) {
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const auto who = text.substr(0, at);
    const auto parts = cut(who, ':');
    user = decoded(parts ? parts->first : who, text);
    password = decoded(parts ? parts->second : "", text);
    text.remove_prefix(at + 1);
  }
  const auto bracket = text.rfind(']');
  const auto colon = text.rfind(':');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    port = text.substr(colon + 1);
    text = text.substr(0, colon);
  }
  host = to_lower(text);
}

void GitAddress::check(std::string_view text) const {
  constexpr std::string_view of_host = "abcdefghijklmnopqrstuvwxyz0123456789-._";
  constexpr unsigned last_port = 65535;
  const auto name = machine();
  const bool is_bracketed = name.size() < host.size();
  if (name.empty() ||
      name.find_first_not_of(is_bracketed ? "0123456789abcdef:.%" : of_host) != std::string::npos)
    throw not_an_address(text, "it names no host");
  const auto number = parse_unsigned(port);
  if (!port.empty() && (!number || *number == 0 || *number > last_port))
    throw not_an_address(text, "its port is not a number from 1 to 65535");
  if (path.empty() || path == "/")
    throw not_an_address(text, "it has no path");
  for (const auto& part : {user, password, path})
    if (has_control_characters(part))
      throw not_an_address(text, "it holds control characters");
  for (const auto& part : {user, host, path})
    if (part.starts_with('-'))
      throw not_an_address(text, "a part of it looks like an option");
}

std::string GitAddress::authority() const {
  return port.empty() ? host : host + ":" + port;
}

std::string GitAddress::url() const {
  return std::string(name_of(scheme)) + "://" + authority() + (path.starts_with('/') ? "" : "/") +
         path;
}

std::string GitAddress::machine() const {
  const bool is_bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return is_bracketed ? host.substr(1, host.size() - 2) : host;
}

std::string resolve_git_url(std::string_view remote, std::string_view url) {
  if (!url.starts_with("./") && !url.starts_with("../"))
    return std::string(url);
  std::string base(remote);
  while (base.ends_with('/'))
    base.pop_back();
  char separator = '/';
  for (;;) {
    if (url.starts_with("./")) {
      url.remove_prefix(2);
    } else if (url.starts_with("../")) {
      url.remove_prefix(3);
      separator = chop_last(base) ? separator : ':';
    } else {
      break;
    }
  }
  auto found = base + separator + std::string(url);
  while (found.ends_with('/'))
    found.pop_back();
  // Enough of "../" would otherwise make a host of what was a path.
  if (GitAddress::parse(found).authority() != GitAddress::parse(remote).authority())
    throw Error("'{}' leads out of the host of '{}'", printable(url),
                GitAddress::parse(remote).url());
  return found;
}

} // namespace cairn
