#include "creds/cloud/acr.hpp"
#include "creds/cloud/azure_token.hpp"
#include "exchange.hpp"

using namespace cairn;

namespace {

struct AzureFixture : CloudFixture {
  std::optional<MintedCredential> mint(const std::string& host = "acme.azurecr.io") {
    return make_acr_token_provider(services())->mint(host);
  }
};

constexpr const char* token_answer =
    R"({"token_type":"Bearer","expires_in":3599,"access_token":"aad"})";
constexpr const char* exchange_answer = R"({"refresh_token":"refresh"})";

} // namespace

TEST_CASE("registries of Azure are known by their names") {
  for (const char* name : {"acme.azurecr.io", "ACME.azurecr.cn", "a.b.azurecr.us", "x.azurecr.de"})
    CHECK(is_azure_registry(name));
  for (const char* name : {".azurecr.io", "azurecr.io", "acme.azurecr.io.evil.example",
                           "acme.azurecr.io:443", "docker.io"})
    CHECK_FALSE(is_azure_registry(name));
}

TEST_CASE("each cloud has its own places, unless the environment names them") {
  CHECK(azure_cloud(Variables(), "a.azurecr.io").authority == "https://login.microsoftonline.com");
  CHECK(azure_cloud(Variables(), "a.azurecr.cn").resource ==
        "https://management.chinacloudapi.cn/");
  CHECK(azure_cloud(Variables({"AZURE_ENVIRONMENT=AzureUSGovernment"}), "a.azurecr.io").authority ==
        "https://login.microsoftonline.us");
  CHECK(azure_cloud(Variables({"AZURE_AUTHORITY_HOST=login.example/"}), "a.azurecr.io").authority ==
        "https://login.example");
  CHECK_THROWS_AS(azure_cloud(Variables({"AZURE_ENVIRONMENT=Moon"}), "a.azurecr.io"), Error);
}

TEST_CASE_FIXTURE(AzureFixture, "a client's secret becomes the registry's refresh token") {
  set("AZURE_TENANT_ID=tenant");
  set("AZURE_CLIENT_ID=client");
  set("AZURE_CLIENT_SECRET=s&cret");
  answers = {answer(token_answer), answer(exchange_answer)};
  const auto minted = mint();
  REQUIRE(minted);
  CHECK(minted->credential.identity_token == "refresh");
  CHECK(minted->credential.describe() == "credential \"acme.azurecr.io\" of Azure (client client)");
  CHECK(minted->expires == now + std::chrono::hours(3));
  CHECK(sent() ==
        std::vector<std::string>{
            "POST https://login.microsoftonline.com/tenant/oauth2/v2.0/token\n"
            "Content-Type: application/x-www-form-urlencoded\n\n"
            "client_secret=s%26cret&client_id=client&grant_type=client_credentials"
            "&scope=https%3A%2F%2Fmanagement.azure.com%2F.default",
            "POST https://acme.azurecr.io/oauth2/exchange\n"
            "Content-Type: application/x-www-form-urlencoded\n\n"
            "grant_type=access_token&service=acme.azurecr.io&tenant=tenant&access_token=aad"});
}

TEST_CASE_FIXTURE(AzureFixture, "so does a federated token") {
  set("AZURE_TENANT_ID=tenant");
  set("AZURE_CLIENT_ID=client");
  set("AZURE_FEDERATED_TOKEN_FILE=" + file("jwt", "sa.jwt\n"));
  set("AZURE_AUTHORITY_HOST=https://login.example/");
  answers = {answer(token_answer), answer(exchange_answer)};
  CHECK(mint());
  CHECK(sent().front() ==
        "POST https://login.example/tenant/oauth2/v2.0/token\n"
        "Content-Type: application/x-www-form-urlencoded\n\n"
        "client_assertion=sa.jwt"
        "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        "&client_id=client&grant_type=client_credentials"
        "&scope=https%3A%2F%2Fmanagement.azure.com%2F.default");
}

TEST_CASE_FIXTURE(AzureFixture, "managed identities are asked where the environment says") {
  SUBCASE("IDENTITY_ENDPOINT") {
    set("IDENTITY_ENDPOINT=http://localhost:42356/msi/token");
    set("IDENTITY_HEADER=proof");
    metadata_answers = {answer(token_answer)};
    answers = {answer(exchange_answer)};
    CHECK(mint());
    CHECK(sent_to_metadata() ==
          std::vector<std::string>{
              "GET http://localhost:42356/msi/token?api-version=2019-08-01"
              "&resource=https%3A%2F%2Fmanagement.azure.com%2F\nX-IDENTITY-HEADER: proof\n"});
  }
  SUBCASE("MSI_ENDPOINT") {
    set("MSI_ENDPOINT=http://localhost:1/msi");
    set("MSI_SECRET=proof");
    set("AZURE_CLIENT_ID=id");
    metadata_answers = {answer(token_answer)};
    answers = {answer(exchange_answer)};
    CHECK(mint());
    CHECK(sent_to_metadata() ==
          std::vector<std::string>{"GET http://localhost:1/msi?api-version=2017-09-01"
                                   "&resource=https%3A%2F%2Fmanagement.azure.com%2F&clientid=id\n"
                                   "secret: proof\nMetadata: true\n"});
  }
  SUBCASE("the instance") {
    set("AZURE_CLIENT_ID=id");
    metadata_answers = {answer(R"({"access_token":"aad","expires_in":"86399"})")};
    answers = {answer(exchange_answer)};
    CHECK(mint());
    CHECK(sent_to_metadata() ==
          std::vector<std::string>{
              "GET http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01"
              "&resource=https%3A%2F%2Fmanagement.azure.com%2F&client_id=id\nMetadata: true\n"});
    CHECK(sent() == std::vector<std::string>{
                        "POST https://acme.azurecr.io/oauth2/exchange\n"
                        "Content-Type: application/x-www-form-urlencoded\n\n"
                        "grant_type=access_token&service=acme.azurecr.io&access_token=aad"});
  }
}

TEST_CASE_FIXTURE(AzureFixture, "elsewhere there is no identity") {
  CHECK_FALSE(mint());
  metadata_answers = {answer("not found", 404), answer(R"({"error":"invalid_request"})", 400)};
  CHECK_FALSE(mint());
  CHECK_FALSE(mint());
  CHECK(sent().empty());
}

TEST_CASE_FIXTURE(AzureFixture, "refusals are told without the secret") {
  set("AZURE_TENANT_ID=tenant");
  set("AZURE_CLIENT_ID=client");
  set("AZURE_CLIENT_SECRET=hushhush");
  answers = {answer(R"({"error":"invalid_client","error_description":"not hushhush"})", 401)};
  CHECK(complaint([&] { mint(); }) ==
        "POST https://login.microsoftonline.com/tenant/oauth2/v2.0/token: "
        "401 Unauthorized: invalid_client: not ***\n");
  answers = {answer(token_answer), answer("{}")};
  CHECK(complaint([&] { mint(); }) == "POST https://acme.azurecr.io/oauth2/exchange: "
                                      "the answer has no \"refresh_token\"\n");
}
