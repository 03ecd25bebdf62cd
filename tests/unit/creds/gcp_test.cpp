#include "creds/cloud/gcp_token.hpp"
#include "creds/cloud/gcr.hpp"
#include "exchange.hpp"
#include "rsa_key.hpp"
#include "util/crypto.hpp"

using namespace cairn;

namespace {

Json service_account() {
  auto key = Json::object();
  key.set("type", "service_account")
      .set("client_email", "build@project.iam.gserviceaccount.com")
      .set("private_key_id", "key-1")
      .set("private_key", test_rsa_key)
      .set("token_uri", "https://oauth2.googleapis.com/token");
  return key;
}

Json external_account() {
  auto account = Json::object();
  account.set("type", "external_account")
      .set("audience", "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/"
                       "providers/gitlab")
      .set("subject_token_type", "urn:ietf:params:oauth:token-type:jwt")
      .set("token_url", "https://sts.googleapis.com/v1/token");
  return account;
}

const std::string federation_request =
    "POST https://sts.googleapis.com/v1/token\n"
    "Content-Type: application/x-www-form-urlencoded\n\n"
    "audience=%2F%2Fiam.googleapis.com%2Fprojects%2F1%2Flocations%2Fglobal%2F"
    "workloadIdentityPools%2Fp%2Fproviders%2Fgitlab"
    "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
    "&requested_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token"
    "&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"
    "&subject_token=the.ci.jwt"
    "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt";

} // namespace

TEST_CASE("registries of Google are known by their names") {
  for (const char* name :
       {"gcr.io", "eu.gcr.io", "europe-docker.pkg.dev", "X.PKG.DEV", "a.google.com"})
    CHECK(is_google_registry(name));
  for (const char* name : {"evilgcr.io", "gcr.io.evil.example", "pkg.dev", "google.com.evil",
                           "docker.io", "gcr.io:443"})
    CHECK_FALSE(is_google_registry(name));
}

TEST_CASE("a service account's claim is signed with RS256, byte by byte the same each time") {
  const auto assertion = gcp_assertion(service_account(), from_unix(1'440'938'160));
  const auto signed_part = assertion.substr(0, assertion.rfind('.'));
  CHECK(signed_part ==
        base64url_encode(R"({"alg":"RS256","typ":"JWT","kid":"key-1"})") + "." +
            base64url_encode(R"({"iss":"build@project.iam.gserviceaccount.com",)"
                             R"("scope":"https://www.googleapis.com/auth/cloud-platform",)"
                             R"("aud":"https://oauth2.googleapis.com/token",)"
                             R"("iat":1440938160,"exp":1440941760})"));
  CHECK(assertion.substr(assertion.rfind('.') + 1) == test_rsa_claim_signature);
}

TEST_CASE_FIXTURE(CloudFixture, "a service account's claim becomes an access token") {
  const auto key = service_account();
  set("GOOGLE_APPLICATION_CREDENTIALS=" + file("key.json", key.compact()));
  answers = {answer(R"({"access_token":"ya29.a","expires_in":3599,"token_type":"Bearer"})")};
  const auto minted = make_google_token_provider(services())->mint("eu.gcr.io");
  REQUIRE(minted);
  CHECK(minted->credential.username == "oauth2accesstoken");
  CHECK(minted->credential.password == "ya29.a");
  CHECK(minted->credential.describe() ==
        "credential \"eu.gcr.io\" of Google Cloud (build@project.iam.gserviceaccount.com)");
  CHECK(minted->expires == now + std::chrono::seconds(3599));
  CHECK(sent() == std::vector<std::string>{
                      "POST https://oauth2.googleapis.com/token\n"
                      "Content-Type: application/x-www-form-urlencoded\n\n"
                      "assertion=" +
                      gcp_assertion(key, now) +
                      "&grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"});
}

TEST_CASE_FIXTURE(CloudFixture, "a token of another issuer is exchanged at Google's STS") {
  auto account = external_account();
  auto source = Json::object();
  answers = {answer(R"({"access_token":"federated","expires_in":"600"})")};
  SUBCASE("from a file") {
    source.set("file", file("jwt", "the.ci.jwt\n"));
  }
  SUBCASE("from a member of a file") {
    auto format = Json::object();
    format.set("type", "json").set("subject_token_field_name", "access_token");
    source.set("file", file("jwt", R"({"access_token":"the.ci.jwt"})")).set("format", format);
  }
  SUBCASE("from an address of the machine") {
    auto headers = Json::object();
    headers.set("Metadata", "True");
    source.set("url", "http://169.254.169.254/metadata/identity").set("headers", headers);
    metadata_answers = {answer("the.ci.jwt")};
  }
  account.set("credential_source", source);
  const auto token = gcp_token_of_file(services(), account.compact(), "wif.json");
  CHECK(token.text == "federated");
  CHECK(token.expires == now + std::chrono::seconds(600));
  CHECK(sent() == std::vector<std::string>{federation_request});
  if (!sent_to_metadata().empty())
    CHECK(
        sent_to_metadata() ==
        std::vector<std::string>{"GET http://169.254.169.254/metadata/identity\nMetadata: True\n"});
}

TEST_CASE_FIXTURE(CloudFixture, "and that for a service account's, when the file names one") {
  auto account = external_account();
  auto source = Json::object();
  source.set("file", file("jwt", "the.ci.jwt"));
  account.set("credential_source", source)
      .set("service_account_impersonation_url",
           "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
           "push@p.iam.gserviceaccount.com:generateAccessToken");
  answers = {answer(R"({"access_token":"federated","expires_in":600})"),
             answer(R"({"accessToken":"ya29.sa","expireTime":"2015-08-30T13:00:00Z"})")};
  const auto token = gcp_token_of_file(services(), account.compact(), "wif.json");
  CHECK(token.text == "ya29.sa");
  CHECK(token.source == "push@p.iam.gserviceaccount.com");
  CHECK(token.expires == from_unix(1'440'939'600));
  CHECK(sent() == std::vector<std::string>{
                      federation_request,
                      "POST https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
                      "push@p.iam.gserviceaccount.com:generateAccessToken\n"
                      "Content-Type: application/json\nAuthorization: Bearer federated\n\n"
                      R"({"delegates":[],"lifetime":"3600s",)"
                      R"("scope":["https://www.googleapis.com/auth/cloud-platform"]})"});
}

TEST_CASE_FIXTURE(CloudFixture, "what gcloud left for its user is exchanged too") {
  answers = {answer(R"({"access_token":"u"})")};
  const auto token = gcp_token_of_file(services(),
                                       R"({"type":"authorized_user","client_id":"id",)"
                                       R"("client_secret":"cs","refresh_token":"1//r"})",
                                       "adc.json");
  CHECK(token.text == "u");
  CHECK(sent() == std::vector<std::string>{"POST https://oauth2.googleapis.com/token\n"
                                           "Content-Type: application/x-www-form-urlencoded\n\n"
                                           "client_id=id&client_secret=cs&grant_type=refresh_token"
                                           "&refresh_token=1%2F%2Fr"});
}

TEST_CASE_FIXTURE(CloudFixture, "the metadata server is asked when there is no file") {
  set("HOME=" + directory.path());
  SUBCASE("on Google Cloud") {
    metadata_answers = {
        answer(R"({"access_token":"m","expires_in":100})", 200, {{"Metadata-Flavor", "Google"}})};
    const auto token = find_gcp_token(services());
    REQUIRE(token);
    CHECK(token->text == "m");
    CHECK(
        sent_to_metadata() ==
        std::vector<std::string>{"GET http://metadata.google.internal/computeMetadata/v1/instance/"
                                 "service-accounts/default/token\nMetadata-Flavor: Google\n"});
  }
  SUBCASE("elsewhere") {
    CHECK_FALSE(find_gcp_token(services()));
  }
  SUBCASE("where something else answers") {
    metadata_answers = {answer("<html>", 200)};
    CHECK_FALSE(find_gcp_token(services()));
  }
  SUBCASE("where there is no service account") {
    metadata_answers = {answer("", 404, {{"Metadata-Flavor", "Google"}})};
    CHECK_FALSE(find_gcp_token(services()));
  }
  SUBCASE("at another address") {
    set("GCE_METADATA_HOST=127.0.0.1:8080");
    CHECK_FALSE(find_gcp_token(services()));
    CHECK(metadata.lines().front().starts_with("GET http://127.0.0.1:8080/computeMetadata/"));
  }
}

TEST_CASE_FIXTURE(CloudFixture,
                  "files that lead nowhere are errors that name them, not their keys") {
  auto no_key = service_account();
  no_key.set("private_key", "hush");
  auto plain = service_account();
  plain.set("token_uri", "http://evil.example/token");
  for (const auto& row : std::vector<std::pair<std::string, const char*>>{
           {"hush", "key.json: JSON: "},
           {"[]", "it is no JSON object"},
           {"{}", "credentials of type '' are not supported"},
           {R"({"type":"service_account"})", "no \"client_email\""},
           {no_key.compact(), "the private key is no unencrypted PEM text"},
           {plain.compact(), "http://evil.example/token: refused, a secret would leave TLS"},
           {external_account().compact(), "it has no \"credential_source\""},
       }) {
    const auto& text = row.first;
    CAPTURE(text);
    const auto said = complaint([&] { gcp_token_of_file(services(), text, "key.json"); });
    CHECK(said.starts_with("key.json: "));
    CHECK(said.find(row.second) != std::string::npos);
    CHECK(said.find("hush") == std::string::npos);
  }
  set("GOOGLE_APPLICATION_CREDENTIALS=/none.json");
  CHECK(complaint([&] { find_gcp_token(services()); }) ==
        "GOOGLE_APPLICATION_CREDENTIALS: there is no file '/none.json'\n");
}

TEST_CASE_FIXTURE(CloudFixture, "a server that repeats the secret is not repeated") {
  auto account = external_account();
  auto source = Json::object();
  source.set("file", file("jwt", "the.secret/jwt"));
  account.set("credential_source", source);
  answers = {
      answer(R"({"error":"invalid","error_description":"the.secret/jwt the.secret%2Fjwt"})", 400)};
  const auto said = complaint([&] { gcp_token_of_file(services(), account.compact(), "f"); });
  CHECK(said.find("400 Bad Request: invalid: *** ***") != std::string::npos);
}
