#include "apps/creds/actions.hpp"
#include "apps/creds/parse_command.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

using namespace cairn;

namespace {

struct CredsLine {
  TempDir directory{"/tmp"};
  std::vector<std::string> entries{"DOCKER_CONFIG=/registry/docker/", "HUB_USER=bob",
                                   "HUB_TOKEN=hush", "EMPTY="};

  template<class Command = InjectCommand>
  Command parse(const std::vector<std::string>& words) const {
    return std::get<Command>(parse_creds(words, ProcessEnvironment(entries)));
  }

  std::string refusal(const std::vector<std::string>& words) const {
    try {
      parse_creds(words, ProcessEnvironment(entries));
    } catch (const Error& error) {
      return std::string(error.what()) + "\n" + error.detail();
    }
    return "taken";
  }

  std::string file(const std::string& name, const std::string& text) const {
    auto path = directory.path() + "/" + name;
    AtomicFile out(path, 0600);
    out.write(text);
    out.commit();
    return path;
  }
};

} // namespace

TEST_CASE_FIXTURE(CredsLine, "inject without flags writes to DOCKER_CONFIG") {
  const auto command = parse({"inject"});
  CHECK(command.folder.path == "/registry/docker");
  CHECK(command.sources.target == "/registry/docker");
  CHECK(command.folder.disk == DiskRule::warn);
  CHECK_FALSE(command.folder.owner);
  CHECK(command.sources.found == FoundSources::use);
  CHECK(command.print == PrintEnvironment::no);
}

TEST_CASE_FIXTURE(CredsLine, "a home directory is never meant by itself") {
  entries = {"HOME=/home/me"};
  for (const char* word : {"inject", "erase", "print-env"})
    CHECK(refusal({word}) == "say where with --dir; DOCKER_CONFIG is not set\n");
  CHECK(parse<EraseCommand>({"erase", "--dir=/d"}).directory == "/d");
}

TEST_CASE_FIXTURE(CredsLine, "logins are made of the flags behind --registry") {
  const auto command = parse({"inject", "--registry", "docker.io", "--username-env=HUB_USER",
                              "--password-env=HUB_TOKEN", "--registry=r.io", "--username=me",
                              "--password-file=" + file("password", "p w \n"), "--registry=x.io",
                              "--username-file=" + file("user", "you\r\n"),
                              "--password-file=" + file("password2", "q")});
  std::string text;
  for (const auto& login : command.sources.logins)
    text += login.key + " " + login.username + " " + login.password + "|";
  CHECK(text == "docker.io bob hush|r.io me p w |x.io you q|");
}

TEST_CASE_FIXTURE(CredsLine, "logins that cannot be are refused, without their secrets") {
  CHECK(refusal({"inject", "--username=me"}) ==
        "--username: it follows the --registry that it is for\n");
  CHECK(refusal({"inject", "--registry=r.io", "--username=me"})
            .starts_with("--registry=r.io: it lacks a password\nhint: "));
  CHECK(refusal({"inject", "--registry=r.io", "--password-env=HUB_TOKEN"})
            .starts_with("--registry=r.io: it lacks a user\n"));
  CHECK(refusal({"inject", "--registry=r.io", "--password-env=NONE"}) ==
        "--password-env: the variable 'NONE' is not set\n");
  CHECK(refusal({"inject", "--registry=r.io", "--password-env=EMPTY"}) ==
        "--password-env: the variable 'EMPTY' is not set\n");
  CHECK(refusal({"inject", "--registry=r.io", "--password-file=/none"})
            .starts_with("--password-file: open '/none': "));
  CHECK(refusal({"inject", "--registry="}) == "--registry: it needs the name of a registry\n");
  CHECK(refusal({"inject", "--password=hush"}).starts_with("unknown flag: --password"));
  CHECK(refusal({"inject", "--password=hush"}).find("hush") == std::string::npos);
}

TEST_CASE_FIXTURE(CredsLine, "sources, place and owner come from flags") {
  const auto command = parse(
      {"inject", "--dir=rel/./d", "--from-dir=/a", "--from-dir=", "--only-flags", "--for=r.io",
       "--tekton-dir=/t", "--cloud=public.ecr.aws", "--mint=gcr.io", "--chown=1000",
       "--require-memory", "--print-env", "--auth-file=/run/auth.json", "-v=warn"});
  CHECK(command.folder.path.starts_with("/"));
  CHECK(command.folder.path.ends_with("/rel/d"));
  CHECK(command.sources.directories == std::vector<std::string>{"/a", ""});
  CHECK(command.sources.found == FoundSources::ignore);
  CHECK(command.sources.registries == std::vector<std::string>{"r.io"});
  CHECK(command.sources.tekton == "/t");
  CHECK(command.sources.helped == std::vector<std::string>{"public.ecr.aws"});
  CHECK(command.sources.minted == std::vector<std::string>{"gcr.io"});
  REQUIRE(command.folder.owner);
  CHECK(command.folder.owner->uid == 1000);
  CHECK(command.folder.owner->gid == 1000);
  CHECK(command.folder.disk == DiskRule::refuse);
  CHECK(command.print == PrintEnvironment::yes);
  CHECK(command.auth_file == "/run/auth.json");
  CHECK(command.log.verbosity == Verbosity::warn);
  CHECK(parse({"inject", "--chown=1:2"}).folder.owner->gid == 2);
  CHECK(parse({"inject", "--allow-disk"}).folder.disk == DiskRule::allow);
  for (const char* owner : {"me", "-1", "1:", ":1", "4294967295", ""})
    CHECK(refusal({"inject", "--chown", owner}).starts_with("--chown: '"));
}

TEST_CASE_FIXTURE(CredsLine, "Vault is reached as the environment says") {
  entries.emplace_back("VAULT_ADDR=https://vault");
  entries.emplace_back("VAULT_NAMESPACE=team");
  SUBCASE("with a token") {
    entries.emplace_back("VAULT_TOKEN=t");
    const auto sources =
        parse({"inject", "--vault=r.io=ci/reg", "--vault-kv=1", "--vault-mount=kv"}).sources;
    REQUIRE(sources.vault.size() == 1);
    CHECK(sources.vault.front().registry == "r.io");
    CHECK(sources.vault.front().mount == "kv");
    CHECK(sources.vault.front().engine == VaultEngine::kv1);
    CHECK(sources.vault_access.login == VaultLogin::token);
    CHECK(sources.vault_access.secret == "t");
    CHECK(sources.vault_access.name_space == "team");
  }
  SUBCASE("with a job's token") {
    entries.emplace_back("VAULT_ID_TOKEN=jwt");
    const auto access = parse({"inject", "--vault=ci/reg", "--vault-role=b"}).sources.vault_access;
    CHECK(access.login == VaultLogin::jwt);
    CHECK(access.secret == "jwt");
    CHECK(access.role == "b");
  }
  SUBCASE("as a service account") {
    const auto access = parse({"inject", "--vault=ci/reg", "--vault-role=b",
                               "--vault-auth-path=k8s/a", "--vault-jwt-file=" + file("t", "sa\n")})
                            .sources.vault_access;
    CHECK(access.login == VaultLogin::kubernetes);
    CHECK(access.secret == "sa");
    CHECK(access.login_path == "k8s/a");
  }
  SUBCASE("with a file") {
    const auto access =
        parse({"inject", "--vault=ci/reg", "--vault-token-file=" + file("t", "tok\n")})
            .sources.vault_access;
    CHECK(access.secret == "tok");
  }
  SUBCASE("refusals") {
    CHECK(refusal({"inject", "--vault=ci/reg"}).starts_with("--vault: there is no token\nhint: "));
    CHECK(refusal({"inject", "--vault=ci/reg", "--vault-auth=jwt"}) ==
          "--vault-role: needed for that login\n");
    CHECK(refusal({"inject", "--vault=ci/reg", "--vault-auth=jwt", "--vault-role=b"}) ==
          "--vault-jwt-env: the variable 'VAULT_ID_TOKEN' is not set\n");
    CHECK(refusal({"inject", "--vault-kv=3"}) == "--vault-kv: '3' is neither 1 nor 2\n");
    CHECK(refusal({"inject", "--vault-auth=x"}) ==
          "--vault-auth: 'x' is none of token, kubernetes, jwt\n");
    CHECK(refusal({"inject", "--vault=r.io="}) == "--vault: 'r.io=' is not [REGISTRY=]PATH\n");
    entries = {"DOCKER_CONFIG=/d"};
    CHECK(refusal({"inject", "--vault=x"}) == "--vault: VAULT_ADDR does not say where Vault is\n");
  }
}

TEST_CASE_FIXTURE(CredsLine, "check wants images") {
  const auto command =
      parse<CheckCommand>({"check", "--push", "--insecure-registry=a", "--credential-helpers=ecr",
                           "--dir=/d", "r.io/a:1", "busybox"});
  CHECK(command.destinations.size() == 2);
  CHECK(command.depth == CheckDepth::push);
  CHECK(command.registry.options.insecure_registries.count("a") == 1);
  CHECK(command.registry.asked_helpers() == std::vector{CredentialHelper::ecr});
  CHECK(command.directory == "/d");
  CHECK(parse<CheckCommand>({"check", "x"}).registry.asked_helpers() == all_credential_helpers());
  CHECK(refusal({"check"}) == "check: name the images that are to be pushed\n");
  CHECK(refusal({"check", "r.io/UPPER"}) != "taken");
}

TEST_CASE_FIXTURE(CredsLine, "other words") {
  CHECK(parse<HelperCommand>({"credential-helper", "get"}).words ==
        std::vector<std::string>{"get"});
  CHECK(parse<TextCommand>({"version"}).text.starts_with("Cairn version"));
  CHECK(parse<TextCommand>({"help"}).text.find("cairn-creds inject") != std::string::npos);
  CHECK(parse<TextCommand>({"inject", "-h"}).text.find("--from-dir") != std::string::npos);
  CHECK(refusal({}).starts_with("say what to do\n"));
  CHECK(refusal({"injekt"}).starts_with("unknown command 'injekt' (did you mean inject?)\n"));
  CHECK(refusal({"inject", "hush"}) == "inject: what is 'hush'?\n");
}

TEST_CASE("the lines of an environment are what a shell reads") {
  CHECK(environment_lines("/registry/docker") ==
        "DOCKER_CONFIG=/registry/docker\nREGISTRY_AUTH_FILE=/registry/docker/config.json\n");
  CHECK(environment_lines("/it's $HOME").starts_with("DOCKER_CONFIG='/it'\\''s $HOME'\n"));
}
