#include "dockerfile/dockerfile.hpp"
#include "dockerfile/lint/linter.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace cairn;

TEST_SUITE_BEGIN("dockerfile/lint");

namespace {

using Texts = std::vector<std::string>;

/// "LINE RULE: DETAIL" of what the text alone breaks.
Texts warnings(const std::string& text, const std::optional<std::string>& instead = std::nullopt) {
  Texts texts;
  Linter linter(instead, [&](const LintWarning& warning) {
    texts.push_back(
        fmt::format("{} {}: {}", warning.range.first, info(warning.rule).name, warning.detail));
  });
  try {
    parse_dockerfile(text, "Dockerfile", linter);
  } catch (const Error&) {
    return texts;
  }
  return texts;
}

} // namespace

TEST_CASE("StageNameCasing: names of stages are in lower case") {
  CHECK(warnings("FROM x AS Base\n") ==
        Texts{"1 StageNameCasing: Stage name 'Base' should be lowercase"});
  CHECK(warnings("FROM x AS base\n").empty());
}

TEST_CASE("FromAsCasing: AS is in the case of FROM") {
  CHECK(warnings("FROM x as a\n") ==
        Texts{"1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"});
  CHECK(warnings("from x AS a\n") ==
        Texts{"1 FromAsCasing: 'AS' and 'from' keywords' casing do not match"});
  CHECK(warnings("from x as a\n").empty());
  // A FROM that is in no one case is another rule's matter.
  CHECK(warnings("From x as a\n") ==
        Texts{"1 ConsistentInstructionCasing: Command 'From' should match the case of the command "
              "majority (uppercase)"});
}

TEST_CASE("NoEmptyContinuation: no empty lines inside an instruction") {
  CHECK(warnings("FROM x\nRUN a \\\n\n  b\n") ==
        Texts{"4 NoEmptyContinuation: Empty continuation line"});
  CHECK(warnings("FROM x\nRUN a \\\n# a comment is none\n  b\n").empty());
}

TEST_CASE("ConsistentInstructionCasing: instructions are in one case, that of most of them") {
  CHECK(warnings("FROM x\ncopy a b\nCOPY c d\n") ==
        Texts{"2 ConsistentInstructionCasing: Command 'copy' should match the case of the command "
              "majority (uppercase)"});
  CHECK(warnings("from x\ncopy a b\nCOPY c d\n") ==
        Texts{"3 ConsistentInstructionCasing: Command 'COPY' should match the case of the command "
              "majority (lowercase)"});
  // Capitals win a draw, and ARGs before FROM have no vote.
  CHECK(warnings("arg A=1\nFROM x\nrun y\n").size() == 1);
  CHECK(warnings("from x\nrun y\n").empty());
}

TEST_CASE("DuplicateStageName: a name is given once, whatever its case") {
  CHECK(warnings("FROM x AS b\nFROM x AS b\n") ==
        Texts{"2 DuplicateStageName: Duplicate stage name \"b\", stage names should be unique"});
  CHECK(warnings("FROM x AS b\nFROM x AS B\n").size() == 2);
}

TEST_CASE("ReservedStageName: scratch and context are taken") {
  CHECK(warnings("FROM x AS scratch\nFROM x AS context\n") ==
        Texts{"1 ReservedStageName: Stage name should not use the same name as reserved stage "
              "\"scratch\"",
              "2 ReservedStageName: Stage name should not use the same name as reserved stage "
              "\"context\""});
}

TEST_CASE("MaintainerDeprecated: authors are a label") {
  CHECK(warnings("FROM x\nMAINTAINER me\n") ==
        Texts{"2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using "
              "label"});
}

TEST_CASE("InvalidDefinitionDescription: a comment above FROM or ARG describes it, when asked") {
  const std::string text =
      "# other things\nFROM x AS a\n# words\nARG b c\n# b is described\nARG b\n"
      "# c is not: the comment ends here\n#\nARG c\n";
  CHECK(warnings("# a comment\n" + text).empty());
  CHECK(warnings("# check=experimental=all\n" + text) ==
        Texts{"3 InvalidDefinitionDescription: Comment for FROM should follow the format: `# a "
              "<description>`",
              "5 InvalidDefinitionDescription: Comment for ARG should follow the format: `# "
              "<arg_key> <description>`"});
  CHECK(warnings("# check=skip=all;experimental=InvalidDefinitionDescription\n" + text).size() ==
        2);
  // Comments for the linter describe nothing.
  CHECK(warnings("# check=experimental=all\nFROM x\n# check=skip=UndefinedVar\nARG b\n").empty());
}

TEST_CASE("what was found before an error is told") {
  CHECK(warnings("FROM x AS A\nMAINTAINER me\nFOO\n") ==
        Texts{"1 StageNameCasing: Stage name 'A' should be lowercase",
              "2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using "
              "label"});
}

TEST_CASE("the directive of a file leaves rules out") {
  const std::string text = "FROM x as A\n";
  CHECK(warnings("#check=skip=StageNameCasing\n" + text).size() == 1);
  CHECK(warnings("# check = skip=StageNameCasing,FromAsCasing\n" + text).empty());
  CHECK(warnings("# check=skip=all\n" + text).empty());
  CHECK(warnings("# check=skip=NoSuchRule\n" + text).size() == 2);
  // It ends at the first blank, as in BuildKit.
  CHECK(warnings("# check=skip=StageNameCasing, FromAsCasing\n" + text).size() == 1);
}

TEST_CASE("a build argument takes the place of the directive") {
  CHECK(warnings("# check=skip=all\nFROM x as A\n", "skip=FromAsCasing").size() == 1);
  CHECK(warnings("# check=skip=all\nFROM x as A\n", "").size() == 2);
  CHECK(
      warnings("# check=error=true\nFROM x as A\n", "skip=StageNameCasing, FromAsCasing").empty());
}

TEST_CASE("a comment above an instruction leaves rules out there") {
  CHECK(
      warnings("FROM x\n# check=skip=MaintainerDeprecated // it was so\nMAINTAINER me\n").empty());
  CHECK(warnings("FROM x\n# check=skip=all\n# why\nMAINTAINER me\nMAINTAINER you\n") ==
        Texts{"5 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using "
              "label"});
  CHECK(warnings("FROM x\n# check=skip=all\n#\nMAINTAINER me\n").size() == 1);
  CHECK(warnings("FROM x\n# check=nonsense\nMAINTAINER me\n").size() == 1);
}

TEST_CASE("with error=true warnings end the build, at the first of them") {
  const auto end_of = [](const std::string& text) {
    Linter linter;
    const auto dockerfile = parse_dockerfile(text, "Dockerfile", linter);
    try {
      linter.enforce(dockerfile.source);
    } catch (const Error& error) {
      return std::string(error.what()) + "\n" + error.detail();
    }
    return std::string();
  };
  CHECK(end_of("FROM x as A\n").empty());
  CHECK(end_of("# check=error=true\nFROM x AS a\n").empty());
  CHECK(end_of("# check=skip=all;error=true\nFROM x as a\n").empty());
  CHECK(end_of("# check=error=true\nFROM x as A\nMAINTAINER me\nFROM x as b\n") ==
        "Dockerfile:2: lint violation found for rules: StageNameCasing, FromAsCasing, "
        "MaintainerDeprecated\n"
        "  1 | # check=error=true\n"
        "> 2 | FROM x as A\n"
        "Dockerfile:2: StageNameCasing: Stage name 'A' should be lowercase\n"
        "Dockerfile:2: FromAsCasing: 'as' and 'FROM' keywords' casing do not match\n"
        "Dockerfile:3: MaintainerDeprecated: Maintainer instruction is deprecated in favor of "
        "using label\n"
        "Dockerfile:4: FromAsCasing: 'as' and 'FROM' keywords' casing do not match\n"
        "hint: '# check=skip=RULE' above an instruction leaves a rule out there");
}

TEST_CASE("options that cannot be understood are refused, with their line in a file") {
  const auto message = [](const std::string& text) {
    try {
      parse_dockerfile(text, "Dockerfile");
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message("# syntax=x\n# check=skip\nFROM x\n") == "Dockerfile:2: 'skip' is no check option");
  CHECK(message("# check=eror=true\nFROM x\n") ==
        "Dockerfile:1: 'eror' is no check option (did you mean error?)");
  CHECK(message("# check=error=maybe\nFROM x\n") ==
        "Dockerfile:1: error=maybe: must be true or false");
  CHECK_THROWS_WITH_AS(Linter(std::optional<std::string>("x")),
                       "BUILDKIT_DOCKERFILE_CHECK: 'x' is no check option", Error);
}

TEST_CASE("every rule is found by its name, and has a page unless BuildKit has none") {
  for (int i = 0; i <= static_cast<int>(LintRule::expose_invalid_format); ++i) {
    const auto rule = static_cast<LintRule>(i);
    CHECK(find_lint_rule(info(rule).name) == rule);
    CHECK(url(rule).empty() == (rule == LintRule::invalid_base_image_platform));
  }
  CHECK(url(LintRule::undefined_var) ==
        "https://docs.docker.com/go/dockerfile/rule/undefined-var/");
  CHECK(find_lint_rule("undefinedvar") == std::nullopt);
}

TEST_SUITE_END();
