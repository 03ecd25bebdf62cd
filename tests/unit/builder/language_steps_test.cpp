#include "language_plan.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::test;

TEST_SUITE_BEGIN("builder/language steps");

namespace {

std::string message_of_step(const std::string& text) {
  const auto error = language_error(text);
  return error.substr(0, error.find('\n'));
}

MountPlan mount_of(const std::string& options) {
  return run_of(language_plan("FROM x\nWORKDIR /w\nRUN --mount=" + options + " y"), 1).mounts.at(0);
}

} // namespace

TEST_CASE("what is wrong with a step does not matter in a stage that is not built") {
  for (const std::string step :
       {"RUN --mount=type=nope x", "RUN --mount=target x", "RUN --mount=typ=bind x",
        "RUN --mount=type=cache,target=/x,uid=-1 x", "EXPOSE x", "STOPSIGNAL SIGNOPE",
        "VOLUME $none", "COPY --chmod=q a b", "RUN --device=a x", "RUN --security=insecure x"}) {
    CAPTURE(step);
    CHECK_FALSE(language_error("FROM x AS a\n" + step).empty());
    CHECK(language_error("FROM x AS a\n" + step + "\nFROM x").empty());
  }
}

TEST_CASE("a mode of --chmod is octal up to 07777 or symbolic, which is known from the line") {
  for (const std::string good :
       {"0", "644", "07777", "u=rwX,go=rX", "+x", "g=u", "a=rX,u+w", "u-x+w", "+t", "u+"})
    CHECK(message_of_step("FROM x\nCOPY --chmod=" + good + " a b").empty());
  for (const std::string bad :
       {"8", "999", "10000", "0x1", "0o755", "-1", "q+x", "u=rw,,", ",", "u=7", "99999999999999"})
    CHECK(message_of_step("FROM x\nCOPY --chmod=" + bad + " a b")
              .starts_with("Dockerfile:2: invalid chmod parameter: '" + bad + "'"));
}

TEST_CASE("--chown and --chmod that expand to nothing are none") {
  const auto plan = language_plan("FROM x\nCOPY --chown=$none --chmod=$none a b");
  CHECK_FALSE(copy_of(plan, 0).chown.has_value());
  CHECK_FALSE(copy_of(plan, 0).chmod.has_value());
  CHECK(history_of(plan, 0) == "COPY a b # buildkit");
}

TEST_CASE("--checksum needs a single source that is fetched") {
  CHECK(message_of_step("FROM x\nADD --checksum=sha256:0 a b")
            .find("checksum requires HTTP(S) or Git") != std::string::npos);
}

TEST_CASE("a bind mount is read-only and of the context, at a place in WORKDIR") {
  const auto mount = mount_of("target=a,source=../b");
  CHECK(mount.target == "/w/a");
  const auto& bind = std::get<BindPlan>(mount.kind);
  CHECK(std::holds_alternative<MainContext>(bind.from));
  CHECK(bind.source == "/b");
  CHECK(bind.access == MountAccess::read_only);
  CHECK(std::get<BindPlan>(mount_of("target=/a,rw").kind).access == MountAccess::read_write);
}

TEST_CASE("a cache mount is called by its clean target unless it has an id") {
  const auto plain = std::get<CachePlan>(mount_of("type=cache,target=/a/../b").kind);
  CHECK(plain.id == "/b");
  CHECK(plain.access == MountAccess::read_write);
  CHECK(plain.sharing == instruction::CacheSharing::shared);
  CHECK_FALSE(plain.owner.has_value());
  const auto named = std::get<CachePlan>(mount_of("type=cache,target=/a,id=i,mode=0700").kind);
  CHECK(named.id == "i");
  CHECK(named.owner->mode == 0700);
  CHECK(named.owner->uid == 0);
}

TEST_CASE("the name space of cache mounts is a build argument") {
  const auto plan = language_plan("FROM x\nRUN --mount=type=cache,target=/a y",
                                  {{"BUILDKIT_CACHE_MOUNT_NS", "mine"}});
  CHECK(std::get<CachePlan>(run_of(plan, 0).mounts.at(0).kind).name_space == "mine");
}

TEST_CASE("a secret is a file in /run/secrets, a variable, or both") {
  const auto file = mount_of("type=secret,id=a/b");
  CHECK(file.target == "/run/secrets/b");
  CHECK(std::get<SecretPlan>(file.kind).file.mode == 0400);
  CHECK_FALSE(std::get<SecretPlan>(file.kind).required);
  const auto variable = mount_of("type=secret,id=a,env=E");
  CHECK(variable.target.empty());
  CHECK(std::get<SecretPlan>(variable.kind).variable == "E");
  const auto both = mount_of("type=secret,target=t/c,env=E,required,uid=3");
  CHECK(both.target == "/w/t/c");
  CHECK(std::get<SecretPlan>(both.kind).id == "c");
  CHECK(std::get<SecretPlan>(both.kind).required);
  CHECK(std::get<SecretPlan>(both.kind).file.uid == 3);
}

TEST_CASE("sockets of agents are numbered, and SSH_AUTH_SOCK names the first") {
  const auto plan = language_plan("FROM x\nRUN --mount=type=ssh --mount=type=ssh,id=b,mode=0666 y");
  const auto& run = run_of(plan, 0);
  CHECK(run.environment.get("SSH_AUTH_SOCK") == "/run/buildkit/ssh_agent.0");
  CHECK(run.mounts.at(0).target == "/run/buildkit/ssh_agent.0");
  CHECK(std::get<SshPlan>(run.mounts.at(0).kind).id == "default");
  CHECK(std::get<SshPlan>(run.mounts.at(0).kind).socket.mode == 0600);
  CHECK(run.mounts.at(1).target == "/run/buildkit/ssh_agent.1");
  CHECK(std::get<SshPlan>(run.mounts.at(1).kind).socket.mode == 0666);
}

TEST_CASE("a mount that cannot be shows its line, what is wrong, and a suggestion") {
  CHECK(
      language_error("FROM x\nRUN --mount=type=cache,traget=/c \\\n  y") ==
      "Dockerfile:2: RUN: --mount=type=cache,traget=/c: unknown key 'traget' in 'traget=/c' "
      "(did you mean target?)\n  1 | FROM x\n> 2 | RUN --mount=type=cache,traget=/c \\\n> 3 |   y");
  CHECK(message_of_step("FROM x\nRUN --mount=target=/ y") ==
        "Dockerfile:2: RUN: --mount=target=/: invalid mount target \"/\"");
  CHECK(language_error("FROM x\nRUN --mount=required,type=ssh y")
            .ends_with("hint: write type=... before required"));
}

TEST_CASE("SHELL stands before commands in shell form, whatever kind they are") {
  const auto plan = language_plan("FROM x\nSHELL [\"bash\", \"-c\"]\nRUN a\nRUN [\"b\"]\nCMD c\n"
                                  "ENTRYPOINT d");
  using Words = std::vector<std::string>;
  CHECK(run_of(plan, 1).argv == Words{"bash", "-c", "a"});
  CHECK(run_of(plan, 2).argv == Words{"b"});
  CHECK(image_of(plan).config.cmd == Words{"bash", "-c", "c"});
  CHECK(image_of(plan).config.entrypoint == Words{"bash", "-c", "d"});
}

TEST_CASE("a RUN of an empty array has nothing to run") {
  CHECK(message_of_step("FROM x\nRUN []") == "Dockerfile:2: RUN: there is no command");
}

TEST_CASE("a trigger that cannot be understood is refused where it would run") {
  CHECK(message_of_step("FROM x AS a\nONBUILD COPY a").empty());
  const auto error = language_error("FROM x AS a\nONBUILD RNU y\nFROM a");
  CHECK(error.starts_with("Dockerfile:3: ONBUILD of a:1: unknown instruction RNU (did you mean "
                          "RUN?)"));
}

TEST_CASE("a heredoc of RUN with #! is a script in /dev/pipes, behind the SHELL") {
  const auto run = run_of(language_plan("FROM x\nRUN <<E\n#!/bin/awk -f\n1\nE\n"), 0);
  CHECK(run.argv == std::vector<std::string>{"/bin/sh", "-c", "/dev/pipes/E"});
  CHECK(run.script->content == "#!/bin/awk -f\n1\n");
}

TEST_SUITE_END();
