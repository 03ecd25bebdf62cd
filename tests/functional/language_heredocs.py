#!/usr/bin/env python3
"""Section 6 of the Dockerfile's language: heredocs of RUN, COPY, ADD and their triggers."""
import sys

from support import case, expect, expect_equal, main


def output_of(world, instructions: str) -> str:
    return world.build(f"FROM REGISTRY/busybox\n{instructions}").succeeded().out


@case("RUN with a heredoc alone runs its lines in one shell, and leaves variables to it")
def script(world):
    expect_equal(output_of(world, "ENV A=1\nRUN <<EOF\nB=2\necho \"$A$B\"\nEOF\n"), "12\n")
    expect_equal(output_of(world, "RUN <<'EOF'\nC=3; echo $C\nEOF\n"), "3\n")
    expect_equal(output_of(world, "RUN <<-EOF\n\t\techo a\n\tEOF\n"), "a\n")


@case("a body that starts with #! is run by what it names, with its arguments, from /dev/pipes")
def interpreter(world):
    expect_equal(output_of(world, "RUN <<EOF\n#!/bin/awk -f\nBEGIN { print 6 * 7 }\nEOF\n"), "42\n")
    expect_equal(output_of(world, "RUN <<-EOF\n\t#!/bin/sh -e\n\techo $0\n\tEOF\n"), "/dev/pipes/EOF\n")
    build = world.build("FROM REGISTRY/busybox\nRUN <<EOF\n#!/bin/sh\ntrue\nEOF\n")
    expect("/dev/pipes" not in build.image.files and "/dev/pipes/EOF" not in build.image.files,
           "the script is in the image")


@case("a command before heredocs reads them in the shell, several per line, with descriptors and pipes")
def several(world):
    expect_equal(output_of(world, "RUN cat <<A - <<B\n1\nA\n2\nB\n"), "2\n")
    expect_equal(output_of(world, "RUN cat <<A && cat <<-'B' | tr a-z A-Z\n$((1+1))\nA\n\t$b\n\tB\n"), "2\n$B\n")
    expect_equal(output_of(world, "RUN 3<<A cat <&3\nthree\nA\n"), "three\n")


@case("text that only looks like a heredoc is the shell's")
def lookalikes(world):
    expect_equal(output_of(world, "RUN echo $((1<<3)) '<<A' \"<<B\"\n"), "8 <<A <<B\n")


@case("heredocs of COPY and ADD become files of root, mode 0644, beside other sources")
def files(world):
    build = world.files_only("FROM scratch\nARG who=you\nCOPY f <<a <<'b' <<-c /d/\nhello $who\na\n$who\nb\n\tx\n\tc\n"
                             "ADD --chown=1:2 --chmod=600 <<e /e\n\"${who}\" \\$who\ne\nCOPY 4<<\"g\" /i\n$who\ng\n",
                             {"f": "f"})
    image = build.image
    expect_equal(
        {path: image.text(path) for path in ("/d/f", "/d/a", "/d/b", "/d/c", "/e", "/i")},
        {"/d/f": "f", "/d/a": "hello you\n", "/d/b": "$who\n", "/d/c": "x\n", "/e": '"you" $who\n', "/i": "$who\n"})
    nodes = [(oct(image.files[path].mode), image.files[path].owner) for path in ("/d/a", "/e")]
    expect_equal(nodes, [("0o644", (0, 0)), ("0o600", (1, 2))])


@case("quotes around any part of the terminator forbid expansion")
def partly_quoted(world):
    build = world.files_only("FROM scratch\nENV A=1\nCOPY <<E'O'F /a\n$A\nEOF\nCOPY <<E\\OF /b\n$A\nEOF\n")
    expect_equal((build.image.text("/a"), build.image.text("/b")), ("$A\n", "1\n"))


@case("a trigger keeps its heredocs for the image that is built upon it")
def triggers(world):
    build = world.files_only("FROM scratch AS a\nARG who=you\nONBUILD COPY <<E /f\nhello $who\nE\nFROM a\n")
    expect_equal(build.image.text("/f"), "hello you\n")
    kept = world.files_only("FROM scratch\nONBUILD RUN <<E\necho 1\nE\n").image
    expect_equal(kept.config["OnBuild"], ["RUN <<E\necho 1\nE"])


@case("a heredoc that does not end names the line it starts on")
def unterminated(world):
    world.refused(
        "FROM scratch\nRUN <<EOF\necho\n EOF\n",
        texts=("Dockerfile:2: the heredoc <<EOF does not end", "> 2 | RUN <<EOF", "hint: a line with nothing but EOF"))


if __name__ == "__main__":
    sys.exit(main())
