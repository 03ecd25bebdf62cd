#include "creds/cloud/gcp_token.hpp"

#include "creds/cloud/gcp_federation.hpp"
#include "net/transient_status.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"
#include "util/text.hpp"

#include <fcntl.h>

#include <chrono>

namespace cairn {

namespace {

constexpr std::uint64_t max_key_file = std::uint64_t{1} << 20;
constexpr std::string_view google_token_url = "https://oauth2.googleapis.com/token";
constexpr std::string_view metadata_host = "metadata.google.internal";
constexpr std::string_view metadata_path =
    "/computeMetadata/v1/instance/service-accounts/default/token";

/// RFC 6749 section 5.1.
CloudToken read_token(const CloudServices& services, const Json& answer) {
  return {answer_text(answer, "access_token"),
          services.clock() +
              std::chrono::seconds(answer_seconds(answer, "expires_in", usual_token_life)),
          {}};
}

CloudToken exchange(const CloudServices& services, const std::string& url, const FormFields& fields,
                    const std::vector<std::string>& secrets) {
  const auto request = form_request(url, fields);
  const auto answer = answer_json(request, send_secret(services.http, request, secrets));
  return within([&] { return read_token(services, answer); }, "{}", describe(request));
}

CloudToken service_account_token(const CloudServices& services, const Json& key) {
  const auto assertion = gcp_assertion(key, services.clock());
  auto token = exchange(
      services, key.string_or("token_uri", google_token_url),
      {{"assertion", assertion}, {"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"}},
      {assertion});
  token.source = answer_text(key, "client_email");
  return token;
}

CloudToken user_token(const CloudServices& services, const Json& key) {
  const auto secret = answer_text(key, "client_secret");
  const auto refresh = answer_text(key, "refresh_token");
  auto token = exchange(services, std::string(google_token_url),
                        {{"client_id", answer_text(key, "client_id")},
                         {"client_secret", secret},
                         {"grant_type", "refresh_token"},
                         {"refresh_token", refresh}},
                        {secret, refresh});
  token.source = "gcloud's user";
  return token;
}

std::optional<std::string> read_optional(const std::string& path) {
  const auto file = try_open_at(current_directory(), path, O_RDONLY);
  if (!file)
    return std::nullopt;
  return within([&] { return read_file(*file, max_key_file); }, "{}", path);
}

/// What `gcloud auth application-default login` leaves behind.
std::string gcloud_file(const Variables& environment) {
  constexpr std::string_view name = "/application_default_credentials.json";
  if (const auto folder = environment.text("CLOUDSDK_CONFIG"); !folder.empty())
    return folder + std::string(name);
  const auto home = environment.text("HOME");
  return home.empty() ? std::string() : home + "/.config/gcloud" + std::string(name);
}

std::optional<CloudToken> metadata_token(const CloudServices& services) {
  auto host = services.environment.text("GCE_METADATA_HOST");
  if (host.empty())
    host = metadata_host;
  Request request;
  request.url = "http://" + host + std::string(metadata_path);
  request.headers.set("Metadata-Flavor", "Google");
  const auto response = ask_metadata(services, request);
  if (!response)
    return std::nullopt;
  // Something else may answer at that address; and 404 says that there is no service account.
  const auto* flavor = response->headers.find("metadata-flavor");
  if (flavor == nullptr || trim(*flavor) != "Google" || response->status == 404)
    return std::nullopt;
  require_success(request, *response);
  const auto answer = answer_json(request, *response);
  auto token = within([&] { return read_token(services, answer); }, "{}", describe(request));
  token.source = "the metadata server";
  return token;
}

} // namespace

std::string gcp_assertion(const Json& key, Time now) {
  const auto issued = unix_seconds(now);
  auto header = Json::object();
  header.set("alg", "RS256").set("typ", "JWT");
  if (const auto id = key.string_or("private_key_id", ""); !id.empty())
    header.set("kid", id);
  auto claims = Json::object();
  claims.set("iss", answer_text(key, "client_email"))
      .set("scope", gcp_scope)
      .set("aud", key.string_or("token_uri", google_token_url))
      .set("iat", issued)
      .set("exp", issued + usual_token_life);
  const auto message =
      base64url_encode(header.compact()) + "." + base64url_encode(claims.compact());
  return message + "." + base64url_encode(sign_rs256(answer_text(key, "private_key"), message));
}

CloudToken gcp_token_of_file(const CloudServices& services, std::string_view text,
                             const std::string& place) {
  return within(
      [&] {
        const auto key = Json::parse(text);
        if (!key.is_object())
          throw Error("it is no JSON object");
        const auto type = key.string_or("type", "");
        if (type == "service_account")
          return service_account_token(services, key);
        if (type == "external_account")
          return gcp_federated_token(services, key);
        if (type == "authorized_user")
          return user_token(services, key);
        throw Error("credentials of type '{}' are not supported", printable(type));
      },
      "{}", place);
}

std::optional<CloudToken> find_gcp_token(const CloudServices& services) {
  const auto named = services.environment.text("GOOGLE_APPLICATION_CREDENTIALS");
  if (!named.empty()) {
    const auto text = read_optional(named);
    if (!text)
      throw Error("GOOGLE_APPLICATION_CREDENTIALS: there is no file '{}'", named);
    return gcp_token_of_file(services, *text, named);
  }
  const auto usual = gcloud_file(services.environment);
  if (const auto text = usual.empty() ? std::nullopt : read_optional(usual))
    return gcp_token_of_file(services, *text, usual);
  return metadata_token(services);
}

} // namespace cairn
