#include "creds/docker/helper_protocol.hpp"
#include "creds/docker/stored_logins.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>

using namespace cairn;

namespace {

class FakeBackend final : public HelperBackend {
public:
  std::optional<Credential> get(const std::string& server) override {
    asked = server;
    if (server == "broken")
      throw Error("the vault is sealed\n\x1b[31m");
    return found;
  }
  void store(const std::string& server, const Credential& credential) override {
    asked = server;
    found = credential;
  }
  void erase(const std::string& server) override { asked = "erase " + server; }
  std::map<std::string, std::string> list() override { return {{"https://r.io", "u"}}; }

  std::string asked;
  std::optional<Credential> found;
};

struct Helper {
  FakeBackend backend;

  HelperAnswer ask(const std::vector<std::string>& words, std::string_view input = "") {
    return serve_helper({"docker-credential-cairn", "1.2.3"}, words, input, backend);
  }

  void know(const char* user, const char* password) {
    backend.found.emplace();
    backend.found->username = user;
    backend.found->password = password;
  }
};

constexpr const char* usage = "Usage: docker-credential-cairn <store|get|erase|list|version>\n";

} // namespace

TEST_CASE_FIXTURE(Helper, "get answers with one line of JSON") {
  know("me", "p\"w");
  const HelperAnswer expected{0, "{\"ServerURL\":\"https://r.io\",\"Username\":\"me\","
                                 "\"Secret\":\"p\\\"w\"}\n"};
  CHECK(ask({"get"}, "https://r.io") == expected);
  CHECK(ask({"get"}, "  https://r.io\r\n") == expected);
  CHECK(backend.asked == "https://r.io");
}

TEST_CASE_FIXTURE(Helper, "an identity token has the user <token>") {
  know("", "");
  backend.found->identity_token = "refresh";
  CHECK(ask({"get"}, "r.io") ==
        HelperAnswer{0,
                     "{\"ServerURL\":\"r.io\",\"Username\":\"<token>\",\"Secret\":\"refresh\"}\n"});
}

TEST_CASE_FIXTURE(Helper, "errors are on stdout, with the words that clients compare") {
  CHECK(ask({"get"}, "r.io") == HelperAnswer{1, "credentials not found in native keychain\n"});
  CHECK(ask({"get"}, " \n") == HelperAnswer{1, "no credentials server URL\n"});
  CHECK(ask({"erase"}, "") == HelperAnswer{1, "no credentials server URL\n"});
  CHECK(ask({"store"}, R"({"ServerURL":"","Username":"u","Secret":"s"})") ==
        HelperAnswer{1, "no credentials server URL\n"});
  CHECK(ask({"store"}, R"({"ServerURL":"r.io","Username":"","Secret":"s"})") ==
        HelperAnswer{1, "no credentials username\n"});
  CHECK(ask({"get"}, "broken") == HelperAnswer{1, "the vault is sealed\\x0a\\x1b[31m\n"});
}

TEST_CASE_FIXTURE(Helper, "store keeps, erase forgets, list tells users") {
  CHECK(ask({"store"}, R"({"ServerURL":"https://r.io","Username":"u","Secret":"s"})") ==
        HelperAnswer{});
  CHECK(backend.found->password == "s");
  CHECK(ask({"store"}, R"({"ServerURL":"r.io","Username":"<token>","Secret":"t"})") ==
        HelperAnswer{});
  CHECK(backend.found->identity_token == "t");
  CHECK(ask({"erase"}, "https://r.io\n") == HelperAnswer{});
  CHECK(backend.asked == "erase https://r.io");
  CHECK(ask({"list"}, "unused") == HelperAnswer{0, "{\"https://r.io\":\"u\"}\n"});
}

TEST_CASE_FIXTURE(Helper, "what is no request says how it is done") {
  CHECK(ask({}) == HelperAnswer{1, usage});
  CHECK(ask({"get", "r.io"}) == HelperAnswer{1, usage});
  CHECK(ask({"--help"}) == HelperAnswer{0, usage});
  CHECK(ask({"-h"}) == HelperAnswer{0, usage});
  for (const char* word : {"version", "--version", "-v"})
    CHECK(ask({word}) == HelperAnswer{0, "docker-credential-cairn (cairn) 1.2.3\n"});
  CHECK(ask({"frob"}) == HelperAnswer{1, "docker-credential-cairn: unknown action: frob\n"});
}

TEST_CASE_FIXTURE(Helper, "hostile input is refused without being shown") {
  for (const char* input : {"", "hush", "[]", R"({"ServerURL":7})", R"({"Secret":["hush"]})"}) {
    CAPTURE(input);
    const auto answer = ask({"store"}, input);
    CHECK(answer.exit_status == 1);
    CHECK(answer.output.find("hush") == std::string::npos);
  }
}

TEST_CASE("servers are found however they are spelled") {
  struct Row {
    const char* server;
    const char* registry; ///< None: no name.
    const char* repository = "any";
  };
  for (const auto& row : {
           Row{"https://index.docker.io/v1/", "docker.io", "library/any"},
           Row{"docker.io", "docker.io", "library/any"},
           Row{"https://ghcr.io", "ghcr.io"},
           Row{"ghcr.io", "ghcr.io"},
           Row{"localhost", "localhost"},
           Row{"localhost:5000", "localhost:5000"},
           Row{"registry", "registry:443"},
           Row{"registry.example.com/team/app", "registry.example.com", "team/app"},
           Row{"", nullptr},
           Row{"https://", nullptr},
           Row{"a b", nullptr},
           Row{"r.io/UPPER", nullptr},
       }) {
    CAPTURE(row.server);
    const auto image = image_on_server(row.server);
    CHECK(image.has_value() == (row.registry != nullptr));
    if (image && row.registry != nullptr) {
      CHECK(image->registry() == row.registry);
      CHECK(image->repository() == row.repository);
    }
  }
}

TEST_CASE("stored logins are kept in a file that is ours alone") {
  const TempDir directory("/tmp");
  const StoredLogins logins(directory.path() + "/docker");
  CHECK_FALSE(logins.find("r.io"));
  CHECK(logins.list().empty());
  logins.erase("r.io");
  Credential credential;
  credential.username = "u";
  credential.password = "p";
  logins.put("https://index.docker.io/v1/", credential);
  credential.username = "<token>";
  credential.password = "";
  credential.identity_token = "refresh";
  logins.put("r.io", credential);
  struct stat status {};
  const auto path = directory.path() + "/docker/cairn-credentials.json";
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(logins.find("docker.io")->password == "p");
  CHECK(logins.find("https://r.io/v2/")->identity_token == "refresh");
  CHECK(logins.list() == std::map<std::string, std::string>{{"https://index.docker.io/v1/", "u"},
                                                            {"r.io", "<token>"}});
  logins.erase("r.io");
  CHECK_FALSE(logins.find("r.io"));
  CHECK_THROWS_AS(StoredLogins("").put("r.io", credential), Error);
}
