#include "creds/docker/config_merge.hpp"
#include "notes.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

struct Merging {
  Notes notes;
  ConfigMerge merge{notes};

  void add(const char* text, const char* source) { merge.add(DockerConfig::parse(text, source)); }
  std::string result() const { return merge.document().compact(); }
};

Credential login(const char* key, const char* user, const char* password, const char* source) {
  Credential made;
  made.key = key;
  made.username = user;
  made.password = password;
  made.source = source;
  return made;
}

} // namespace

TEST_CASE_FIXTURE(Merging, "everything that is no credential travels along") {
  add(R"({"auths":{"a.io":{"auth":"dTpw","identitytoken":"i","registrytoken":"r","email":"e"}},)"
      R"("credHelpers":{"b.io":"h"},"credsStore":"s","HttpHeaders":{"x":"y"},"proxies":{}})",
      "one");
  CHECK(result() == R"({"auths":{"a.io":{"auth":"dTpw","identitytoken":"i","registrytoken":"r",)"
                    R"("email":"e"}},"credHelpers":{"b.io":"h"},"HttpHeaders":{"x":"y"},)"
                    R"("credsStore":"s","proxies":{}})");
  CHECK(notes.others.empty());
}

TEST_CASE_FIXTURE(Merging,
                  "what comes later counts, key by key, and that is told without secrets") {
  add(R"({"auths":{"a.io":{"auth":"dTpodXNo"},"b.io":{"auth":"dTpodXNo"}}})", "one");
  merge.add(login("a.io", "me", "hush", "two"));
  CHECK(result() == R"({"auths":{"a.io":{"auth":"bWU6aHVzaA=="},"b.io":{"auth":"dTpodXNo"}}})");
  CHECK(notes.others == "a.io: user \"me\" of two counts instead of user \"u\" of one\n");
}

TEST_CASE_FIXTURE(Merging, "the same again is no news") {
  add(R"({"auths":{"a.io":{"auth":"dTpw"}},"credsStore":"s"})", "one");
  add(R"({"auths":{"https://A.io/v2/":{"auth":"dTpw"}},"credsStore":"s"})", "two");
  CHECK(result() == R"({"auths":{"a.io":{"auth":"dTpw"}},"credsStore":"s"})");
  CHECK(notes.others.empty());
}

TEST_CASE("keys are written as clients look for them") {
  struct Row {
    const char* key;
    const char* written;
  };
  for (const auto& row :
       {Row{"https://gcr.io", "gcr.io"}, Row{"https://GCR.io/v2/", "gcr.io"},
        Row{"docker.io", "https://index.docker.io/v1/"},
        Row{"index.docker.io/v1", "https://index.docker.io/v1/"},
        Row{"docker.io/acme", "docker.io/acme"}, Row{"r.io/Team/app", "r.io/Team/app"},
        Row{"https://r.io/some/login", "r.io"}, Row{" https://r.io /v2/ ", "r.io"},
        Row{"https://index.docker.io/v1/access-token", "https://index.docker.io/v1/access-token"},
        Row{"r.io:443", "r.io:443"}, Row{"localhost:5000", "localhost:5000"}}) {
    CAPTURE(row.key);
    CHECK(written_credential_key(row.key) == row.written);
  }
}

TEST_CASE_FIXTURE(Merging,
                  "user and password alone are written as auth, which every client reads") {
  add(R"({"auths":{"a.io":{"username":"u","password":"p"}}})", "one");
  CHECK(result() == R"({"auths":{"a.io":{"username":"u","password":"p","auth":"dTpw"}}})");
}

TEST_CASE_FIXTURE(Merging, "tokens are written as clients read them") {
  auto identity = login("a.io", "", "", "x");
  identity.identity_token = "refresh";
  merge.add(identity);
  auto bearer = login("b.io", "", "", "x");
  bearer.registry_token = "jwt";
  merge.add(bearer);
  CHECK(result() == R"({"auths":{"a.io":{"auth":"Og==","identitytoken":"refresh"},)"
                    R"("b.io":{"registrytoken":"jwt"}}})");
}

TEST_CASE_FIXTURE(Merging, "a helper and an entry for one registry: the later one is left") {
  add(R"({"auths":{"a.io":{"auth":"dTpw"}},"credHelpers":{"b.io":"h"}})", "one");
  merge.add_helper("a.io", "cairn", "--cloud");
  merge.add(login("b.io", "u", "p", "two"));
  CHECK(result() == R"({"auths":{"b.io":{"auth":"dTpw"}},"credHelpers":{"a.io":"cairn"}})");
  CHECK(notes.others ==
        "a.io: docker-credential-cairn of --cloud counts instead of user \"u\" of one\n"
        "b.io: user \"u\" of two counts instead of docker-credential-h of one\n");
}

TEST_CASE_FIXTURE(Merging, "an entry without a secret replaces none") {
  add(R"({"auths":{"a.io":{"auth":"dTpw"}}})", "one");
  add(R"({"auths":{"a.io":{}}})", "two");
  CHECK(result() == R"({"auths":{"a.io":{"auth":"dTpw"}}})");
  CHECK(merge.entries().size() == 1);
}

TEST_CASE_FIXTURE(Merging, "other members of a name: the later one, which is told") {
  add(R"({"credsStore":"a"})", "one");
  add(R"({"credsStore":"b"})", "two");
  CHECK(result() == R"({"auths":{},"credsStore":"b"})");
  CHECK(notes.others == "\"credsStore\" of two counts instead of that of one\n");
}

TEST_CASE_FIXTURE(Merging, "entries are named with source and user") {
  add(R"({"auths":{"a.io":{"auth":"dTpw"},"b.io":{"identitytoken":"i"}},"credsStore":"s"})", "one");
  std::string text;
  for (const auto& entry : merge.entries())
    text += entry.key + "|" + entry.source + "|" + entry.who + "\n";
  CHECK(text == "a.io|one|user \"u\"\nb.io|one|an identity token\n"
                "every registry|one|docker-credential-s\n");
}

TEST_CASE_FIXTURE(Merging,
                  "an entry that cannot be read is an error that names it, and shows nothing") {
  for (const char* text : {R"({"auths":{"a.io":{"auth":"hush%"}}})", R"({"auths":{"a.io":"hush"}})",
                           R"({"auths":{"a.io":{"auth":7}}})", R"({"credHelpers":{"a.io":7}})"}) {
    CAPTURE(text);
    try {
      add(text, "one");
      FAIL("it was taken");
    } catch (const Error& error) {
      const std::string said = error.what();
      CHECK(said.starts_with("one: "));
      CHECK(said.find("\"a.io\"") != std::string::npos);
      CHECK(said.find("hush") == std::string::npos);
    }
  }
}
