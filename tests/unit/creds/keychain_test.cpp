#include "creds/docker/keychain.hpp"
#include "notes.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

using namespace cairn;

namespace {

/// A folder of credential helpers written in shell.
struct Helpers {
  // As every program does: some helpers end without reading what they are asked.
  Helpers() { std::signal(SIGPIPE, SIG_IGN); }

  TempDir directory{"/tmp"};
  Notes notes;

  HelperEnvironment environment() const { return {directory.path() + ":/usr/bin:/bin", {}}; }

  void add(const std::string& name, const std::string& script) const {
    const auto path = directory.path() + "/docker-credential-" + name;
    AtomicFile file(path, 0755);
    file.write("#!/bin/sh\n" + script + "\n");
    file.commit();
    ::chmod(path.c_str(), 0755);
  }

  std::optional<Credential> ask(const std::string& name) const {
    return ask_helper(name, "r.io", environment());
  }

  std::unique_ptr<Keychain> keychain(const char* text) {
    std::vector<DockerConfig> configs;
    configs.push_back(DockerConfig::parse(text, "config.json"));
    return make_docker_keychain(std::move(configs), environment(), notes);
  }
};

std::string password_for(Keychain& keychain, const char* ref) {
  const auto found = keychain.find(ImageRef::parse(ref));
  return found ? found->password : "none";
}

} // namespace

TEST_CASE_FIXTURE(Helpers, "a helper gets the server on stdin and answers with JSON") {
  add("good",
      R"(read -r server; [ "$1" = get ] && echo "{\"ServerURL\":\"$server\",\"Username\":\"u\",\"Secret\":\"for $server\"}")");
  const auto found = ask("good");
  REQUIRE(found);
  CHECK(found->username == "u");
  CHECK(found->password == "for r.io");
  CHECK(found->describe() == "credential \"r.io\" of docker-credential-good");
}

TEST_CASE_FIXTURE(Helpers, "the user <token> stands for an identity token") {
  add("token", R"(echo '{"ServerURL":"r.io","Username":"<token>","Secret":"refresh"}')");
  const auto found = ask("token");
  REQUIRE(found);
  CHECK(found->identity_token == "refresh");
  CHECK(found->password.empty());
}

TEST_CASE_FIXTURE(Helpers, "a helper that knows nothing is no error") {
  add("none", "echo 'credentials not found in native keychain'; exit 1");
  CHECK_FALSE(ask("none"));
  add("stderr", "echo 'credentials not found in native keychain' >&2; exit 1");
  CHECK_FALSE(ask("stderr"));
  add("empty", R"(echo '{"Username":"","Secret":""}')");
  CHECK_FALSE(ask("empty"));
}

TEST_CASE_FIXTURE(Helpers, "a helper that fails is named with what it said") {
  add("sealed", "echo 'the vault is sealed'; exit 3");
  CHECK_THROWS_WITH_AS(ask("sealed"),
                       "docker-credential-sealed get r.io: exit status 3: the vault is sealed",
                       Error);
  add("noise", "echo 'not json'");
  CHECK_THROWS_WITH_AS(ask("noise"), doctest::Contains("docker-credential-noise get r.io: "),
                       Error);
  CHECK_THROWS_WITH_AS(ask("missing"), doctest::Contains("docker-credential-missing"), Error);
}

TEST_CASE_FIXTURE(Helpers, "a keychain keeps to the programs that were there when it was made") {
  add("good", R"(echo '{"Username":"u","Secret":"good"}')");
  TempDir front("/tmp");
  auto searched = environment();
  searched.path = front.path() + ":" + searched.path;
  std::vector<DockerConfig> configs;
  configs.push_back(
      DockerConfig::parse(R"({"credHelpers": {"r.io": "good", "x.io": "late"}})", "config.json"));
  const auto chain = make_docker_keychain(std::move(configs), searched, notes);
  for (const auto* name : {"good", "late"}) {
    AtomicFile file(front.path() + "/docker-credential-" + name, 0755);
    file.write("#!/bin/sh\necho '{\"Username\":\"u\",\"Secret\":\"evil\"}'\n");
    file.commit();
  }
  CHECK(password_for(*chain, "r.io/a") == "good");
  CHECK(password_for(*chain, "x.io/a") == "none");
  CHECK(notes.warnings == "docker-credential-late get x.io: there is no such program in PATH; "
                          "going on without it\n");
}

TEST_CASE_FIXTURE(
    Helpers, "a helper that was changed after the start is not run, what it said before counts") {
  const auto path = directory.path() + "/docker-credential-good";
  const auto config = R"({"credHelpers": {"r.io": "good", "x.io": "good"}})";
  const auto overwrite = [&] {
    const auto file = open_at(current_directory(), path, O_WRONLY | O_TRUNC | O_CLOEXEC);
    const std::string evil = "#!/bin/sh\necho '{\"Username\":\"u\",\"Secret\":\"evil\"}'\n";
    write_all(file, std::as_bytes(std::span(evil)));
  };
  const auto replace = [&] { add("good", R"(echo '{"Username":"u","Secret":"evil"}')"); };
  for (const std::function<void()>& change :
       {std::function<void()>(overwrite), std::function<void()>(replace)}) {
    add("good", R"(echo '{"Username":"u","Secret":"good"}')");
    const auto chain = keychain(config);
    CHECK(password_for(*chain, "r.io/a") == "good");
    change();
    CHECK(password_for(*chain, "r.io/a") == "good");
    CHECK(password_for(*chain, "x.io/a") == "none");
    CHECK(notes.warnings == "docker-credential-good get x.io: " + path +
                                " has changed since the work began, and is not run; going on "
                                "without it\n");
    notes.warnings.clear();
  }
}

TEST_CASE_FIXTURE(Helpers, "what runs a helper counts as part of it") {
  const auto shell = directory.path() + "/shell";
  const auto helper = directory.path() + "/docker-credential-good";
  const auto write = [](const std::string& path, const std::string& text) {
    AtomicFile file(path, 0755);
    file.write(text);
    file.commit();
    ::chmod(path.c_str(), 0755);
  };
  write(shell, "#!/bin/sh\necho '{\"Username\":\"u\",\"Secret\":\"good\"}'\n");
  write(helper, "#!" + shell + "\n");
  const HeldProgram held("docker-credential-good", environment().path);
  CHECK(held.is_unchanged());
  write(shell, "#!/bin/sh\necho evil\n");
  CHECK_FALSE(held.is_unchanged());
  write(helper, "#!/usr/bin/env shell\n");
  const HeldProgram found("docker-credential-good", environment().path);
  CHECK(found.is_unchanged());
  write(shell, "#!/bin/sh\necho evil\n");
  CHECK_FALSE(found.is_unchanged());
  CHECK(HeldProgram("/proc/self/exe", "").is_this_program());
  CHECK_FALSE(found.is_this_program());
}

TEST_CASE_FIXTURE(Helpers, "a helper that does not end is ended, with what it has started") {
  const auto file = directory.path() + "/alive";
  add("slow", "(sleep 3; touch " + file + ") & wait");
  auto hurried = environment();
  hurried.time_limit = std::chrono::seconds(1);
  CHECK_THROWS_WITH_AS(ask_helper("slow", "r.io", hurried),
                       doctest::Contains("docker-credential-slow get r.io: run "
                                         "'docker-credential-slow': it has not ended after 1 "
                                         "seconds"),
                       Error);
  std::this_thread::sleep_for(std::chrono::milliseconds(2500));
  CHECK(::access(file.c_str(), F_OK) != 0);
}

TEST_CASE_FIXTURE(Helpers, "a helper that leaves something running has answered all the same") {
  add("agent", "sleep 30 & echo '{\"Username\":\"u\",\"Secret\":\"good\"}'");
  const auto begun = std::chrono::steady_clock::now();
  CHECK(ask("agent")->password == "good");
  CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(10));
}

TEST_CASE_FIXTURE(Helpers, "a helper ends with the program that asks") {
  add("slow", "sleep 60");
  const std::atomic<bool> cancel = true;
  auto ending = environment();
  ending.cancel = &cancel;
  CHECK_THROWS_WITH_AS(ask_helper("slow", "r.io", ending), doctest::Contains("interrupted"), Error);
}

TEST_CASE_FIXTURE(Helpers, "a helper that this program is itself needs no program") {
  struct One final : Keychain {
    std::optional<Credential> find(const ImageRef&) override {
      Credential credential;
      credential.password = "own";
      return credential;
    }
    std::string places() const override { return {}; }
  };
  const auto ask_with_own = [&] {
    std::vector<DockerConfig> configs;
    configs.push_back(DockerConfig::parse(R"({"credHelpers": {"r.io": "cloud"}})", "config.json"));
    const auto chain = make_docker_keychain(std::move(configs), environment(), notes,
                                            {{"cloud", std::make_shared<One>()}});
    return password_for(*chain, "r.io/a");
  };
  CHECK(ask_with_own() == "own");
  const auto link = directory.path() + "/docker-credential-cloud";
  CHECK(::symlink("/proc/self/exe", link.c_str()) == 0);
  CHECK(ask_with_own() == "own");
  ::unlink(link.c_str());
  add("cloud", R"(echo '{"Username":"u","Secret":"theirs"}')");
  CHECK(ask_with_own() == "theirs");
}

TEST_CASE("a helper's name is no path") {
  CHECK_THROWS_AS(ask_helper("../../bin/sh", "r.io", {}), Error);
  CHECK_THROWS_AS(ask_helper("", "r.io", {}), Error);
}

TEST_CASE_FIXTURE(Helpers, "a helper comes before auths, and auths when it knows nothing") {
  add("good", R"(echo '{"Username":"u","Secret":"helper"}')");
  add("none", "echo 'credentials not found in native keychain'; exit 1");
  CHECK(password_for(
            *keychain(R"({"credsStore": "good", "auths": {"r.io": {"auth": "dTphdXRocw=="}}})"),
            "r.io/a") == "helper");
  CHECK(password_for(
            *keychain(R"({"credsStore": "none", "auths": {"r.io": {"auth": "dTphdXRocw=="}}})"),
            "r.io/a") == "auths");
  CHECK(notes.warnings.empty());
}

TEST_CASE_FIXTURE(Helpers, "a broken helper is a warning, once") {
  add("sealed", "echo 'the vault is sealed'; exit 3");
  const auto chain = keychain(R"({"credHelpers": {"r.io": "sealed"}})");
  CHECK(password_for(*chain, "r.io/a") == "none");
  CHECK(password_for(*chain, "r.io/b") == "none");
  CHECK(notes.warnings == "docker-credential-sealed get r.io: exit status 3: the vault is sealed; "
                          "going on without it\n");
}

TEST_CASE("the environment may hold a credential under the host or a domain above") {
  const auto chain = make_env_keychain(
      {"KANIKO_MY_ORG_IO_USER=u", "KANIKO_MY_ORG_IO_PASSWORD=org", "OTHER=1",
       "KANIKO_INDEX_DOCKER_IO_USER=u", "KANIKO_INDEX_DOCKER_IO_PASSWORD=hub",
       "KANIKO_HALF_EXAMPLE_USER=u", "KANIKO_EXAMPLE_USER=u", "KANIKO_EXAMPLE_PASSWORD=whole"});
  CHECK(password_for(*chain, "gcr.my-org.io/a") == "org");
  CHECK(password_for(*chain, "my-org.io:5000/a") == "org");
  CHECK(password_for(*chain, "busybox") == "hub");
  CHECK(password_for(*chain, "half.example/a") == "whole");
  CHECK(password_for(*chain, "ghcr.io/a") == "none");
}

TEST_CASE("the first keychain that knows something answers") {
  std::vector<std::unique_ptr<Keychain>> list;
  list.push_back(std::make_unique<AnonymousKeychain>());
  list.push_back(make_env_keychain({"KANIKO_R_IO_USER=u", "KANIKO_R_IO_PASSWORD=first"}));
  list.push_back(make_env_keychain({"KANIKO_IO_USER=u", "KANIKO_IO_PASSWORD=second"}));
  const auto chain = make_keychain_chain(std::move(list));
  CHECK(password_for(*chain, "r.io/a") == "first");
  CHECK(password_for(*chain, "x.io/a") == "second");
  CHECK(password_for(*chain, "x.org/a") == "none");
  CHECK(chain->places() == "KANIKO_<HOST>_USER and _PASSWORD, KANIKO_<HOST>_USER and _PASSWORD");
}
