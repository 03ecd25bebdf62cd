#include "dockerfile/dockerfile.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

#include <cstdint>

using namespace cairn;
using namespace cairn::instruction;
using namespace cairn::test;

namespace {

using Words = std::vector<std::string>;

} // namespace

TEST_CASE("a stage's name is letters, digits and -_. behind a letter, kept in lower case") {
  CHECK(parse_dockerfile("FROM x AS A.b-C_9", "Dockerfile").stages[0].name() == "a.b-c_9");
  for (const std::string name : {"1a", "-a", "a/b", "''", "a:b"})
    CHECK(refusal("FROM x AS " + name).starts_with("Dockerfile:1: FROM: '" + name + "' cannot be"));
}

TEST_CASE("FROM takes an image, or an image AS a name, and no more") {
  for (const std::string rest : {"", "a b", "a b c", "a AS", "a AS b c"})
    CHECK(
        refusal("FROM " + rest).starts_with("Dockerfile:1: FROM: must be of the form FROM image"));
}

TEST_CASE("an empty flag of FROM is none") {
  CHECK_FALSE(parse_dockerfile("FROM --platform= x", "Dockerfile").stages[0].from.platform);
}

TEST_CASE("ARG takes several names, with defaults or without") {
  const auto arg = second<Arg>("ARG A B= C='d e' F=\"g=h\"");
  REQUIRE(arg.arguments.size() == 4);
  CHECK_FALSE(arg.arguments[0].value);
  CHECK(arg.arguments[1].value == "");
  CHECK(arg.arguments[2].value == "'d e'");
  CHECK(arg.arguments[3].value == "\"g=h\"");
}

TEST_CASE("ARG has no heredocs") {
  CHECK(refusal("FROM x\nARG A=<<E\n1\nE\n").starts_with("Dockerfile:3: unknown instruction 1"));
}

TEST_CASE("flags of ARG and STOPSIGNAL are not looked at") {
  CHECK(second<Arg>("ARG --any=1 A").arguments[0].name == "A");
  CHECK(second<Stopsignal>("STOPSIGNAL --any 9").signal == "9");
}

TEST_CASE("flags that an instruction does not have are refused") {
  for (const std::string name : {"ENV", "LABEL", "EXPOSE", "VOLUME", "USER", "WORKDIR", "CMD",
                                 "ENTRYPOINT", "SHELL", "MAINTAINER", "ONBUILD", "RUN"}) {
    CAPTURE(name);
    CHECK(refusal("FROM x\n" + name + " --any a=b").find(": unknown flag --any\n") !=
          std::string::npos);
  }
}

TEST_CASE("ENV without = takes the rest of the line as its value") {
  const auto env = second<Env>("ENV A b=c  d ");
  REQUIRE(env.variables.size() == 1);
  CHECK(env.variables[0].name == "A");
  CHECK(env.variables[0].value == "b=c  d");
  CHECK(env.variables[0].legacy);
}

TEST_CASE("of ENV and LABEL every word must be name=value once the first is") {
  CHECK(refusal("FROM x\nENV A=1 B") ==
        "Dockerfile:2: 'B' is not of the form name=value\n  1 | FROM x\n> 2 | ENV A=1 B\n"
        "hint: a value with blanks needs quotes");
  CHECK(refusal("FROM x\nLABEL a") ==
        "Dockerfile:2: 'a' has no value\n  1 | FROM x\n> 2 | LABEL a\nhint: write a=value");
}

TEST_CASE("an escape at the end of a quoted value joins the next line") {
  CHECK(second<Label>("LABEL a=\"1\\\n2\"").labels[0].value == "\"12\"");
}

TEST_CASE("VOLUME takes words or an array, without blanks around each") {
  CHECK(second<Volume>("VOLUME /a  /b").paths == Words{"/a", "/b"});
  CHECK(second<Volume>("VOLUME [\" /a b \"]").paths == Words{"/a b"});
}

TEST_CASE("USER, WORKDIR, STOPSIGNAL and MAINTAINER take the whole line") {
  CHECK(second<User>("USER a b").user == "a b");
  CHECK(second<Workdir>("WORKDIR  /a b ").path == "/a b");
  CHECK(second<Stopsignal>("STOPSIGNAL A B").signal == "A B");
  CHECK(second<Maintainer>("MAINTAINER \"a\" $b").name == "\"a\" $b");
}

TEST_CASE("CMD and ENTRYPOINT may be empty") {
  CHECK(second<Cmd>("CMD").command == CommandForm{{}, Form::shell});
  CHECK(second<Entrypoint>("ENTRYPOINT []").command == CommandForm{{}, Form::exec});
}

TEST_CASE("a health check's durations are Go's, 0 or at least a millisecond") {
  const auto interval = [](const std::string& text) {
    return second<Healthcheck>("HEALTHCHECK --interval=" + text + " CMD x").interval.count();
  };
  CHECK(interval("") == 0);
  CHECK(interval("0") == 0);
  CHECK(interval("-0s") == 0);
  CHECK(interval("1ms") == 1'000'000);
  CHECK(interval("1h2m3.5s") == 3'723'500'000'000);
  CHECK(interval(".5s") == 500'000'000);
  CHECK(interval("5000us") == 5'000'000);
  CHECK(interval("2562047h47m16.854775807s") == INT64_MAX);
  for (const std::string bad : {"1", "999us", "-1s", "1d", "x", "-", ".s", "1s1", "2562048h"})
    CHECK(refusal("FROM x\nHEALTHCHECK --interval=" + bad + " CMD x")
              .starts_with("Dockerfile:2: HEALTHCHECK: --interval=" + bad + ": must be "));
}

TEST_CASE("a health check's retries are a number that is not negative") {
  const auto retries = [](const std::string& text) {
    return second<Healthcheck>("HEALTHCHECK --retries=" + text + " CMD x").retries;
  };
  CHECK(retries("0") == 0);
  CHECK(retries("+03") == 3);
  CHECK(retries("") == 0);
  CHECK(retries("2147483647") == INT32_MAX);
  for (const std::string bad : {"-1", "x", "2147483648", "1.5", "+-1"})
    CHECK(refusal("FROM x\nHEALTHCHECK --retries=" + bad + " CMD x")
              .starts_with("Dockerfile:2: HEALTHCHECK: --retries=" + bad + ": must be a number"));
}

TEST_CASE("HEALTHCHECK NONE takes no arguments, and whatever flags there are") {
  CHECK_FALSE(second<Healthcheck>("HEALTHCHECK --interval=1s --any NONE").command);
  CHECK(refusal("FROM x\nHEALTHCHECK none x").find("NONE takes no arguments") != std::string::npos);
}

TEST_CASE("triggers of ONBUILD may be anything but ONBUILD, FROM and MAINTAINER") {
  for (const std::string name : {"RUN x", "COPY a b", "CMD x", "HEALTHCHECK NONE", "ARG A", "x"})
    CHECK(second<Onbuild>("ONBUILD " + name).trigger == name);
  for (const std::string name : {"onbuild", "From", "MAINTAINER"})
    CHECK(refusal("FROM x\nONBUILD " + name + " x").find(" cannot be a trigger\n") !=
          std::string::npos);
}

TEST_CASE("devices have a name and may be required") {
  const auto device = [](const std::string& text) {
    return second<Run>("RUN --device=" + text + " x").devices.at(0);
  };
  CHECK(device("vendor.com/gpu=all").name == "vendor.com/gpu=all");
  CHECK(device("name=a,required").required);
  CHECK_FALSE(device("a,required=false").required);
  for (const std::string bad : {"", "a,b", "name=a,name=b", "a,required=maybe"})
    CHECK(
        refusal("FROM x\nRUN --device=" + bad + " x").starts_with("Dockerfile:2: RUN: --device="));
}

TEST_CASE("without a word between, a heredoc is no destination") {
  CHECK(refusal("FROM x\nCOPY a <<E\nE\n").find("the destination cannot be a heredoc") !=
        std::string::npos);
  CHECK(refusal("FROM x\nCOPY [\"a\", \"<<E\"]\n").find("the destination cannot be a heredoc") !=
        std::string::npos);
}
