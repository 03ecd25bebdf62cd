#!/usr/bin/env python3
"""Build checks: each rule, how they are chosen, what they print, and what they do to a build."""
import base64
import json
import sys

from support import case, expect, expect_equal, main

RULES = [  # the rule, a Dockerfile, and the lines it is told for
    ("StageNameCasing", "FROM scratch AS Base\n", [1]),
    ("FromAsCasing", "FROM scratch as base\n", [1]),
    ("NoEmptyContinuation", "FROM scratch\nENV A=1 \\\n\n  B=2\n", [4]),
    ("ConsistentInstructionCasing", "FROM scratch\nENV A=1\nenv B=2\n", [3]),
    ("DuplicateStageName", "FROM scratch AS a\nFROM scratch AS a\n", [2]),
    ("ReservedStageName", "FROM scratch AS scratch\n", [1]),
    ("JSONArgsRecommended", "FROM scratch\nCMD run it\n", [2]),
    ("MaintainerDeprecated", "FROM scratch\nMAINTAINER me\n", [2]),
    ("UndefinedArgInFrom", "ARG a=scratch\nFROM $a$nope\n", [2]),
    ("WorkdirRelativePath", "FROM scratch\nWORKDIR app\n", [2]),
    ("UndefinedVar", "FROM scratch\nENV A=$nope\n", [2]),
    ("MultipleInstructionsDisallowed", "FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\n", [2]),
    ("LegacyKeyValueFormat", "FROM scratch\nENV A b\nLABEL c d\n", [2, 3]),
    ("RedundantTargetPlatform", "FROM --platform=$TARGETPLATFORM scratch\n", [1]),
    ("SecretsUsedInArgOrEnv", "FROM scratch\nARG API_TOKEN\nENV PASSWORD=x\n", [2, 3]),
    ("FromPlatformFlagConstDisallowed", "FROM --platform=linux/amd64 scratch\n", [1]),
    ("CopyIgnoredFile", "FROM scratch\nCOPY hidden /\n", [2]),
    ("ExposeProtoCasing", "FROM scratch\nEXPOSE 80/TCP\n", [2]),
    ("ExposeInvalidFormat", "FROM scratch\nEXPOSE 127.0.0.1:80:80\n", [2]),
]
FILES = {".dockerignore": "hidden\n", "hidden": "x"}
CHECKED = "FROM scratch\nMAINTAINER me\nCMD run it\n"


def check(world, text, *flags, files=None):
    return world.build(text, FILES if files is None else files, "--check", *flags, isolation="none", outputs=())


def found(world, text, *flags) -> list[tuple[str, int]]:
    report = json.loads(check(world, text, "--check-format=json", *flags).out)
    return [(warning["ruleName"], warning["location"]["ranges"][0]["start"]["line"]) for warning in report["warnings"]]


def register_rule(rule: str, text: str, lines: list[int]) -> None:
    @case(f"{rule} is found on its line, and with skip={rule} it is not")
    def one_rule(world):
        warnings = found(world, text)
        expect_equal([line for name, line in warnings if name == rule], lines, f"found {warnings}")
        skipped = found(world, f"# check=skip={rule}\n{text}")
        expect_equal([name for name, _ in skipped if name == rule], [], "skipped")


for row in RULES:
    register_rule(*row)


@case("InvalidDefaultArgInFrom is found where FROM has no image without build arguments")
def default_in_from(world):
    warnings = found(world, "ARG base\nFROM $base\n", "--build-arg=base=scratch")
    expect_equal([name for name, _ in warnings], ["InvalidDefaultArgInFrom"])


@case("InvalidBaseImagePlatform is found where a base image is for another platform")
def base_platform(world):
    world.push("arm", architecture="arm64")
    warnings = found(world, "FROM REGISTRY/arm\n", "--custom-platform=linux/amd64")
    expect_equal(warnings, [("InvalidBaseImagePlatform", 1)])


@case("InvalidDefinitionDescription is experimental: it is found when that is asked for")
def experimental(world):
    text = "# what it is\nARG version=1\nFROM scratch\n"
    expect_equal(found(world, "# check=skip=UndefinedVar\n" + text), [])
    for asked in ("all", "InvalidDefinitionDescription"):
        expect_equal(found(world, f"# check=experimental={asked}\n{text}"), [("InvalidDefinitionDescription", 3)])


@case("text: rule, page, message and the lines, in the file's order, and how many there are")
def text_form(world):
    done = check(world, CHECKED)
    expect_equal(done.status, 0, done.said)
    for part in ("WARNING: MaintainerDeprecated - https://docs.docker.com/go/dockerfile/rule/maintainer-deprecated/\n",
                 "Dockerfile:2\n", "MAINTAINER me\n", "Check complete, 2 warnings have been found!\n"):
        expect(part in done.out, f"{part!r} is not in {done.out}")
    expect(done.out.index("MaintainerDeprecated") < done.out.index("JSONArgsRecommended"), done.out)
    clean = check(world, "FROM scratch\nCMD [\"a\"]\n")
    expect_equal((clean.status, clean.out), (0, "Check complete, no warnings found.\n"))


@case("JSON: has the Dockerfile and everything of a warning")
def json_form(world):
    report = json.loads(check(world, CHECKED, "--check-format=json").out)
    expect_equal(base64.b64decode(report["sources"][0]["data"]).decode(), CHECKED)
    expect_equal(sorted(report["warnings"][0]), ["description", "detail", "location", "ruleName", "url"])


@case("a Dockerfile with a mistake is an error of the check, which tells the warnings before it")
def mistake(world):
    done = check(world, "FROM scratch\nMAINTAINER me\nCOPPY a b\n")
    expect(done.status == 1 and "Dockerfile:3" in done.error and "COPY" in done.error, done.said)


@case("error=true: the check ends with status 1, and a build before it has begun")
def error_true(world):
    done = check(world, "# check=error=true\n" + CHECKED)
    expect(done.status == 1 and "MaintainerDeprecated" in done.out, done.said)
    world.refused("# check=error=true\n" + CHECKED, None, texts=("lint violation found for rules",))
    expect_equal(check(world, "# check=error=true\nFROM scratch\n").status, 0)


@case("skip=all, skip above an instruction, and BUILDKIT_DOCKERFILE_CHECK in place of the directive")
def choosing(world):
    expect_equal(found(world, "# check=skip=all\n" + CHECKED), [])
    one = "FROM scratch\n# check=skip=MaintainerDeprecated\nMAINTAINER me\nCMD run it\n"
    expect_equal(found(world, one), [("JSONArgsRecommended", 4)])
    argument = "--build-arg=BUILDKIT_DOCKERFILE_CHECK=skip=JSONArgsRecommended"
    expect_equal(found(world, "# check=skip=all\n" + CHECKED, argument), [("MaintainerDeprecated", 3)])


@case("a build says each warning once in its log, with its line and rule, and goes on")
def in_a_build(world):
    done = world.files_only(CHECKED).succeeded()
    for part in ("Dockerfile:2: MaintainerDeprecated: ", "Dockerfile:3: JSONArgsRecommended: "):
        expect_equal(done.err.count(part), 1, done.err)


@case("stages that the build does not need are checked by --check alone")
def unneeded_stages(world):
    text = "FROM scratch AS a\nENV A=$nope\nFROM scratch\nENV A=b\n"
    expect_equal(found(world, text), [("UndefinedVar", 2)])
    expect_equal(found(world, text, "--target=1"), [])
    expect("UndefinedVar" not in world.files_only(text).succeeded().err, "told in the build")


@case("an image that cannot be reached is no error of the check")
def unreachable(world):
    done = check(world, "FROM 127.0.0.1:1/nowhere\nMAINTAINER me\n")
    expect(done.status == 0 and "MaintainerDeprecated" in done.out and "127.0.0.1:1" in done.err, done.said)


@case("what --check makes no sense with is told")
def senseless(world):
    expect("--check-format" in world.files_only("FROM scratch\nENV A=b\n", None, "--check-format=json").err,
           "no warning")
    expect_equal(check(world, CHECKED, "--dryrun").status, 1)
    expect_equal(check(world, CHECKED, "--check-format=xml").status, 1)


if __name__ == "__main__":
    sys.exit(main())
