#include "creds/docker/helper_protocol.hpp"

#include "creds/docker/docker_config.hpp"
#include "util/error.hpp"
#include "util/json.hpp"
#include "util/text.hpp"

#include <algorithm>

namespace cairn {

namespace {

// Clients compare these texts.
constexpr std::string_view not_found = "credentials not found in native keychain";
constexpr std::string_view no_server = "no credentials server URL";
constexpr std::string_view no_username = "no credentials username";

/// The user's name that stands for an identity token.
constexpr std::string_view token_user = "<token>";

HelperAnswer refuse(std::string_view text) {
  return {1, std::string(text) + "\n"};
}

/// Clients send the server as a line, some of them without its end.
std::string server_of(std::string_view input) {
  std::string server;
  for (const auto& line : split(input, '\n'))
    server += line;
  return std::string(trim(server));
}

HelperAnswer get(std::string_view input, HelperBackend& backend) {
  const auto server = server_of(input);
  if (server.empty())
    return refuse(no_server);
  const auto found = backend.get(server);
  if (!found)
    return refuse(not_found);
  const bool is_token = !found->identity_token.empty();
  auto answer = Json::object();
  answer.set("ServerURL", server)
      .set("Username", is_token ? token_user : std::string_view(found->username))
      .set("Secret", is_token ? found->identity_token : found->password);
  return {0, answer.compact() + "\n"};
}

HelperAnswer store(std::string_view input, HelperBackend& backend) {
  const auto message = Json::parse(input);
  const auto server = std::string(trim(message.string_or("ServerURL", "")));
  Credential credential;
  credential.username = message.string_or("Username", "");
  auto secret = message.string_or("Secret", "");
  if (server.empty())
    return refuse(no_server);
  if (credential.username.empty())
    return refuse(no_username);
  if (credential.username == token_user)
    credential.identity_token = std::move(secret);
  else
    credential.password = std::move(secret);
  backend.store(server, credential);
  return {};
}

HelperAnswer erase(std::string_view input, HelperBackend& backend) {
  const auto server = server_of(input);
  if (server.empty())
    return refuse(no_server);
  backend.erase(server);
  return {};
}

HelperAnswer list(HelperBackend& backend) {
  auto answer = Json::object();
  for (const auto& [server, user] : backend.list())
    answer.set(server, user);
  return {0, answer.compact() + "\n"};
}

} // namespace

bool helper_reads_input(const std::vector<std::string>& words) {
  return words.size() == 1 &&
         (words.front() == "get" || words.front() == "store" || words.front() == "erase");
}

HelperAnswer serve_helper(const HelperIdentity& identity, const std::vector<std::string>& words,
                          std::string_view input, HelperBackend& backend) {
  const auto usage = "Usage: " + identity.name + " <store|get|erase|list|version>\n";
  if (words.size() != 1)
    return {1, usage};
  const auto& action = words.front();
  if (action == "--help" || action == "-h")
    return {0, usage};
  if (action == "version" || action == "--version" || action == "-v")
    return {0, identity.name + " (cairn) " + identity.version + "\n"};
  try {
    if (action == "get")
      return get(input, backend);
    if (action == "store")
      return store(input, backend);
    if (action == "erase")
      return erase(input, backend);
    if (action == "list")
      return list(backend);
  } catch (const Error& error) {
    return refuse(printable(error.what()));
  }
  return refuse(identity.name + ": unknown action: " + printable(action));
}

std::optional<ImageRef> image_on_server(std::string_view server) {
  auto key = normalise_credential_key(server);
  const auto slash = std::min(key.find('/'), key.size());
  const auto host = key.substr(0, slash);
  // A name without a dot or a port would be a namespace of Docker Hub.
  const bool is_plain = host.find_first_of(".:") == std::string::npos && host != "localhost";
  if (is_plain)
    key.insert(slash, ":443");
  try {
    // The path that was named, or any repository.
    return ImageRef::parse(key.find('/') == std::string::npos ? key + "/any" : key);
  } catch (const Error&) {
    // Whatever it names, there are no credentials for it.
    return std::nullopt;
  }
}

} // namespace cairn
