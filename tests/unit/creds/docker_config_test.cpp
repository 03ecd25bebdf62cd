#include "creds/docker/docker_config.hpp"
#include "util/crypto.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

DockerConfig config(std::string_view text) {
  return DockerConfig::parse(text, "config.json");
}

/// A configuration with one entry: its key, and a password that says which it is.
std::string entry(const std::string& key, const std::string& password) {
  return "\"" + key + R"(": {"username": "u", "password": ")" + password + "\"}";
}

std::string password_for(const DockerConfig& from, const char* ref) {
  const auto found = from.find(ImageRef::parse(ref));
  return found ? found->password : "none";
}

struct Folder {
  TempDir directory{"/tmp"};

  void put(const std::string& name, const std::string& text) const {
    const auto path = directory.path() + "/" + name;
    make_directories(path.substr(0, path.rfind('/')));
    AtomicFile file(path);
    file.write(text);
    file.commit();
  }
  void put_auth(const std::string& name, const std::string& password) const {
    put(name, "{\"auths\": {" + entry("a.example", password) + "}}");
  }
  std::string at(const std::string& name) const { return directory.path() + "/" + name; }
};

std::string first_password(const std::vector<DockerConfig>& configs) {
  return configs.empty() ? "none" : password_for(configs.front(), "a.example/x");
}

} // namespace

TEST_CASE("a key is found however it is written") {
  struct Row {
    const char* key;
    const char* ref;
    bool found;
    const char* because;
  };
  for (const auto& row : {
           Row{"ghcr.io", "ghcr.io/a/b:1", true, "the host"},
           Row{"GHCR.io", "ghcr.io/a/b", true, "hosts have no case"},
           Row{"https://ghcr.io", "ghcr.io/a/b", true, "a scheme"},
           Row{"https://ghcr.io/v2/", "ghcr.io/a/b", true, "the API's path"},
           Row{"http://ghcr.io/v1", "ghcr.io/a/b", true, "its older one"},
           Row{"ghcr.io:443", "ghcr.io/a/b", true, "the usual port"},
           Row{"ghcr.io", "ghcr.io:443/a/b", true, "the usual port in the reference"},
           Row{"ghcr.io:5000", "ghcr.io/a/b", false, "another port"},
           Row{"ghcr.io/a", "ghcr.io/a/b", true, "a path above"},
           Row{"ghcr.io/a/b",
               "ghcr.io/a/"
               "b@sha256:0123456789012345678901234567890123456789012345678901234567890123",
               true, "the repository"},
           Row{"ghcr.io/a/b/c", "ghcr.io/a/b", false, "a path below"},
           Row{"ghcr.io/a", "ghcr.io/ab", false, "components are whole"},
           Row{"io", "ghcr.io/a", false, "labels are not split"},
           Row{"https://ghcr.io/some/login", "ghcr.io/a/b", true, "Docker takes the host of a URL"},
           Row{"ghcr.io/some/login", "ghcr.io/a/b", false, "without a scheme it is a path"},
           Row{"https://index.docker.io/v1/", "busybox", true, "Docker Hub's key"},
           Row{"index.docker.io", "docker.io/a/b", true, "its index"},
           Row{"docker.io", "index.docker.io/a/b", true, "its short name"},
           Row{"registry-1.docker.io", "busybox", true, "its endpoint"},
           Row{"docker.io/library", "busybox", true, "a path of Docker Hub"},
           Row{"https://index.docker.io/v1/access-token", "busybox", false,
               "what Docker Desktop files there"},
           Row{"hub.docker.com", "busybox", false, "the web site"},
       }) {
    CAPTURE(row.key);
    CAPTURE(row.ref);
    CAPTURE(row.because);
    const auto file = config("{\"auths\": {" + entry(row.key, "p") + "}}");
    CHECK(file.find(ImageRef::parse(row.ref)).has_value() == row.found);
    if (row.found)
      CHECK(file.find(ImageRef::parse(row.ref))->key == row.key);
  }
}

TEST_CASE("the longest path wins") {
  const auto file =
      config("{\"auths\": {" + entry("r.io", "host") + "," + entry("r.io/a/b", "long") + "," +
             entry("https://r.io/v2/", "url") + "," + entry("r.io/a", "short") + "}}");
  CHECK(password_for(file, "r.io/a/b/c") == "long");
  CHECK(password_for(file, "r.io/a/b") == "long");
  CHECK(password_for(file, "r.io/a/x") == "short");
  CHECK(password_for(file, "r.io/x") == "host");
}

TEST_CASE("entries say who in several ways") {
  const auto one = [](const std::string& body) {
    return config("{\"auths\": {\"r.io\": " + body + "}}").find(ImageRef::parse("r.io/a"));
  };
  SUBCASE("auth is base64 of user and password, which may hold colons") {
    const auto found = one(R"({"auth": ")" + base64_encode("me:pa:ss") + "\"}");
    REQUIRE(found);
    CHECK(found->username == "me");
    CHECK(found->password == "pa:ss");
  }
  SUBCASE("auth beats username and password, NUL bytes at its end do not count") {
    const auto found = one(R"({"username": "x", "password": "y", "auth": ")" +
                           base64_encode(std::string("me:pw\0\0", 7)) + "\"}");
    REQUIRE(found);
    CHECK(found->password == "pw");
  }
  SUBCASE("an identity token") {
    const auto found = one(R"({"auth": "bWU6", "identitytoken": "refresh"})");
    REQUIRE(found);
    CHECK(found->identity_token == "refresh");
    CHECK(found->username == "me");
  }
  SUBCASE("a registry token") {
    CHECK(one(R"({"registrytoken": "jwt"})")->registry_token == "jwt");
  }
  SUBCASE("an entry without a secret is none") {
    CHECK_FALSE(one("{}"));
    CHECK_FALSE(one(R"({"auth": "", "email": "x@y"})"));
    CHECK_FALSE(one("null"));
  }
}

TEST_CASE("an entry that cannot be read matters to its registry alone") {
  const auto file =
      config(R"({"auths": {"bad.io": {"auth": "%%%"}, "worse.io": {"auth": "bm9jb2xvbg=="}, )" +
             entry("good.io", "p") + "}}");
  CHECK(password_for(file, "good.io/x") == "p");
  CHECK_THROWS_WITH(file.find(ImageRef::parse("bad.io/x")),
                    "config.json: auths: \"bad.io\": \"auth\" is not base64");
  CHECK_THROWS_WITH(file.find(ImageRef::parse("worse.io/x")),
                    doctest::Contains("does not hold \"user:password\""));
}

TEST_CASE("a credential is shown by its key and its place") {
  const auto file = config("{\"auths\": {" + entry("ghcr.io/acme", "hidden") + "}}");
  CHECK(file.find(ImageRef::parse("ghcr.io/acme/app"))->describe() ==
        "credential \"ghcr.io/acme\" of config.json");
}

TEST_CASE("a helper for the registry beats the one for all") {
  const auto file = config(R"({"credsStore": "desktop", "credHelpers":
      {"gcr.io": "gcr", "https://index.docker.io/v1/": "hub", "r.io/team": "team", "none.io": ""}})");
  CHECK(file.helper(ImageRef::parse("gcr.io/x")) == "gcr");
  CHECK(file.helper(ImageRef::parse("busybox")) == "hub");
  CHECK(file.helper(ImageRef::parse("r.io/team/app")) == "team");
  CHECK(file.helper(ImageRef::parse("r.io/other")) == "desktop");
  CHECK(file.helper(ImageRef::parse("none.io/x")) == "desktop");
  CHECK_FALSE(config("{}").helper(ImageRef::parse("gcr.io/x")));
}

TEST_CASE("helpers know Docker Hub by its old address") {
  CHECK(helper_server(ImageRef::parse("busybox")) == "https://index.docker.io/v1/");
  CHECK(helper_server(ImageRef::parse("ghcr.io/a/b")) == "ghcr.io");
}

TEST_CASE("what is no configuration is refused without being shown") {
  for (const char* text : {"", "[]", "\"x\"", "{\"auths\": []}", "{\"credHelpers\": \"x\"}", "{"}) {
    CAPTURE(text);
    CHECK_THROWS_AS(config(text), Error);
  }
}

TEST_CASE("unknown members are kept") {
  const auto file =
      config(R"({"proxies": {"default": {}}, "auths": {}, "HttpHeaders": {"a": "b"}})");
  CHECK(file.document().compact() ==
        R"({"proxies":{"default":{}},"auths":{},"HttpHeaders":{"a":"b"}})");
}

TEST_CASE("a bare map of registries is taken as auths") {
  CHECK(password_for(config("{" + entry("a.example", "old") + "}"), "a.example/x") == "old");
  CHECK(password_for(config("{" + entry("https://index.docker.io/v1/", "old") + "}"), "busybox") ==
        "old");
}

TEST_CASE_FIXTURE(Folder, "the first place that has a file counts") {
  const CredentialPlaces places{.auth_config_text = "",
                                .docker_config = "",
                                .home = at("home"),
                                .registry_auth_file = at("registry.json"),
                                .xdg_runtime_dir = at("run")};
  CHECK(load_docker_configs(places).empty());
  put_auth("run/containers/auth.json", "xdg");
  CHECK(first_password(load_docker_configs(places)) == "xdg");
  put_auth("registry.json", "registry");
  CHECK(first_password(load_docker_configs(places)) == "registry");
  put_auth("home/.docker/config.json", "home");
  CHECK(first_password(load_docker_configs(places)) == "home");
}

TEST_CASE_FIXTURE(Folder, "DOCKER_CONFIG replaces the folder in HOME") {
  put_auth("home/.docker/config.json", "home");
  put_auth("docker/config.json", "docker");
  const auto in = [&](const char* folder) {
    return load_docker_configs({.auth_config_text = "",
                                .docker_config = at(folder),
                                .home = at("home"),
                                .registry_auth_file = "",
                                .xdg_runtime_dir = ""});
  };
  CHECK(first_password(in("docker")) == "docker");
  CHECK(in("missing").empty());
}

TEST_CASE_FIXTURE(Folder, "a mounted Secret may keep its own file name") {
  put_auth("secret/.dockerconfigjson", "secret");
  CredentialPlaces places;
  places.docker_config = at("secret");
  const auto configs = load_docker_configs(places);
  CHECK(first_password(configs) == "secret");
  CHECK(configs.front().source() == at("secret/.dockerconfigjson"));
}

TEST_CASE_FIXTURE(Folder,
                  "DOCKER_AUTH_CONFIG comes before the file, which keeps what it does not name") {
  put("docker/config.json",
      "{\"auths\": {" + entry("a.example", "file") + "," + entry("b.example", "file") + "}}");
  CredentialPlaces places;
  places.auth_config_text = "{\"auths\": {" + entry("a.example", "text") + "}}";
  places.docker_config = at("docker");
  const auto configs = load_docker_configs(places);
  REQUIRE(configs.size() == 2);
  CHECK(password_for(configs[0], "a.example/x") == "text");
  CHECK(password_for(configs[1], "b.example/x") == "file");
}

TEST_CASE_FIXTURE(Folder,
                  "an empty file is an empty configuration, a broken one an error that names it") {
  CredentialPlaces places;
  places.docker_config = at("docker");
  put("docker/config.json", "\n");
  CHECK(load_docker_configs(places).size() == 1);
  put("docker/config.json", "{oops");
  CHECK_THROWS_WITH_AS(load_docker_configs(places),
                       doctest::Contains(at("docker/config.json").c_str()), Error);
}
