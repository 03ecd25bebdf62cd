#include "context/git/git_credentials.hpp"

#include "util/crypto.hpp"
#include "util/text.hpp"

#include <optional>

namespace cairn {

namespace {

constexpr std::string_view header_secret = "GIT_AUTH_HEADER";
constexpr std::string_view token_secret = "GIT_AUTH_TOKEN";

std::string basic(const std::string& user, const std::string& password) {
  return "Basic " + base64_encode(user + ":" + password);
}

/// Scheme and host: what is sent to one is not sent to the other.
std::string origin_of(const GitAddress& address) {
  auto root = address;
  root.path = "/";
  return root.url();
}

} // namespace

GitCredentials::GitCredentials(const std::map<std::string, std::string>& secrets) {
  for (const auto& [id, value] : secrets)
    if (id.starts_with(header_secret) || id.starts_with(token_secret))
      secrets_[id] = trim(value);
}

void GitCredentials::add_login(const GitAddress& of, const std::string& user,
                               const std::string& password, std::string source) {
  logins_[origin_of(of)] = {basic(user, password), std::move(source)};
}

GitAuthorization GitCredentials::find(const GitAddress& address, const GitAddress& main) const {
  if (!address.user.empty() || !address.password.empty())
    return {basic(address.user, address.password), "its URL"};
  const auto secret = [&](const std::string& suffix) -> std::optional<GitAuthorization> {
    const auto header = std::string(header_secret) + suffix;
    if (const auto found = secrets_.find(header); found != secrets_.end())
      return GitAuthorization{found->second, "the secret " + header};
    const auto token = std::string(token_secret) + suffix;
    if (const auto found = secrets_.find(token); found != secrets_.end())
      return GitAuthorization{basic("x-access-token", found->second), "the secret " + token};
    return std::nullopt;
  };
  for (const auto& host : {address.authority(), address.host})
    if (auto found = secret("." + host))
      return *std::move(found);
  const bool is_main = origin_of(address) == origin_of(main);
  if (is_main)
    if (auto found = secret(""))
      return *std::move(found);
  if (const auto login = logins_.find(origin_of(address)); login != logins_.end())
    return login->second;
  // A submodule on the same host is opened by what opened the repository that names it.
  if (is_main && (!main.user.empty() || !main.password.empty()))
    return {basic(main.user, main.password), "the repository's URL"};
  return {};
}

} // namespace cairn
