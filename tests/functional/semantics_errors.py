#!/usr/bin/env python3
"""Errors of COPY, ADD and stages: the place, the excerpt, and what to do, for each mistake of a Dockerfile."""
import sys

from support import Link, case, expect, main


def refused(world, text: str, files: dict, *said: str, line: int = 2) -> str:
    build = world.refused(text, files, texts=(f"Dockerfile:{line}: ", f"> {line} | ", *said))
    return build.error


@case("a missing source is named with what it may have been")
def missing(world):
    files = {"src/main.c": "", "readme.md": ""}
    refused(world, "FROM scratch\nCOPY src/mian.c /\n", files, '"src/mian.c" is not in the build context',
            'hint: did you mean "src/main.c"?')
    refused(world, "FROM scratch\nCOPY sources/main.c /\n", files, '"sources/main.c" is not in the build context')
    refused(world, "FROM scratch\nADD none /\n", files, '"none" is not in the build context')
    refused(world, "FROM scratch AS a\nCOPY readme.md /\nFROM scratch\nCOPY --from=a /raedme.md /\n", files,
            '"raedme.md" is not in the stage', 'did you mean "readme.md"?', line=4)
    refused(world, "FROM scratch\nCOPY none/* /\n", files, '"none" is not in the build context')


@case("a source below a file, and one behind links that go round, say so")
def odd_sources(world):
    files = {"f": "", "a": Link("b"), "b": Link("a"), "gone": Link("nowhere")}
    refused(world, "FROM scratch\nCOPY f/x /\n", files, '"f/x" is not in the build context')
    refused(world, "FROM scratch\nCOPY a /\n", files, "too many levels of symbolic links")
    refused(world, "FROM scratch\nCOPY gone /\n", files, '"gone" is not in', 'symbolic link to "nowhere"')


@case("a destination that is a file where a directory is needed, and the other way round, is named")
def wrong_destinations(world):
    files = {"f": "", "d/n/x": "", "e/n": ""}
    refused(world, "FROM scratch\nCOPY f /x\nCOPY d /x\n", files, "cannot copy directory '/d' to '/x'", line=3)
    refused(world, "FROM scratch\nCOPY f /x\nCOPY f /x/\n", files, "'/x' is no directory", line=3)
    refused(world, "FROM scratch\nCOPY f /x\nCOPY f /x/y\n", files, "'/x' is no directory", line=3)
    refused(world, "FROM scratch\nCOPY d /x\nCOPY e /x\n", files, "cannot replace directory '/x/n' with file 'e/n'",
            line=3)
    refused(world, "FROM scratch\nCOPY e /x\nCOPY d /x\n", files, "cannot copy directory '/d/n' to '/x/n'", line=3)


@case("a wildcard that is no pattern is an error, whether anything could fit or not")
def bad_wildcards(world):
    for source in ("a[", "[a-]x", "*[b-"):
        refused(world, f"FROM scratch\nCOPY {source} /d/\n", {"f": ""}, "syntax error in pattern")


@case("a name that layers keep for deletions cannot be copied")
def whiteouts(world):
    refused(world, "FROM scratch\nCOPY . /d\n", {".wh.f": ""}, "'/d/.wh.f' cannot be in an image")


@case("an instruction over several lines is shown whole, with its first line as its place")
def several_lines(world):
    error = refused(world, "FROM scratch\nCOPY \\\n  none \\\n  /x\nENV A=b\n", {"f": ""},
                    '"none" is not in the build context')
    for line in ("> 3 |   none \\", "> 4 |   /x"):
        expect(line in error, f"{line!r} is not in {error}")


@case("an unknown target is named with those that are there and the one that was meant")
def targets(world):
    build = world.refused(
        "FROM scratch AS build\nFROM scratch AS test\n", None, "--target=biuld",
        texts=('target stage "biuld" could not be found', "did you mean build?", "hint: the stages are build, test"))
    expect(build.error, "there is no error")


@case("an error inside a trigger shows the trigger, and the FROM that brought it")
def triggers(world):
    world.push("trigger", config={"OnBuild": ["COPY none /x"]})
    build = world.refused("# first\nFROM REGISTRY/trigger\n", {"f": ""},
                          texts=("ONBUILD of", "COPY none /x", '"none" is not in the build context'))
    expect("> 1 | COPY none /x" in build.error, build.error)


if __name__ == "__main__":
    sys.exit(main())
