#!/usr/bin/env python3
"""The configuration that comes out: what is inherited, what resets what, history line by line."""
import sys

from support import case, expect, expect_equal, main

import tar_layers

PATH = tar_layers.PATH
SECOND = 10**9

FULL = {
    "Env": [PATH, "A=1", "EMPTY="], "User": "ann", "WorkingDir": "/srv", "Cmd": ["base"], "Entrypoint": ["/e"],
    "Labels": {"l": "1"}, "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/v": {}}, "StopSignal": "SIGINT",
    "Shell": ["/bin/sh", "-e", "-c"], "Healthcheck": {"Test": ["CMD", "x"], "Interval": 5 * SECOND,
                                                      "Retries": 3}, "ArgsEscaped": True
}


def created_by(image) -> list[tuple[str, bool]]:
    return [(step["created_by"], step.get("empty_layer", False)) for step in image.history]


@case("everything that runs is inherited, what only describes the base is not")
def inherited(world):
    world.push("full", config=FULL | {"Hostname": "h", "Tty": True, "OnBuild": ["ENV OB=1"]})
    image = world.files_only("FROM REGISTRY/full\nLABEL m=2\n").image
    expect_equal(image.config, FULL | {"Env": [PATH, "A=1", "EMPTY=", "OB=1"], "Labels": {"l": "1", "m": "2"}})


@case("an image without PATH gets the default one, behind what it has")
def default_path(world):
    for config, wanted in (({"Env": ["A=1"]}, ["A=1", PATH,
                                               "B=2"]), ({}, [PATH, "B=2"]), ({"Env": ["PATH="]}, ["PATH=", "B=2"])):
        world.push("pathless", config=config)
        expect_equal(world.files_only("FROM REGISTRY/pathless\nENV B=2\n").image.config["Env"], wanted)


@case("a relative working directory of a base is one below the root")
def relative_directory(world):
    world.push("relative", config={"WorkingDir": "a/b"})
    expect_equal(world.files_only("FROM REGISTRY/relative\nWORKDIR c\n").image.config["WorkingDir"], "/a/b/c")


@case("ENTRYPOINT clears a CMD of the base, not one of its own stage, whichever comes first")
def entrypoint(world):
    for text, wanted in (('FROM REGISTRY/busybox\nENTRYPOINT ["e"]\n',
                          None), ('FROM REGISTRY/busybox\nCMD x\nENTRYPOINT ["e"]\n', ["/bin/sh", "-c", "x"]),
                         ('FROM REGISTRY/busybox\nENTRYPOINT ["e"]\nCMD ["y"]\n',
                          ["y"]), ('FROM REGISTRY/busybox AS a\nCMD ["y"]\nFROM a\nENTRYPOINT ["e"]\n', None)):
        config = world.files_only(text).image.config
        expect_equal((config.get("Cmd"), config["Entrypoint"]), (wanted, ["e"]), text)


@case("a command's shell form is given to SHELL as it stands, its exec form is kept word by word")
def commands(world):
    config = world.files_only(
        'FROM scratch\nENV A=1\nSHELL ["/s", "-x"]\nCMD echo  $A \\\n  "b"\nENTRYPOINT ["$A", "t\\tq\\"\\u00e4"]\n'
        "HEALTHCHECK CMD a  b\n").image.config
    expect_equal(
        (config["Cmd"], config["Entrypoint"], config["Healthcheck"]["Test"], config["ArgsEscaped"], config["Shell"]),
        (["/s", "-x", 'echo  $A   "b"'], ["$A", 't\tq"ä'], ["CMD-SHELL", "a  b"], True, ["/s", "-x"]))
    config = world.files_only("FROM scratch\nCMD ['a']\nENTRYPOINT []\n").image.config
    expect_equal((config["Cmd"], config.get("Entrypoint")), (["/bin/sh", "-c", "['a']"], None))


@case("VOLUME takes words and JSON, expands them, and adds to those of the base; an empty one is an error")
def volumes(world):
    world.push("volumes", config={"Volumes": {"/v": {}}})
    config = world.files_only(
        'FROM REGISTRY/volumes\nARG V=/x\nVOLUME /a rel $V/y\nVOLUME ["/b", "/c d"]\n').image.config
    expect_equal(sorted(config["Volumes"]), ["/a", "/b", "/c d", "/v", "/x/y", "rel"])
    for text in ('VOLUME [""]', "VOLUME $none"):
        world.refused(f"FROM scratch\n{text}\n", texts=("Dockerfile:2", "VOLUME", "empty"))


@case("ONBUILD is kept as written for the next build, here-documents with it, and leaves no line of history")
def onbuild(world):
    image = world.files_only(
        "FROM scratch\nONBUILD run  a   b\nONBUILD COPY [\"a\",\"b\"]\nONBUILD RUN <<E\nhi\nE\n").image
    expect_equal((image.config["OnBuild"], image.history), (["run  a   b", 'COPY ["a","b"]', "RUN <<E\nhi\nE"], []))
    for trigger in ("ONBUILD RUN x", "FROM x", "MAINTAINER x"):
        world.refused(f"FROM scratch\nONBUILD {trigger}\n", texts=("Dockerfile:2", "ONBUILD", "cannot be a trigger"))


HISTORY = """FROM scratch
ARG A=1 B
ENV C="two words" D=$A
LABEL e=f "g h"=i
EXPOSE 2/udp 1
VOLUME /v /w
USER 5
WORKDIR /x
WORKDIR y/../z
WORKDIR /
CMD ["a", "b\\tc"]
ENTRYPOINT x $y
SHELL ["/s", "-c"]
HEALTHCHECK --interval=90s CMD h
STOPSIGNAL 9
MAINTAINER me
COPY --chown=1 --chmod=7 --link --exclude=q f /g
COPY --parents f $none
ADD f <<one <<"two" /d/
1
one
2
two
"""


@case("history has BuildKit's words for every instruction, and says which made a layer")
def history(world):
    image = world.files_only(HISTORY, {"f": ""}).image
    expect_equal(
        created_by(image),
        [("ARG A=1 B", True), ("ENV C=two words D=1", True), ("LABEL e=f g h=i", True), ("EXPOSE [1/tcp 2/udp]", True),
         ("VOLUME [/v /w]", True), ("USER 5", True), ("WORKDIR /x", False), ("WORKDIR /x/z", False),
         ("WORKDIR /", True), ('CMD ["a" "b\\tc"]', True), ('ENTRYPOINT ["/bin/sh" "-c" "x $y"]', True),
         ("SHELL [/s -c]", True),
         ("HEALTHCHECK {Test:[CMD-SHELL h] Interval:1m30s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}", True),
         ("STOPSIGNAL 9", True), ("MAINTAINER me", True), ("COPY --chown=1 --chmod=7 f /g # buildkit", False),
         ("COPY --parents f  # buildkit", False), ("ADD f <<one <<two /d/ # buildkit", False)])
    expect_equal({step["comment"] for step in image.history}, {"buildkit.dockerfile.v0"})
    expect(all("created" in step for step in image.history), "a line has no time")


@case("history of RUN tells the arguments that it had, then the command as it was given to the shell")
def run_history(world):
    image = world.build(
        'FROM REGISTRY/busybox\nARG A=1\nARG B\nENV A=2\nRUN true "a b"   c \\\n  d\nRUN ["true", "x y"]\nRUN <<E\n'
        'true\nE\n'
        "RUN --mount=type=tmpfs,target=/m --network=none true\n", None, "--build-arg=B=b b").image
    shell = "/bin/sh -c "
    expect_equal([text for text, _ in created_by(image)][-4:],
                 [f'RUN |2 A=2 B=b b {shell}true "a b"   c   d # buildkit', "RUN |2 A=2 B=b b true x y # buildkit",
                  f"RUN |2 A=2 B=b b {shell}true\n # buildkit", f"RUN |2 A=2 B=b b {shell}true # buildkit"])


@case("history of a base comes first; a base that tells of too few layers, or of too many, is put right")
def base_history(world):
    world.push("told")
    steps = created_by(world.files_only("FROM REGISTRY/told\nENV A=1\n").image)
    expect_equal(steps, [("layer 0", False), ("ENV A=1", True)])
    for history, wanted in (([], [False, True]), ([{"created_by": "a"}, {"created_by": "b"}], [False, True, True])):
        world.push("untold", history=history)
        image = world.files_only("FROM REGISTRY/untold\nENV A=1\n").image
        expect_equal([step.get("empty_layer", False) for step in image.history], wanted)
        expect_equal(len(image.layers), 1)


@case("WORKDIR to the root makes no layer, by another name of it an empty one")
def root_workdir(world):
    image = world.files_only("FROM REGISTRY/busybox\nWORKDIR /\nWORKDIR /.\nWORKDIR //\n").image
    expect_equal(([empty for _, empty in created_by(image)][-3:], len(image.layers)), ([True, False, False], 3))


if __name__ == "__main__":
    sys.exit(main())
