#!/usr/bin/env python3
"""Section 3 of the Dockerfile's language: what each instruction leaves in the image's configuration."""
import sys

from support import case, expect, expect_equal, main


def config(world, text: str) -> dict:
    return world.files_only(f"FROM scratch\n{text}").image.config


@case("ENV and LABEL come with = and without, and their names are expanded too")
def pairs(world):
    found = config(world,
                   "ENV A=1 B=\"two words\" C=\\$A\nENV D the rest  of=it\nENV $A=x\nLABEL l.$A=$B m='$B' \"n o\"=p\n")
    expect_equal(found["Env"][1:], ["A=1", "B=two words", "C=$A", "D=the rest  of=it", "1=x"])
    expect_equal(found["Labels"], {"l.1": "two words", "m": "$B", "n o": "p"})


@case("EXPOSE takes ranges, protocols in any case, and what publishes ports")
def ports(world):
    image = world.files_only("FROM scratch\nEXPOSE 80 9-11/UDP 127.0.0.1:70:7000/sctp\n").image
    expect_equal(sorted(image.config["ExposedPorts"]), ["10/udp", "11/udp", "7000/sctp", "80/tcp", "9/udp"])
    expect_equal(image.history[-1]["created_by"], "EXPOSE [7000/sctp 80/tcp 9/udp 10/udp 11/udp]")


@case("a health check stores what was given, in nanoseconds, and nothing else")
def health(world):
    found = config(world, "HEALTHCHECK --interval=1m30s --retries=3 CMD curl $x\n")["Healthcheck"]
    expect_equal(found, {"Test": ["CMD-SHELL", "curl $x"], "Interval": 90 * 10**9, "Retries": 3})
    expect_equal(config(world, 'HEALTHCHECK CMD ["a", "b"]\n')["Healthcheck"], {"Test": ["CMD", "a", "b"]})
    expect_equal(config(world, "HEALTHCHECK CMD x\nHEALTHCHECK NONE\n")["Healthcheck"], {"Test": ["NONE"]})


@case("a stop signal is stored as it was written")
def signals(world):
    for written in ("SIGRTMIN+3", "term", "9"):
        expect_equal(config(world, f"STOPSIGNAL {written}\n")["StopSignal"], written)


@case("SHELL stands before commands in shell form, and is stored")
def shell(world):
    found = config(world, 'SHELL ["/bin/bash", "-ec"]\nCMD a $b\nENTRYPOINT ["c", "$d"]\n')
    expect_equal((found["Shell"], found["Cmd"], found["Entrypoint"]),
                 (["/bin/bash", "-ec"], ["/bin/bash", "-ec", "a $b"], ["c", "$d"]))


@case("VOLUME, USER, WORKDIR and MAINTAINER leave their words")
def words(world):
    image = world.files_only(
        'FROM scratch\nENV v=/v\nVOLUME $v /w\nVOLUME ["/a b"]\nUSER 1:2\nWORKDIR $v/x\nMAINTAINER me $v\n').image
    expect_equal(sorted(image.config["Volumes"]), ["/a b", "/v", "/w"])
    expect_equal((image.config["User"], image.config["WorkingDir"], image.document["author"]), ("1:2", "/v/x", "me $v"))


@case("a trigger is stored as it was written, and may be one that nobody understands yet")
def triggers(world):
    found = config(world, "onbuild  run  a   b\nONBUILD COPY --future=1 c\n")
    expect_equal(found["OnBuild"], ["run  a   b", "COPY --future=1 c"])
    world.refused("FROM scratch AS a\nONBUILD COPY --future=1 c\nFROM a\nLABEL x=1\n",
                  texts=("ONBUILD of a:1: COPY: ", "> 3 | FROM a"))


@case("FROM takes stages in any case, and platforms from arguments")
def stages(world):
    image = world.files_only(
        "ARG P=linux/arm64\nFROM scratch AS One\nLABEL a=1\nFROM --platform=$P oNE\nLABEL b=2\n").image
    expect_equal(image.config["Labels"], {"a": "1", "b": "2"})


@case("files whose names have blanks are named in an array")
def blanks(world):
    build = world.files_only('FROM scratch\nCOPY ["a b", "c", "/d e/"]\nADD ["a b", "/$x y"]\n', {"a b": "1", "c": "2"})
    expect_equal(sorted(path for path, node in build.image.files.items() if node.kind == "file"),
                 ["/ y", "/d e/a b", "/d e/c"])
    expect(build.image.text("/d e/a b") == "1", "content")


if __name__ == "__main__":
    sys.exit(main())
