#include "creds/cloud/ecr.hpp"
#include "creds/collect.hpp"
#include "exchange.hpp"
#include "notes.hpp"
#include "util/crypto.hpp"

#include <sys/stat.h>

using namespace cairn;

namespace {

struct Collecting : CloudFixture {
  Notes notes;
  CredentialSources sources;
  CloudMinters providers;

  Collecting() {
    sources.target = at("out");
    sources.tekton = at("tekton");
    set("HOME=" + at("home"));
  }

  std::string at(const std::string& name) const { return directory.path() + "/" + name; }

  void put(const std::string& name, const std::string& text) const {
    const auto path = at(name);
    make_directories(path.substr(0, path.rfind('/')));
    file(name, text);
  }

  /// A config.json in which `password` opens r.io.
  static std::string config(const std::string& password) {
    return R"({"auths":{"r.io":{"auth":")" + base64_encode("u:" + password) + R"("}}})";
  }

  Json collected() {
    ConfigMerge merge(notes);
    collect_credentials(merge, sources, {http, providers, variables, notes});
    return merge.document();
  }

  std::string opens(const std::string& key) {
    const auto document = collected();
    const auto* entry = document.find("auths")->find(key);
    if (entry == nullptr)
      return "none";
    return parse_auth_entry(key, *entry, "x").password;
  }
};

} // namespace

TEST_CASE_FIXTURE(Collecting, "nothing anywhere is an empty configuration") {
  CHECK(collected().compact() == R"({"auths":{}})");
}

TEST_CASE_FIXTURE(Collecting, "each source counts more than those before it") {
  // In the order of docs/credentials.md: one more is added each time, and must win.
  const std::vector<std::pair<const char*, std::function<void()>>> order = {
      {"target", [&] { put("out/config.json", config("target")); }},
      {"docker-config",
       [&] {
         put("docker/config.json", config("docker-config"));
         set("DOCKER_CONFIG=" + at("docker"));
       }},
      {"home", [&] { put("home/.docker/config.json", config("home")); }},
      {"xdg",
       [&] {
         put("run/containers/auth.json", config("xdg"));
         set("XDG_RUNTIME_DIR=" + at("run"));
       }},
      {"auth-file",
       [&] {
         put("auth.json", config("auth-file"));
         set("REGISTRY_AUTH_FILE=" + at("auth.json"));
       }},
      {"tekton-home", [&] { put("tekton/home/.docker/config.json", config("tekton-home")); }},
      {"creds-init", [&] { put("tekton/creds/.docker/config.json", config("creds-init")); }},
      {"secret", [&] { put("tekton/creds-secrets/a/.dockerconfigjson", config("secret")); }},
      {"secret-b", [&] { put("tekton/creds-secrets/b/.dockerconfigjson", config("secret-b")); }},
      {"text", [&] { set("DOCKER_AUTH_CONFIG=" + config("text")); }},
      {"deploy",
       [&] {
         set("CI_REGISTRY=r.io");
         set("CI_DEPLOY_USER=u");
         set("CI_DEPLOY_PASSWORD=deploy");
       }},
      {"job",
       [&] {
         set("CI_REGISTRY_USER=u");
         set("CI_REGISTRY_PASSWORD=job");
       }},
      {"proxy",
       [&] {
         set("CI_DEPENDENCY_PROXY_SERVER=r.io:443");
         set("CI_DEPENDENCY_PROXY_USER=u");
         set("CI_DEPENDENCY_PROXY_PASSWORD=proxy");
       }},
      {"kaniko",
       [&] {
         set("KANIKO_R_IO_USER=u");
         set("KANIKO_R_IO_PASSWORD=kaniko");
       }},
      {"directory",
       [&] {
         put("volume/config.json", config("directory"));
         sources.directories.push_back(at("volume"));
       }},
      {"directory-2",
       [&] {
         put("volume2/username", "u");
         put("volume2/password", "directory-2");
         put("volume2/registry", "r.io\n");
         sources.directories.push_back(at("volume2"));
       }},
      {"vault",
       [&] {
         sources.vault = {{"r.io", "secret", "ci", VaultEngine::kv2}};
         sources.vault_access.address = "https://vault.example";
         sources.vault_access.secret = "t0ken";
       }},
      {"flag",
       [&] {
         Credential login;
         login.key = "r.io";
         login.username = "u";
         login.password = "flag";
         login.source = "--registry";
         sources.logins.push_back(login);
       }},
  };
  std::string before;
  for (const auto& step : order) {
    const auto* const name = step.first;
    CAPTURE(name);
    step.second();
    answers = {answer(R"({"data":{"data":{"username":"u","password":"vault"}}})")};
    notes.others.clear();
    CHECK(opens("r.io") == name);
    if (!before.empty())
      CHECK(notes.others.find(" counts instead of user \"u\" of ") != std::string::npos);
    before = name;
  }
}

TEST_CASE_FIXTURE(Collecting, "a mounted Secret may have any of its forms") {
  sources.directories = {at("secret")};
  SUBCASE("kubernetes.io/dockerconfigjson") {
    put("secret/.dockerconfigjson", config("p"));
  }
  SUBCASE("with the key renamed") {
    put("secret/config.json", config("p"));
  }
  SUBCASE("kubernetes.io/dockercfg, a bare map") {
    put("secret/.dockercfg", R"({"r.io":{"auth":")" + base64_encode("u:p") + R"("}})");
  }
  SUBCASE("kubernetes.io/basic-auth and where it counts") {
    put("secret/username", "u\n");
    put("secret/password", "p\r\n");
    put("secret/server", "https://r.io\n");
  }
  SUBCASE("two forms, the newer one counting") {
    put("secret/.dockercfg", R"({"r.io":{"auth":")" + base64_encode("u:old") + R"("}})");
    put("secret/config.json", config("p"));
  }
  CHECK(opens("r.io") == "p");
}

TEST_CASE_FIXTURE(Collecting, "an old .dockercfg may name a registry without a dot") {
  sources.directories = {at("secret")};
  put("secret/.dockercfg", R"({"registry":{"auth":"dTpw"}})");
  CHECK(opens("registry") == "p");
}

TEST_CASE_FIXTURE(Collecting, "blanks inside of a password are part of it") {
  sources.directories = {at("secret")};
  put("secret/username", "u");
  put("secret/password", " p w \n\n");
  put("secret/registry", "r.io");
  CHECK(opens("r.io") == " p w \n");
}

TEST_CASE_FIXTURE(Collecting, "directories that do not help are errors that say what to do") {
  sources.directories = {at("secret")};
  CHECK(complaint([&] { collected(); }).find("there is no directory") != std::string::npos);
  put("secret/other", "x");
  CHECK(complaint([&] { collected(); }).find("looked for: config.json, .dockerconfigjson") !=
        std::string::npos);
  put("secret/username", "u");
  put("secret/password", "hush");
  const auto said = complaint([&] { collected(); });
  CHECK(said.find("--registry=HOST --username-file=" + at("secret") + "/username") !=
        std::string::npos);
  CHECK(said.find("hush") == std::string::npos);
  put("secret/config.json", "{hush");
  const auto broken = complaint([&] { collected(); });
  CHECK(broken.starts_with(at("secret") + "/config.json: JSON: "));
  CHECK(broken.find("hush") == std::string::npos);
  sources.directories = {""};
  CHECK(collected().compact() == R"({"auths":{}})");
}

TEST_CASE_FIXTURE(Collecting, "Tekton's own merge loses members that its Secrets have") {
  put("tekton/creds/.docker/config.json",
      R"({"auths":{"r.io":{"username":"u","password":"p","auth":"dTpw","email":"not@val.id"}}})");
  put("tekton/creds-secrets/reg/.dockerconfigjson",
      R"({"auths":{"r.io":{"auth":"dTo=","identitytoken":"i"}},"credHelpers":{"x.io":"h"}})");
  // A Secret of type basic-auth says its registry in an annotation, which no mount shows.
  put("tekton/creds-secrets/basic/username", "u");
  put("tekton/creds-secrets/basic/password", "p");
  CHECK(collected().compact() == R"({"auths":{"r.io":{"auth":"dTo=","identitytoken":"i"}},)"
                                 R"("credHelpers":{"x.io":"h"}})");
}

TEST_CASE_FIXTURE(Collecting, "the dependency proxy is filed with and without its port") {
  set("CI_DEPENDENCY_PROXY_SERVER=gitlab.example.com:443");
  set("CI_DEPENDENCY_PROXY_USER=u");
  set("CI_DEPENDENCY_PROXY_PASSWORD=p");
  CHECK(opens("gitlab.example.com:443") == "p");
  CHECK(opens("gitlab.example.com") == "p");
}

TEST_CASE_FIXTURE(Collecting, "a proxy on another port is filed under that alone") {
  set("CI_DEPENDENCY_PROXY_SERVER=gitlab.example.com:8443");
  set("CI_DEPENDENCY_PROXY_USER=u");
  set("CI_DEPENDENCY_PROXY_PASSWORD=p");
  CHECK(opens("gitlab.example.com:8443") == "p");
  CHECK(opens("gitlab.example.com") == "none");
}

TEST_CASE_FIXTURE(Collecting, "half a credential is none") {
  set("CI_REGISTRY=r.io");
  set("CI_REGISTRY_USER=u");
  set("KANIKO_R_IO_USER=u");
  CHECK(collected().compact() == R"({"auths":{}})");
}

TEST_CASE_FIXTURE(Collecting, "kaniko's variables are filed under the registry that they mean") {
  set("KANIKO_MY_REG_EXAMPLE_COM_USER=u");
  set("KANIKO_MY_REG_EXAMPLE_COM_PASSWORD=p");
  SUBCASE("a guess") {
    CHECK(opens("my.reg.example.com") == "p");
    CHECK(notes.others == "KANIKO_MY_REG_EXAMPLE_COM_USER: taken for the registry "
                          "my.reg.example.com; --for says if it is another\n");
  }
  SUBCASE("that of --for") {
    sources.registries = {"my-reg.example.com"};
    CHECK(opens("my-reg.example.com") == "p");
    CHECK(opens("my.reg.example.com") == "none");
    CHECK(notes.others.empty());
  }
  SUBCASE("that of --for below the domain, with a port") {
    sources.registries = {"deep.my-reg.example.com:5000"};
    CHECK(opens("deep.my-reg.example.com:5000") == "p");
  }
  SUBCASE("one that has its name from elsewhere") {
    set("CI_REGISTRY=my-reg.example.com");
    set("CI_REGISTRY_USER=u");
    set("CI_REGISTRY_PASSWORD=ci");
    CHECK(opens("my-reg.example.com") == "p");
    CHECK(opens("my.reg.example.com") == "none");
  }
}

TEST_CASE_FIXTURE(Collecting, "flags alone, if that is wanted") {
  set("DOCKER_AUTH_CONFIG=" + config("text"));
  put("tekton/creds/.docker/config.json", config("tekton"));
  put("out/config.json", config("target"));
  sources.found = FoundSources::ignore;
  CHECK(opens("r.io") == "target");
}

TEST_CASE_FIXTURE(Collecting,
                  "registries of clouds are left to the helper, or their token is fetched") {
  const std::string host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
  set("AWS_ACCESS_KEY_ID=a");
  set("AWS_SECRET_ACCESS_KEY=s");
  providers.push_back(make_ecr_token_provider(services()));
  SUBCASE("left to the helper") {
    sources.helped = {host};
    CHECK(collected().compact() == R"({"auths":{},"credHelpers":{")" + host + R"(":"cairn"}})");
    CHECK(sent().empty());
  }
  SUBCASE("fetched") {
    answers = {answer(R"({"authorizationData":[{"authorizationToken":")" + base64_encode("AWS:p") +
                      R"("}]})")};
    sources.minted = {host};
    CHECK(opens(host) == "p");
  }
  SUBCASE("no cloud's") {
    sources.helped = {"r.io"};
    CHECK(complaint([&] { collected(); }) ==
          "--cloud=r.io: no registry of Amazon, Google or Azure\n");
  }
}
