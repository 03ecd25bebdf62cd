#include "executor_line.hpp"
#include "util/error.hpp"
#include "util/file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

using namespace cairn;

namespace {

GitContextOptions git_of(Words arguments, Words variables = {}) {
  return parse(std::move(arguments), std::move(variables)).build.context.git;
}

} // namespace

TEST_CASE("--git is taken as kaniko takes it, several options in one flag or in several") {
  const auto git = git_of({"--git=branch=dev,single-branch=true,depth=1",
                           "--git=recurse-submodules=true", "--git", "insecure-skip-tls=true"});
  CHECK(git.branch == "dev");
  CHECK(git.submodules == true);
  CHECK(git.verify == TlsVerify::none);
  const auto none = git_of({});
  CHECK(none.branch.empty());
  CHECK(!none.submodules);
  CHECK(none.verify == TlsVerify::full);
  CHECK(none.pull_method == "https");
}

TEST_CASE("an option of --git that is unknown is a warning, one that means nothing an error") {
  const auto command = parse({"--git=branhc=dev"});
  REQUIRE(command.warnings.size() == 1);
  CHECK(command.warnings[0] == "--git: unknown option 'branhc' (did you mean branch?)");
  for (const auto* value : {"branch", "recurse-submodules=perhaps", "depth=-1"}) {
    CAPTURE(value);
    CHECK_THROWS_AS(parse({std::string("--git=") + value}), Error);
  }
}

TEST_CASE("GIT_TOKEN goes before GIT_USERNAME with GIT_PASSWORD") {
  const auto login = git_of({}, {"GIT_USERNAME=me", "GIT_PASSWORD=pw"});
  CHECK(login.username == "me");
  CHECK(login.password == "pw");
  const auto token = git_of({}, {"GIT_USERNAME=me", "GIT_PASSWORD=pw", "GIT_TOKEN=t"});
  CHECK(token.username == "t");
  CHECK(token.password.empty());
  CHECK(token.login_source == "GIT_TOKEN");
}

TEST_CASE("GIT_PULL_METHOD is how git:// contexts are reached") {
  CHECK(git_of({}, {"GIT_PULL_METHOD=http"}).pull_method == "http");
  CHECK_THROWS_WITH_AS(parse({}, {"GIT_PULL_METHOD=ftp"}),
                       "GIT_PULL_METHOD: 'ftp' is none of https, http, git", Error);
}

TEST_CASE("contexts that are git repositories are taken, and refused before the build when wrong") {
  for (const auto* context : {"git://h/p", "git://h/p.git#refs/heads/x#abc", "https://h/p.git#main",
                              "git@h:p.git", "ssh://h/p", "github.com/o/r"}) {
    CAPTURE(context);
    CHECK_NOTHROW(parse({"-c", context}));
  }
  CHECK_THROWS_WITH_AS(parse({"-c", "https://h/p.git?x=1"}),
                       doctest::Contains("unexpected query \"x\""), Error);
  CHECK_THROWS_AS(parse({"-c", "git://h"}), Error);
}

TEST_CASE("with an agent, hosts are known from SSH_KNOWN_HOSTS alone, or from the usual files") {
  const TempDir home("/tmp", "cairn-home-");
  std::filesystem::create_directory(home.path() + "/.ssh");
  std::ofstream(home.path() + "/.ssh/known_hosts") << "usual line";
  std::ofstream(home.path() + "/own") << "own line";
  const auto commands = [&](Words variables) {
    variables.push_back("HOME=" + home.path());
    return parse({"--ssh=default=/sock"}, std::move(variables)).build.commands;
  };
  const auto usual = commands({});
  CHECK(usual.known_hosts.starts_with("usual line\n"));
  CHECK(usual.unknown_hosts == SshAccess::UnknownHosts::accept);
  const auto own = commands({"SSH_KNOWN_HOSTS=" + home.path() + "/own"});
  CHECK(own.known_hosts == "own line\n");
  CHECK(own.unknown_hosts == SshAccess::UnknownHosts::refuse);
  CHECK_THROWS_WITH_AS(commands({"SSH_KNOWN_HOSTS=/nowhere"}), doctest::Contains("SSH_KNOWN_HOSTS"),
                       Error);
  CHECK(parse({}, {"HOME=" + home.path()}).build.commands.known_hosts.empty());
}
