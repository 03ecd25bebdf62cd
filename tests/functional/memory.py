#!/usr/bin/env python3
"""Memory stays bounded, however large a base, a layer or a file is."""
import sys
import tarfile

from support import case, expect, main

import tar_layers

MIB = 1 << 20
LIMIT = 100 * MIB


def many_files(count: int, size: int):
    """The tar of COUNT files of SIZE bytes, piece by piece."""
    for number in range(count):
        yield tar_layers.header(f"data/{number % 100}/file{number}", tarfile.REGTYPE, size)
        yield bytes(size) + bytes(-size % 512)
    yield bytes(1024)


def check_peak(build) -> None:
    build.succeeded()
    expect(0 < build.peak < LIMIT, f"{build.peak / MIB:.0f} MiB at most")


@case("COPY onto a base of 200 MB and 20,000 files takes less than 100 MB")
def large_base(world):
    tar_layers.push_stream(world.host, "large", many_files(20_000, 10_000))
    check_peak(
        world.files_only("FROM REGISTRY/large:1 AS large\nCOPY f /data/\nFROM scratch\nCOPY --from=large /data/7 /\n",
                         {"f": "x"}, measure=True))


@case("a layer with a file of 300 MB takes less than 100 MB, whichever way it comes")
def large_file(world):
    context = world.context("FROM REGISTRY/busybox\nCOPY large /a\nRUN truncate -s 300M /b\n")
    with (context / "large").open("wb") as file:
        file.truncate(300 * MIB)
    outputs = ("--no-push", f"--tar-path={world.directory}/large.tar")
    check_peak(world.build("", context=context, outputs=outputs, measure=True))


@case("a context of 20,000 files takes less than 100 MB")
def many_context_files(world):
    files = {f"f/{number % 50}/{number}": str(number) for number in range(20_000)}
    check_peak(
        world.files_only("FROM scratch AS one\nCOPY f /f\nFROM scratch\nCOPY --from=one / /\n", files, measure=True))


if __name__ == "__main__":
    sys.exit(main())
