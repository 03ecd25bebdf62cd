#include "dockerfile/dockerfile.hpp"
#include "support.hpp"

#include <doctest/doctest.h>

using namespace cairn;
using namespace cairn::instruction;
using namespace cairn::test;

TEST_CASE("names of instructions are told apart without regard to case") {
  const auto file = parse_dockerfile("froM x aS y\nRun a\ncmd b\nEnV c=d\n", "Dockerfile");
  CHECK(file.stages[0].name() == "y");
  CHECK(instruction_name(file.stages[0].instructions[0]) == "RUN");
  CHECK(instruction_name(file.stages[0].instructions[1]) == "CMD");
  CHECK(instruction_name(file.stages[0].instructions[2]) == "ENV");
}

TEST_CASE("a line that is too long is shown cut, with what to do") {
  const auto error = refusal("FROM x\nRUN " + std::string(70000, 'a'));
  CHECK(error.starts_with("Dockerfile:2: the line is longer than 65535 bytes\n  1 | FROM x\n> 2 | "
                          "RUN aaaa"));
  CHECK(error.ends_with("...\nhint: an escape character at its end continues a line on the next "
                        "one"));
  CHECK(error.size() < 500);
}

TEST_CASE("a line of a heredoc may not be longer either") {
  CHECK(refusal("FROM x\nCOPY <<E /f\n" + std::string(65536, 'y') + "\nE\n")
            .starts_with("Dockerfile:3: the line is longer than 65535 bytes"));
  CHECK(second<Copy>("COPY <<E /f\n" + std::string(65535, 'y') + "\nE\n").files[0].content.size() ==
        65536);
}

TEST_CASE("a name that is nearly right is answered with the right one") {
  struct Row {
    std::string text;
    std::string suggestion;
  };
  const Row rows[] = {{"COPYY a b", "COPY"},
                      {"ENTRYPONT x", "ENTRYPOINT"},
                      {"RUN --mout=type=bind x", "--mount"},
                      {"ADD --chekcsum=a b c", "--checksum"},
                      {"HEALTHCHECK --timeot=1s CMD x", "--timeout"},
                      {"RUN --network=hosst x", "host"}};
  for (const auto& row : rows) {
    CAPTURE(row.text);
    CHECK(refusal("FROM x\n" + row.text).find("(did you mean " + row.suggestion + "?)") !=
          std::string::npos);
  }
}

TEST_CASE("an error marks all lines of its instruction, heredocs included") {
  CHECK(refusal("FROM x\nCOPY --nope \\\n  a \\\n# why\n  b\n") ==
        "Dockerfile:2: COPY: unknown flag --nope\n"
        "  1 | FROM x\n> 2 | COPY --nope \\\n> 3 |   a \\\n> 4 | # why\n> 5 |   b");
  CHECK(refusal("FROM x\nCOPY --nope <<E /d\n1\nE\n") ==
        "Dockerfile:2: COPY: unknown flag --nope\n"
        "  1 | FROM x\n> 2 | COPY --nope <<E /d\n> 3 | 1\n> 4 | E");
}

TEST_CASE("a comment right above describes a stage or an argument") {
  const auto file = parse_dockerfile("# VERSION what to fetch\n# other\nARG VERSION=1\n"
                                     "# base\n# base holds tools\nFROM x AS base\n"
                                     "# A the first\n# B the second\nARG A B\n",
                                     "Dockerfile");
  CHECK(file.global_args[0].arguments[0].description == "what to fetch");
  CHECK(file.stages[0].from.description == "holds tools");
  const auto& arg = std::get<Arg>(file.stages[0].instructions[0]);
  CHECK(arg.arguments[0].description == "the first");
  CHECK(arg.arguments[1].description == "the second");
}

TEST_CASE("a comment that an empty one parts from its instruction describes nothing") {
  CHECK_FALSE(
      parse_dockerfile("# b holds\n#\nFROM x AS b", "Dockerfile").stages[0].from.description);
}

TEST_CASE("flags are read with the escape character of the file") {
  const auto file = parse_dockerfile(
      "# escape=`\nFROM x\nCOPY --chown=a` b c d\nCOPY --chown=a\\b c d\n", "Dockerfile");
  CHECK(std::get<Copy>(file.stages[0].instructions[0]).chown == "a b");
  CHECK(std::get<Copy>(file.stages[0].instructions[1]).chown == "a\\b");
  CHECK(second<Copy>("COPY --chown=a\\ b c d").chown == "a b");
}

TEST_CASE("a flag of two values is true, false or alone, in any case") {
  CHECK(second<Copy>("COPY --link a b").link);
  CHECK(second<Copy>("COPY --link=TRUE a b").link);
  CHECK_FALSE(second<Copy>("COPY --link=False a b").link);
  CHECK(refusal("FROM x\nCOPY --link=1 a b").starts_with("Dockerfile:2: COPY: --link=1: must be"));
}

TEST_CASE("flags may be repeated only where a list is meant") {
  CHECK(second<Copy>("COPY --exclude=a --exclude= b c").excludes ==
        std::vector<std::string>{"a", ""});
  CHECK(second<Run>("RUN --mount=target=/a --mount=target=/b x").mounts.size() == 2);
  for (const std::string twice :
       {"COPY --link --link a b", "RUN --network=none --network=none x",
        "FROM --platform=a --platform=b c", "HEALTHCHECK --retries=1 --retries=1 CMD x"}) {
    CAPTURE(twice);
    CHECK(refusal("FROM x\n" + twice).find(" is there twice\n") != std::string::npos);
  }
}

TEST_CASE("flags end at -- and at the first word that is none") {
  CHECK(second<Copy>("COPY --link -- --from=a b").sources == std::vector<std::string>{"--from=a"});
  CHECK(second<Copy>("COPY a --link b").sources == std::vector<std::string>{"a", "--link"});
  CHECK(second<Copy>("COPY -x b").sources == std::vector<std::string>{"-x"});
}

TEST_CASE("an array of anything but strings is an error wherever an array is read") {
  for (const std::string text :
       {"RUN [1]", "CMD [null]", "ENTRYPOINT [\"a\", 1]", "SHELL [[]]", "VOLUME [{}]",
        "COPY [\"a\", true]", "ADD [\"a\", 2]", "HEALTHCHECK CMD [1]", "ONBUILD RUN [1]"}) {
    CAPTURE(text);
    CHECK(refusal("FROM x\n" + text)
              .starts_with("Dockerfile:2: a JSON array of words may hold nothing but strings\n"));
  }
}

TEST_CASE("text that is no JSON after all is words, also in lists") {
  CHECK(second<Volume>("VOLUME ['/a']").paths == std::vector<std::string>{"['/a']"});
  CHECK(second<Copy>("COPY [a b").destination == "b");
  CHECK(second<Run>("RUN [\"a\",]").command.form == Form::shell);
  CHECK(second<Cmd>("CMD [\"a\tb\"]").command.form == Form::shell);
}
