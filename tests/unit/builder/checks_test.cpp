#include "builder/plan/checks/check.hpp"
#include "builder/plan/checks/secret_names.hpp"
#include "util/error.hpp"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace cairn;

TEST_SUITE_BEGIN("builder/checks");

namespace {

using Texts = std::vector<std::string>;

class CheckedBases final : public BaseConfigs {
public:
  void prefetch(const std::vector<ImageSource>&) override {}

  ImageConfig config(const ImageSource& image) override {
    if (image.name == "unreachable") {
      ++asked;
      throw TemporaryError("unreachable: connection refused");
    }
    if (image.name == "missing")
      throw Error("missing: not in the registry");
    ImageConfig config;
    config.platform = image.platform;
    config.config.env = Environment({"PATH=/bin"});
    if (image.name == "shelly")
      config.config.shell = {"/bin/bash", "-c"};
    if (image.name == "triggers")
      config.config.on_build = {"ENV old $nothing", "WORKDIR app"};
    if (image.name == "arm") {
      config.platform = Platform::parse("linux/arm64");
      config.diff_ids = {Digest::from_hex(std::string(64, 'a'))};
    }
    return config;
  }

  int asked = 0;
};

CheckRequest request_of(const std::string& text) {
  CheckRequest request;
  request.name = "Dockerfile";
  request.text = text;
  auto& language = request.options.language;
  language.target_platform = language.build_platform = Platform::parse("linux/amd64");
  return request;
}

CheckReport report_of(CheckRequest request) {
  CheckedBases bases;
  SilentProgress progress;
  return check_dockerfile(std::move(request), bases, progress);
}

/// "LINE RULE: DETAIL" and, when there is one, "error: ...".
Texts found(CheckRequest request) {
  const auto report = report_of(std::move(request));
  Texts texts;
  for (const auto& warning : report.warnings)
    texts.push_back(
        fmt::format("{} {}: {}", warning.range.first, info(warning.rule).name, warning.detail));
  if (report.error)
    texts.push_back("error: " + report.error->message);
  return texts;
}

Texts found(const std::string& text) {
  return found(request_of(text));
}

Texts found_with(const std::string& text, const NameValue& argument) {
  auto request = request_of(text);
  request.options.language.build_args.push_back(argument);
  return found(std::move(request));
}

Texts found_ignoring(const std::string& text, const std::string& ignore) {
  auto request = request_of(text);
  request.ignore = parse_ignore_file(ignore);
  return found(std::move(request));
}

} // namespace

TEST_CASE("UndefinedArgInFrom: FROM uses arguments that are declared before it") {
  CHECK(found("ARG tag=1\nFROM busybox:${tag}${version}\n") ==
        Texts{"2 UndefinedArgInFrom: FROM argument 'version' is not declared"});
  CHECK(found("ARG versions=1\nFROM busybox:1$version\n") ==
        Texts{"2 UndefinedArgInFrom: FROM argument 'version' is not declared (did you mean "
              "versions?)"});
  CHECK(found("ARG empty\nFROM busybox$empty\n").empty());
  CHECK(found("FROM --platform=$BUILDPLATFORM busybox\n").empty());
}

TEST_CASE("InvalidDefaultArgInFrom: the base is a name without any --build-arg") {
  CHECK(found_with("ARG V\nFROM busybox:$V\n", {"V", "1"}) ==
        Texts{"2 InvalidDefaultArgInFrom: Default value for ARG busybox:$V results in empty or "
              "invalid base image name"});
  CHECK(found_with("ARG V=2\nFROM busybox:$V\n", {"V", "1"}).empty());
}

TEST_CASE("RedundantTargetPlatform: the target's platform is the default") {
  CHECK(found("FROM --platform=${TARGETPLATFORM} busybox\n") ==
        Texts{"1 RedundantTargetPlatform: Setting platform to predefined ${TARGETPLATFORM} in FROM "
              "is redundant as this is the default behavior"});
}

TEST_CASE("FromPlatformFlagConstDisallowed: a constant platform is in the stage's name") {
  CHECK(found("FROM --platform=linux/amd64 busybox\n") ==
        Texts{"1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant "
              "value \"linux/amd64\""});
  CHECK(found("FROM --platform=linux/amd64 busybox AS on-amd64\n").empty());
}

TEST_CASE("InvalidBaseImagePlatform: the base is for the platform that is asked for") {
  CHECK(found("FROM arm\n") ==
        Texts{"1 InvalidBaseImagePlatform: Base image arm was pulled with platform "
              "\"linux/arm64\", expected \"linux/amd64\" for current build"});
  CHECK(found("FROM --platform=linux/arm64 arm AS arm64\n").empty());
}

TEST_CASE("UndefinedVar: variables are defined before they are used") {
  CHECK(found("FROM busybox\nCOPY $foo .\nARG foo=1\nCOPY $foo .\n") ==
        Texts{"2 UndefinedVar: Usage of undefined variable '$foo'"});
  CHECK(found("FROM busybox\nENV PATH=$PAHT:/x\n") ==
        Texts{"2 UndefinedVar: Usage of undefined variable '$PAHT' (did you mean $PATH?)"});
  // Once for an instruction, in the order of its parts.
  CHECK(found("FROM busybox\nCOPY --chown=$u $s $s $d/\n") ==
        Texts{"2 UndefinedVar: Usage of undefined variable '$u'",
              "2 UndefinedVar: Usage of undefined variable '$s'",
              "2 UndefinedVar: Usage of undefined variable '$d'"});
  CHECK(found("FROM busybox\nRUN --mount=type=cache,target=/a$c true\n").size() == 1);
}

TEST_CASE("UndefinedVar: what is declared, inherited or left to the shell is not undefined") {
  CHECK(found("FROM busybox AS a\nARG foo\nENV bar=1\nFROM a\nCOPY $foo $bar$PATH/\n").empty());
  CHECK(found("FROM busybox\nRUN echo $x\nCMD [\"$x\"]\nEXPOSE 80$x\n").empty());
  CHECK(found("FROM busybox\nLABEL a='$x' b=\\$x\n").empty());
  CHECK(found_with("FROM busybox\nARG v=$x\n", {"v", "1"}).empty());
  CHECK(found("FROM busybox\nARG v=$x\n").size() == 1);
}

TEST_CASE("WorkdirRelativePath: the first WORKDIR of a stage and its bases is absolute") {
  CHECK(found("FROM busybox\nWORKDIR app/\nWORKDIR sub\n") ==
        Texts{"2 WorkdirRelativePath: Relative workdir \"app/\" can have unexpected results if the "
              "base image changes"});
  CHECK(found("FROM busybox AS a\nWORKDIR /app\nFROM a\nWORKDIR sub\n").empty());
}

TEST_CASE("MultipleInstructionsDisallowed: the earlier of two has no effect") {
  CHECK(found("FROM busybox\nCMD [\"a\"]\nCMD [\"b\"]\nENTRYPOINT [\"a\"]\nENTRYPOINT [\"b\"]\n"
              "HEALTHCHECK NONE\nHEALTHCHECK CMD x\n") ==
        Texts{"2 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in "
              "the same stage because only the last one will be used",
              "4 MultipleInstructionsDisallowed: Multiple ENTRYPOINT instructions should not be "
              "used in the same stage because only the last one will be used",
              "6 MultipleInstructionsDisallowed: Multiple HEALTHCHECK instructions should not be "
              "used in the same stage because only the last one will be used"});
  CHECK(found("FROM busybox AS a\nCMD [\"a\"]\nFROM a\nCMD [\"b\"]\n").empty());
}

TEST_CASE("JSONArgsRecommended: commands without a shell between, unless one was chosen") {
  CHECK(found("FROM busybox\nCMD a\n") ==
        Texts{"2 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended "
              "behavior related to OS signals"});
  CHECK(found("FROM busybox\nENTRYPOINT a\n").size() == 1);
  CHECK(found("FROM busybox\nSHELL [\"x\"]\nCMD a\n").empty());
  CHECK(found("FROM shelly\nCMD a\n").empty());
}

TEST_CASE("LegacyKeyValueFormat: names and values are joined by =") {
  CHECK(found("FROM busybox\nENV a b\nLABEL c d\nENV e=f\n") ==
        Texts{"2 LegacyKeyValueFormat: \"ENV key=value\" should be used instead of legacy \"ENV "
              "key value\" format",
              "3 LegacyKeyValueFormat: \"LABEL key=value\" should be used instead of legacy "
              "\"LABEL key value\" format"});
}

TEST_CASE("SecretsUsedInArgOrEnv: names that sound like secrets") {
  CHECK(found("FROM busybox\nARG API_TOKEN\nENV Password=x\n") ==
        Texts{"2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "
              "\"API_TOKEN\")",
              "3 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "
              "\"Password\")"});
  for (const auto* name : {"auth", "my_key", "CREDENTIALS_a", "a_pword_b", "apikey", "passwd"})
    CHECK_MESSAGE(sounds_secret(name), name);
  for (const auto* name :
       {"monkey", "author", "KEY_FILE", "public_key", "auth_version", "keys", ""})
    CHECK_MESSAGE(!sounds_secret(name), name);
}

TEST_CASE("CopyIgnoredFile: what the ignore file leaves out cannot be copied") {
  CHECK(found_ignoring("FROM scratch\nCOPY f .\nADD sub/g /\n", "f\nsub\n") ==
        Texts{"2 CopyIgnoredFile: Attempting to Copy file \"f\" that is excluded by .dockerignore",
              "3 CopyIgnoredFile: Attempting to Add file \"sub/g\" that is excluded by "
              ".dockerignore"});
  CHECK(found_ignoring("FROM scratch\nCOPY . .\n", "*\n") ==
        Texts{"2 CopyIgnoredFile: Attempting to Copy file \".\" that is excluded by "
              ".dockerignore"});
  CHECK(found_ignoring("FROM scratch\nCOPY . .\n", ".*\n").empty());
  CHECK(found_ignoring("FROM scratch\nCOPY ./f .\n", "**\n!f\n").empty());
  CHECK(found_ignoring("FROM scratch AS a\nFROM scratch\nCOPY --from=a f .\n", "f\n").empty());
}

TEST_CASE("CopyIgnoredFile: a pattern that is none is an error of the line that asks for it") {
  CHECK(found_ignoring("FROM scratch\nENV a=b\n", "a[\n").empty());
  CHECK(found_ignoring("FROM scratch\nCOPY f .\n", "a[\n") ==
        Texts{"error: Dockerfile:2: line 1: pattern 'a[': syntax error in pattern"});
}

TEST_CASE("ExposeProtoCasing: protocols are in lower case") {
  CHECK(found("FROM busybox\nEXPOSE 80/TcP 443/tcp\n") ==
        Texts{"2 ExposeProtoCasing: Defined protocol '80/TcP' in EXPOSE instruction should be "
              "lowercase"});
}

TEST_CASE("ExposeInvalidFormat: a port of the host says nothing about the image") {
  CHECK(found("FROM busybox\nEXPOSE 80:8080 127.0.0.1:80:443\n") ==
        Texts{"2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or "
              "host-port mapping, found '127.0.0.1:80:443'",
              "2 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or "
              "host-port mapping, found '80:8080'"});
}

TEST_CASE("a comment above an instruction leaves out rules that take the plan") {
  CHECK(found("FROM busybox\n# check=skip=UndefinedVar\nCOPY $a .\n").empty());
  CHECK(found("# about the base\n# check=skip=all\nFROM --platform=$TARGETPLATFORM busybox\n")
            .empty());
}

TEST_CASE("triggers of a base image are warned about at FROM") {
  CHECK(found("ARG A\nFROM triggers\n") ==
        Texts{"2 UndefinedVar: Usage of undefined variable '$nothing'",
              "2 LegacyKeyValueFormat: \"ENV key=value\" should be used instead of legacy \"ENV "
              "key value\" format",
              "2 WorkdirRelativePath: Relative workdir \"app\" can have unexpected results if the "
              "base image changes"});
}

TEST_CASE("a check looks at every stage, a target's at those it needs") {
  auto request = request_of("FROM busybox AS a\nENV x y\nFROM busybox AS b\nENV x y\n");
  CHECK(found(request_of(request.text)).size() == 2);
  request.options.language.targets = {"a"};
  CHECK(found(std::move(request)).size() == 1);
}

TEST_CASE("a base that is out of reach leaves out what depends on it, and nothing else") {
  CheckedBases bases;
  SilentProgress progress;
  const auto report = check_dockerfile(
      request_of("FROM unreachable\nENV a $b\nCMD x\nFROM unreachable\nFROM busybox\nENV a=$b\n"),
      bases, progress);
  CHECK(!report.error);
  CHECK(bases.asked == 1);
  REQUIRE(report.warnings.size() == 2);
  CHECK(report.warnings[0].rule == LintRule::legacy_key_value_format);
  CHECK(report.warnings[1].range.first == 6);
}

TEST_CASE("an image that does not exist is an error, also where it is only copied from") {
  CHECK(found("FROM busybox\nENV a b\nFROM missing\n") ==
        Texts{"error: Dockerfile:3: missing: not in the registry"});
  CHECK(found("FROM busybox\nCOPY --from=missing a b\n") ==
        Texts{"error: Dockerfile:2: missing: not in the registry"});
  CHECK(found("FROM busybox\nRUN --mount=from=missing,target=/m true\n") ==
        Texts{"error: Dockerfile:2: missing: not in the registry"});
}

TEST_CASE("what ends the check is part of the report, with its lines") {
  const auto report = report_of(request_of("FROM busybox AS B\nFOO \\\n bar\n"));
  CHECK(report.warnings.size() == 1);
  REQUIRE(report.error);
  CHECK(report.error->range == SourceRange{2, 3});
  CHECK(report.end == CheckReport::End::not_reached);
  const auto refused = report_of(request_of("# check=error=true\nFROM busybox AS B\n"));
  REQUIRE(refused.error);
  CHECK(refused.error->message == "Dockerfile:2: lint violation found for rules: StageNameCasing");
  CHECK(refused.end == CheckReport::End::reached);
}

TEST_SUITE_END();
