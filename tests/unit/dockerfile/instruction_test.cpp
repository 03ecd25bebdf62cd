#include "dockerfile/dockerfile.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::instruction;
using namespace cairn::test;

namespace {

using Words = std::vector<std::string>;

} // namespace

TEST_CASE("a file is global arguments and stages") {
  const auto file = parse_dockerfile("ARG A=1\n# base the first\nFROM $A AS Base\nRUN x\n"
                                     "FROM --platform=$P base\nARG A B=2\n",
                                     "Dockerfile");
  REQUIRE(file.global_args.size() == 1);
  CHECK(file.global_args[0].arguments[0].value == "1");
  REQUIRE(file.stages.size() == 2);
  CHECK(file.stages[0].from.image == "$A");
  CHECK(file.stages[0].name() == "base");
  CHECK(file.stages[0].from.description == "the first");
  CHECK(file.stages[1].from.platform == "$P");
  CHECK(!file.stages[1].name());
  const auto& arg = std::get<Arg>(file.stages[1].instructions[0]);
  REQUIRE(arg.arguments.size() == 2);
  CHECK(!arg.arguments[0].value);
  CHECK(arg.arguments[1].name == "B");
}

TEST_CASE("every instruction knows its lines and its text") {
  const auto file = parse_dockerfile("FROM x\n  run a \\\n   b\n", "Dockerfile");
  const auto& run = file.stages[0].instructions[0];
  CHECK(common(run).range == SourceRange{2, 3});
  CHECK(common(run).text == "run a    b");
  CHECK(instruction_name(run) == "RUN");
}

TEST_CASE("a JSON array of strings is the exec form, all else the shell's") {
  struct Row {
    std::string text;
    CommandForm command;
    std::string reason;
  };
  const Row rows[] = {
      {R"(CMD ["a", "b c"])", {{"a", "b c"}, Form::exec}, "an array"},
      {R"(CMD [])", {{}, Form::exec}, "an empty array"},
      {R"(CMD ["a"]  )", {{"a"}, Form::exec}, "blanks behind it"},
      {R"(CMD ["\u00e9\n"])", {{"\xC3\xA9\n"}, Form::exec}, "escapes of JSON"},
      {R"(CMD ['a'])", {{"['a']"}, Form::shell}, "quotes that JSON does not know"},
      {R"(CMD [ -f x ] && y)", {{"[ -f x ] && y"}, Form::shell}, "a test command"},
      {R"(CMD ["a"] b)", {{R"(["a"] b)"}, Form::shell}, "text behind the array"},
      {R"(CMD echo  $A)", {{"echo  $A"}, Form::shell}, "blanks inside stay"},
      {R"(CMD)", {{}, Form::shell}, "nothing at all"},
  };
  for (const auto& row : rows) {
    CAPTURE(row.reason);
    CHECK(second<Cmd>(row.text).command == row.command);
  }
}

TEST_CASE("COPY and ADD take their flags") {
  const auto copy = second<Copy>("COPY --from=b --chown=u:g --chmod=0644 --link --parents "
                                 "--exclude=*.o --exclude=t a b /d/");
  CHECK(copy.from == "b");
  CHECK(copy.chown == "u:g");
  CHECK(copy.chmod == "0644");
  CHECK(copy.link);
  CHECK(copy.parents);
  CHECK(copy.excludes == Words{"*.o", "t"});
  CHECK(copy.sources == Words{"a", "b"});
  CHECK(copy.destination == "/d/");
  const auto add = second<Add>("ADD --checksum=sha256:0 --keep-git-dir=false --unpack=TRUE a b");
  CHECK(add.checksum == "sha256:0");
  CHECK(add.keep_git_dir == false);
  CHECK(add.unpack == true);
  CHECK(!second<Add>("ADD a b").unpack);
}

TEST_CASE("a JSON array keeps blanks in the names of files") {
  const auto copy = second<Copy>(R"(COPY ["a b", "/c d"])");
  CHECK(copy.sources == Words{"a b"});
  CHECK(copy.destination == "/c d");
}

TEST_CASE("quotes and -- have their meaning among flags") {
  CHECK(second<Copy>("COPY --chown=\"a b\" x y").chown == "a b");
  CHECK(second<Copy>("COPY --chown= x y").chown == std::nullopt);
  CHECK(second<Copy>("COPY -- --x y").sources == Words{"--x"});
  CHECK(second<Copy>("COPY --chown=\xC3\xA9 x y").chown == "\xC3\xA9");
}

TEST_CASE("RUN takes its flags") {
  const auto run = second<Run>("RUN --mount=type=cache,target=/c --mount=target=/t "
                               "--network=none --security=insecure "
                               "--device=vendor.com/gpu=all,required x");
  CHECK(run.mounts.size() == 2);
  CHECK(run.mounts[0].text == "type=cache,target=/c");
  CHECK(run.network == RunNetwork::none);
  CHECK(run.security == RunSecurity::insecure);
  REQUIRE(run.devices.size() == 1);
  CHECK(run.devices[0].name == "vendor.com/gpu=all");
  CHECK(run.devices[0].required);
}

TEST_CASE("ENV and LABEL come in two forms") {
  const auto env = second<Env>("ENV A=1 B='2 3' C=\\ D=");
  REQUIRE(env.variables.size() == 3);
  CHECK(env.variables[1].value == "'2 3'");
  CHECK(env.variables[2].value == "\\ D=");
  const auto legacy = second<Env>("ENV A  1 B=2");
  REQUIRE(legacy.variables.size() == 1);
  CHECK(legacy.variables[0].value == "1 B=2");
  CHECK(legacy.variables[0].legacy);
  const auto label = second<Label>("LABEL \"a b\"=c");
  CHECK(label.labels[0].name == "\"a b\"");
}

TEST_CASE("HEALTHCHECK stores what was given and nothing else") {
  const auto check =
      second<Healthcheck>("HEALTHCHECK --interval=1m30s --timeout=0s --retries=3 CMD curl x");
  CHECK(check.command == CommandForm{{"curl x"}, Form::shell});
  CHECK(check.interval == std::chrono::seconds(90));
  CHECK(check.timeout == std::chrono::seconds(0));
  CHECK(check.start_period == std::chrono::seconds(0));
  CHECK(check.retries == 3);
  CHECK(second<Healthcheck>(R"(HEALTHCHECK CMD ["a"])").command == CommandForm{{"a"}, Form::exec});
  CHECK(!second<Healthcheck>("HEALTHCHECK none").command);
}

TEST_CASE("the small instructions") {
  CHECK(second<Expose>("EXPOSE 90/udp 80").ports == Words{"80", "90/udp"});
  CHECK(second<Volume>(R"(VOLUME ["/a b"])").paths == Words{"/a b"});
  CHECK(second<Volume>("VOLUME /a /b").paths == Words{"/a", "/b"});
  CHECK(second<User>("USER a:b").user == "a:b");
  CHECK(second<Workdir>("WORKDIR /a b").path == "/a b");
  CHECK(second<Shell>(R"(SHELL ["/bin/sh", "-c"])").words == Words{"/bin/sh", "-c"});
  CHECK(second<Stopsignal>("STOPSIGNAL 9").signal == "9");
  CHECK(second<Maintainer>("MAINTAINER a <b>").name == "a <b>");
  CHECK(second<Entrypoint>(R"(ENTRYPOINT ["a"])").command.form == Form::exec);
}

TEST_CASE("ONBUILD holds its trigger as text, whether it can be understood or not") {
  CHECK(second<Onbuild>("onbuild  copy --from=a b c").trigger == "copy --from=a b c");
  CHECK(second<Onbuild>("ONBUILD RUN a \\\n  b  ").trigger == "RUN a   b  ");
  CHECK(second<Onbuild>("ONBUILD COPY a").trigger == "COPY a");
  CHECK(second<Onbuild>("ONBUILD RNU --mount=type=x y").trigger == "RNU --mount=type=x y");
}

TEST_CASE("a trigger found in an image is a single instruction") {
  CHECK(std::get<Run>(parse_trigger("RUN x", "ONBUILD of b")).command.words == Words{"x"});
  CHECK(error_of([] {
          parse_trigger("RUN x\nRUN y", "ONBUILD of b");
        }).starts_with("ONBUILD of b:2: a trigger must be a single instruction"));
  CHECK(error_of([] {
          parse_trigger("FROM y", "ONBUILD of b");
        }).starts_with("ONBUILD of b:1: FROM cannot be a trigger"));
}
