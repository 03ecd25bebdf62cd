#!/usr/bin/env python3
"""The size of --cache-dir: what is removed, what is in use, and directories that cannot be written."""
import os
import pathlib
import subprocess
import sys
import threading
import time

from cache_support import asked, blob, own_registry
from support import Skip, case, expect, expect_equal, main, write_tree
import web_support
from warmer_support import large, start, warm

FILES = {"f": "text\n"}


def size_of(directory: pathlib.Path) -> int:
    return sum(path.lstat().st_blocks * 512 for path in directory.rglob("*"))


def used(path: pathlib.Path, age: float) -> None:
    """The last use of an entry was AGE seconds ago."""
    os.utime(path, (time.time() - age, path.stat().st_mtime))


def build(world, directory, text, *flags, **how):
    return world.build(text, FILES, "--cache", f"--cache-dir={directory}", *flags, timeout=120, **how)


@case("what was not used for the longest time goes first, until there is room")
def least_recently_used(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        layers = [large(server, f"large{number}:1", 3_000_000)[1] for number in range(3)]
        warm(world, directory, *(f"-i={server.host}/large{number}:1" for number in range(3))).succeeded()
        for layer, age in zip(layers, (100, 300, 200), strict=True):
            used(blob(directory, layer), age)
        done = warm(world, directory, f"-i={server.host}/base:1", "--max-size=8M").succeeded()
        expect("Removed" in done.err, done.err)
        expect_equal([blob(directory, layer).exists() for layer in layers], [True, False, True])
        expect(size_of(directory) < 8_500_000, f"{size_of(directory)}")


@case("a use counts: what a build has read is not the first to go")
def use_counts(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        layers = [large(server, f"large{number}:1", 3_000_000)[1] for number in range(2)]
        warm(world, directory, *(f"-i={server.host}/large{number}:1" for number in range(2))).succeeded()
        for layer in layers:
            used(blob(directory, layer), 1000)
        text = f"FROM {server.host}/large0:1\nCOPY f /f\n"
        build(world, directory, text, "--cache-max-size=5M", isolation="none").succeeded()
        expect_equal([blob(directory, layer).exists() for layer in layers], [True, False])


@case("downloads and cache mounts count, and go like the rest")
def downloads_and_mounts(world):
    directory = world.new_directory("cache")
    write_tree(directory, {"downloads/blobs/sha256/" + "a" * 64: b"x" * 5_000_000, "downloads/urls/" + "b" * 64: "{}"})
    text = (
        "FROM REGISTRY/busybox\nRUN --mount=type=cache,target=/c,id=old dd if=/dev/zero of=/c/file bs=1M count=5 "
        "2>/dev/null\n"
        "RUN --mount=type=cache,target=/c,id=new dd if=/dev/zero of=/c/file bs=1M count=2 2>/dev/null\n")
    build(world, directory, text).succeeded()
    mounts = {("new" if "id=new" in (path / "about").read_text() else "old"): path
              for path in (directory / "mounts").iterdir()}
    for path in [mounts["old"], *(directory / "downloads").rglob("*")]:
        os.utime(path, (1_000_000_000, 1_000_000_000))
    build(world, directory, "FROM REGISTRY/busybox\nRUN true\n", "--cache-max-size=6M").succeeded()
    expect_equal((mounts["old"].exists(), mounts["new"].exists()), (False, True))
    expect(not list((directory / "downloads/blobs/sha256").iterdir()), "the download is there")
    again = "FROM REGISTRY/busybox\nRUN --mount=type=cache,target=/c,id=old test ! -e /c/file\n"
    build(world, directory, again).succeeded()


@case("builds that are running lose nothing that they use, however small the directory is to be")
def while_building(world):
    directory = world.new_directory("cache")
    text = (
        "FROM REGISTRY/busybox\nRUN echo 1 > /one; sleep 0.3\n"
        "RUN --mount=type=cache,target=/c echo >> /c/n; cat /one > /two\n"
        "RUN cat /one /two > /three; sleep 0.3\nCOPY f /f\n")
    build(world, directory, text).succeeded()
    ended = threading.Event()
    problems = []

    def trim():
        while not ended.is_set():
            done = build(world, directory, "FROM scratch\nCOPY f /f\n", "--cache-max-size=1K", isolation="none")
            if done.status != 0:
                problems.append(done.said)

    trimmers = [threading.Thread(target=trim) for _ in range(2)]
    for thread in trimmers:
        thread.start()
    try:
        for number in range(8):
            done = build(world, directory, text + f"RUN echo {number} > /n; cat /one /two /three /f\n").succeeded()
            expect_equal(done.image.files["/three"].text, "1\n1\n")
    finally:
        ended.set()
        for thread in trimmers:
            thread.join()
    expect_equal(problems, [])


@case("what killed programs left is removed after a day")
def leftovers(world):
    directory = world.new_directory("cache")
    write_tree(
        directory, {
            "blobs/sha256/.partial-1": "x", "blobs/sha256/.fetching-" + "c" * 64: "x", "unpacked/.partial-2/f": "x",
            "steps/a.json.tmp-123456": "x", "blobs/sha256/.partial-new": "x"
        })
    for name in ("blobs/sha256/.partial-1", "blobs/sha256/.fetching-" + "c" * 64, "unpacked/.partial-2",
                 "steps/a.json.tmp-123456"):
        os.utime(directory / name, (1_000_000_000, 1_000_000_000))
    build(world, directory, "FROM scratch\nCOPY f /f\n", "--cache-max-size=1G", isolation="none").succeeded()
    left = [
        str(path.relative_to(directory)) for path in directory.rglob("*")
        if ".partial" in path.name or ".fetching" in path.name or ".tmp-" in path.name
    ]
    expect_equal(left, ["blobs/sha256/.partial-new"])


@case("a warmer that is at work loses nothing to one that makes room")
def warming_while_trimming(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        digest, layer, size = large(server, "large:1", 20_000_000)
        process = start(world, directory, f"-i={server.host}/large:1")
        while process.poll() is None:
            warm(world, directory, f"-i={server.host}/base:1", "--max-size=1K")
        expect_equal(process.wait(), 0, process.stderr.read().decode()[-1500:])


@case("sizes are numbers with K, M, G or T")
def sizes(world):
    for text in ("5X", "-1", "G", "1.2.3G", "99999999T"):
        done = build(world, world.new_directory("cache"), "FROM scratch\nCOPY f /f\n", f"--cache-max-size={text}",
                     isolation="none")
        done.failed("--cache-max-size", "number of bytes")


def build_read_only(world, directory, text: str, *flags) -> subprocess.CompletedProcess:
    """A build for which --cache-dir is mounted read-only, as a claim that many pods read."""
    world.need_namespaces()
    script = f"mount --bind {directory} {directory} && mount -o remount,bind,ro {directory} && exec \"$@\""
    words = [f"--context={world.context(text, FILES)}", f"--kaniko-dir={world.new_directory('work')}", "--no-push",
             f"--oci-layout-path={world.new_directory('out')}/layout", "--cache", f"--cache-dir={directory}", *flags]
    return subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh",
                           str(world.program), *words], env=world.environment, capture_output=True, text=True,
                          timeout=120, check=False)


@case("a directory that cannot be written is used for all that it has, and nothing is an error")
def read_only(world):
    if not world.is_root:
        raise Skip("needs root")
    directory = world.new_directory("cache")
    with own_registry(world) as server, web_support.web(world) as site:
        text = f"FROM {server.host}/base:1\nRUN date +%N > /stamp\nCOPY f /f\nADD http://{site.host}/f /from-web\n"
        build(world, directory, text).succeeded()
        listing = {str(path): path.lstat().st_mtime for path in directory.rglob("*")}
        before = len(server.requests())
        mounted = "RUN --mount=type=cache,target=/c cat /stamp /from-web > /c/x; cat /c/x > /copy\n"
        done = build_read_only(world, directory, text + mounted, "--cache-max-size=1K")
        expect_equal(done.returncode, 0, done.stderr[-1500:])
        expect_equal(done.stderr.count("[cached"), 3, done.stderr)
        expect("WARN" not in done.stderr, done.stderr)
        expect_equal(asked(server, before, "GET", "blobs"), [])
        expect("Using the kept file" in done.stderr, done.stderr)
        expect_equal({str(path): path.lstat().st_mtime for path in directory.rglob("*")}, listing)


@case("a directory that cannot be written and is empty, or none, is no error")
def read_only_and_empty(world):
    if not world.is_root:
        raise Skip("needs root")
    text = f"FROM {world.host}/busybox\nRUN true\n"
    done = build_read_only(world, world.new_directory("cache"), text)
    expect_equal(done.returncode, 0, done.stderr[-1500:])


if __name__ == "__main__":
    sys.exit(main())
