#include "creds/cloud/azure_token.hpp"

#include "net/retry.hpp"
#include "net/url.hpp"
#include "util/error.hpp"
#include "util/text.hpp"

#include <array>
#include <chrono>

namespace cairn {

namespace {

constexpr std::string_view assertion_type =
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
constexpr std::string_view azure_host = "http://169.254.169.254";

struct KnownCloud {
  std::string_view environment;
  std::string_view domain; ///< How its registries end.
  std::string_view authority;
  std::string_view resource;
};
constexpr std::array<KnownCloud, 4> clouds = {{
    {"AZUREPUBLICCLOUD", ".azurecr.io", "https://login.microsoftonline.com",
     "https://management.azure.com/"},
    {"AZURECHINACLOUD", ".azurecr.cn", "https://login.chinacloudapi.cn",
     "https://management.chinacloudapi.cn/"},
    {"AZUREUSGOVERNMENT", ".azurecr.us", "https://login.microsoftonline.us",
     "https://management.usgovcloudapi.net/"},
    {"AZUREGERMANCLOUD", ".azurecr.de", "https://login.microsoftonline.de",
     "https://management.microsoftazure.de/"},
}};

const KnownCloud& known_cloud(const std::string& environment, std::string_view registry) {
  auto name = to_upper(environment);
  if (name == "AZURECLOUD")
    name = "AZUREPUBLICCLOUD";
  if (name == "AZUREUSGOVERNMENTCLOUD")
    name = "AZUREUSGOVERNMENT";
  for (const auto& cloud : clouds)
    if (name.empty() ? registry.ends_with(cloud.domain) : name == cloud.environment)
      return cloud;
  if (!name.empty())
    throw Error("AZURE_ENVIRONMENT: there is no cloud '{}'", printable(environment));
  return clouds.front();
}

CloudToken read_token(const CloudServices& services, const Json& answer, std::string source) {
  const auto life = answer_seconds(answer, "expires_in", usual_token_life);
  return {answer_text(answer, "access_token"), services.clock() + std::chrono::seconds(life),
          std::move(source)};
}

/// The client's proof: its secret, or a token of another issuer.
struct Proof {
  FormFields fields;
  std::string secret;
};

std::optional<Proof> client_proof(const Variables& environment) {
  if (const auto secret = environment.text("AZURE_CLIENT_SECRET"); !secret.empty())
    return Proof{{{"client_secret", secret}}, secret};
  auto token = environment.text("AZURE_FEDERATED_TOKEN");
  if (const auto file = environment.text("AZURE_FEDERATED_TOKEN_FILE"); !file.empty())
    token = within([&] { return read_token_file(file); }, "AZURE_FEDERATED_TOKEN_FILE");
  if (token.empty())
    return std::nullopt;
  return Proof{
      {{"client_assertion", token}, {"client_assertion_type", std::string(assertion_type)}}, token};
}

std::optional<CloudToken> client_token(const CloudServices& services, const AzureCloud& cloud) {
  const auto& environment = services.environment;
  const auto tenant = environment.text("AZURE_TENANT_ID");
  const auto client = environment.text("AZURE_CLIENT_ID");
  if (tenant.empty() || client.empty())
    return std::nullopt;
  auto proof = client_proof(environment);
  if (!proof)
    return std::nullopt;
  proof->fields.emplace_back("client_id", client);
  proof->fields.emplace_back("grant_type", "client_credentials");
  proof->fields.emplace_back("scope", cloud.resource + ".default");
  const auto request = form_request(
      cloud.authority + "/" + percent_encode(tenant) + "/oauth2/v2.0/token", proof->fields);
  const auto answer = answer_json(request, send_secret(services.http, request, {proof->secret}));
  return within([&] { return read_token(services, answer, "client " + client); }, "{}",
                describe(request));
}

/// The request to the endpoint of a managed identity that the environment names.
std::optional<Request> endpoint_request(const Variables& environment, const AzureCloud& cloud) {
  Request request;
  auto url = environment.text("IDENTITY_ENDPOINT");
  std::string version = "2019-08-01";
  if (const auto header = environment.text("IDENTITY_HEADER"); !url.empty() && !header.empty()) {
    request.headers.set("X-IDENTITY-HEADER", header);
  } else if (url = environment.text("MSI_ENDPOINT"); !url.empty()) {
    version = "2017-09-01";
    request.headers.set("secret", environment.text("MSI_SECRET"));
    request.headers.set("Metadata", "true");
  } else {
    return std::nullopt;
  }
  auto target = Url::parse(url);
  target.add_query("api-version", version).add_query("resource", cloud.resource);
  if (const auto client = environment.text("AZURE_CLIENT_ID"); !client.empty())
    target.add_query(version == "2017-09-01" ? "clientid" : "client_id", client);
  request.url = target.str();
  return request;
}

CloudToken endpoint_token(const CloudServices& services, const Request& request) {
  const auto* header = request.headers.find("X-IDENTITY-HEADER");
  const auto* secret = header != nullptr ? header : request.headers.find("secret");
  const auto answer = answer_json(request, send_secret(services.metadata, request, {*secret}));
  return within([&] { return read_token(services, answer, "the managed identity"); }, "{}",
                describe(request));
}

std::optional<CloudToken> instance_token(const CloudServices& services, const AzureCloud& cloud) {
  const auto& environment = services.environment;
  auto host = environment.text("AZURE_POD_IDENTITY_AUTHORITY_HOST");
  if (host.empty())
    host = azure_host;
  while (host.ends_with('/'))
    host.pop_back();
  auto url = Url::parse(host + "/metadata/identity/oauth2/token");
  url.add_query("api-version", "2018-02-01").add_query("resource", cloud.resource);
  if (const auto client = environment.text("AZURE_CLIENT_ID"); !client.empty())
    url.add_query("client_id", client);
  Request request;
  request.url = url.str();
  request.headers.set("Metadata", "true");
  const auto response = ask_metadata(services, request);
  if (!response)
    return std::nullopt;
  // At that address other clouds answer too, and say that they know no such path.
  const bool has_no_identity =
      response->status == 400 && environment.text("AZURE_CLIENT_ID").empty();
  if (response->status == 404 || response->status == 405 || has_no_identity)
    return std::nullopt;
  require_success(request, *response);
  const auto answer = answer_json(request, *response);
  return within([&] { return read_token(services, answer, "the instance's identity"); }, "{}",
                describe(request));
}

} // namespace

AzureCloud azure_cloud(const Variables& environment, std::string_view registry) {
  const auto& known = known_cloud(environment.text("AZURE_ENVIRONMENT"), registry);
  AzureCloud cloud{environment.text("AZURE_AUTHORITY_HOST"), std::string(known.resource)};
  if (cloud.authority.empty())
    cloud.authority = known.authority;
  if (cloud.authority.find("://") == std::string::npos)
    cloud.authority.insert(0, "https://");
  while (cloud.authority.ends_with('/'))
    cloud.authority.pop_back();
  return cloud;
}

std::optional<CloudToken> find_azure_token(const CloudServices& services, const AzureCloud& cloud) {
  if (auto token = client_token(services, cloud))
    return token;
  if (const auto request = endpoint_request(services.environment, cloud))
    return endpoint_token(services, *request);
  return instance_token(services, cloud);
}

} // namespace cairn
