#include "creds/cloud/vault.hpp"
#include "exchange.hpp"

using namespace cairn;

namespace {

struct VaultFixture : CloudFixture {
  VaultAccess access{.address = "https://vault.example:8200/", .secret = "t0ken"};

  MountedCredentials read(const VaultSecret& secret) { return Vault(http, access).read(secret); }
};

const VaultSecret kv2{"r.io", "secret", "ci/my registry", VaultEngine::kv2};

} // namespace

TEST_CASE("a secret is [REGISTRY=]PATH") {
  const auto named = VaultSecret::parse("r.io=ci/reg", "secret", VaultEngine::kv2);
  CHECK(named.registry == "r.io");
  CHECK(named.path == "ci/reg");
  CHECK(VaultSecret::parse("ci/reg", "secret", VaultEngine::kv1).registry.empty());
  for (const char* text : {"", "/", "=x", "r.io="})
    CHECK_THROWS_AS(VaultSecret::parse(text, "secret", VaultEngine::kv2), Error);
}

TEST_CASE_FIXTURE(VaultFixture, "version 2 of the engine, with a token") {
  answers = {
      answer(R"({"data":{"data":{"username":"u","password":"p"},"metadata":{"version":1}}})")};
  access.name_space = "team";
  const auto found = read(kv2);
  REQUIRE(found.login);
  CHECK(found.login->key == "r.io");
  CHECK(found.login->password == "p");
  CHECK(found.login->source == "Vault secret/ci/my registry");
  CHECK(sent() == std::vector<std::string>{
                      "GET https://vault.example:8200/v1/secret/data/ci/my%20registry\n"
                      "X-Vault-Request: true\nX-Vault-Namespace: team\nX-Vault-Token: t0ken\n"});
}

TEST_CASE_FIXTURE(VaultFixture, "version 1 of the engine, and the secret says where it counts") {
  answers = {answer(R"({"data":{"username":"u","password":"p","registry":"own.io"}})")};
  const auto found = read({"", "kv/ci", "reg", VaultEngine::kv1});
  REQUIRE(found.login);
  CHECK(found.login->key == "own.io");
  CHECK(http.lines() == std::vector<std::string>{"GET https://vault.example:8200/v1/kv/ci/reg"});
}

TEST_CASE_FIXTURE(VaultFixture, "a whole configuration, as text or as itself") {
  for (const char* data : {R"({".dockerconfigjson":"{\"auths\":{\"r.io\":{\"auth\":\"dTpw\"}}}"})",
                           R"({".dockerconfigjson":{"auths":{"r.io":{"auth":"dTpw"}}}})",
                           R"({"config.json":"{\"r.io\":{\"auth\":\"dTpw\"}}"})"}) {
    answers = {answer(fmt::format(R"({{"data":{{"data":{}}}}})", data))};
    const auto found = read({"", "secret", "x", VaultEngine::kv2});
    REQUIRE(found.configs.size() == 1);
    CHECK(found.configs.front().find(ImageRef::parse("r.io/a"))->password == "p");
  }
}

TEST_CASE_FIXTURE(VaultFixture, "a service account or a job logs in first, once") {
  access.role = "builder";
  access.secret = "a.b.c";
  answers = {answer(R"({"auth":{"client_token":"hvs.1"}})"),
             answer(R"({"data":{"data":{"username":"u","password":"p"}}})"),
             answer(R"({"data":{"data":{"username":"u","password":"p"}}})")};
  std::string path;
  SUBCASE("Kubernetes") {
    access.login = VaultLogin::kubernetes;
    path = "kubernetes";
  }
  SUBCASE("a JSON Web Token") {
    access.login = VaultLogin::jwt;
    path = "jwt";
  }
  SUBCASE("mounted elsewhere") {
    access.login = VaultLogin::jwt;
    access.login_path = "gitlab/prod";
    path = "gitlab/prod";
  }
  Vault vault(http, access);
  vault.read(kv2);
  vault.read(kv2);
  REQUIRE(sent().size() == 3);
  CHECK(sent()[0] == "POST https://vault.example:8200/v1/auth/" + path +
                         "/login\nX-Vault-Request: true\nContent-Type: application/json\n\n"
                         R"({"role":"builder","jwt":"a.b.c"})");
  CHECK(sent()[1].ends_with("X-Vault-Token: hvs.1\n"));
}

TEST_CASE_FIXTURE(VaultFixture, "what Vault refuses is told without the token") {
  answers = {answer(R"({"errors":["t0ken is bad","permission denied"]})", 403)};
  const auto said = complaint([&] { read(kv2); });
  CHECK(said.starts_with("Vault secret/ci/my registry: GET "
                         "https://vault.example:8200/v1/secret/data/ci/my%20registry: 403"));
  CHECK(said.find("t0ken") == std::string::npos);
}

TEST_CASE_FIXTURE(VaultFixture, "answers that hold no credential are errors") {
  for (const char* body : {"{}", R"({"data":null})", R"({"data":{"data":{}}})", "[]", "x",
                           R"({"data":{"data":{"username":"u"}}})", R"({"data":{"data":[]}})"}) {
    CAPTURE(body);
    answers = {answer(body)};
    CHECK_FALSE(complaint([&] { read(kv2); }).empty());
  }
  answers = {answer(R"({"data":{"data":{"username":"u","password":"p"}}})")};
  CHECK(complaint([&] {
          read({"", "secret", "x", VaultEngine::kv2});
        }).find("it does not say for which registry it is") != std::string::npos);
}
