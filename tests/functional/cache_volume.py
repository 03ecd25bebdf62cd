#!/usr/bin/env python3
"""A --cache-dir that refuses things: full, without inodes, read-only from one moment on, with files where folders
should be."""
import contextlib
import os
import pathlib
import shutil
import subprocess
import sys

from cache_support import cached_steps, mounted
from support import ROOTED, Skip, case, expect, expect_equal, main, tar_layers
import web_support


def volume(world, options: str):
    """A file system of its own."""
    if not world.is_root:
        raise Skip("needs root to mount a volume")
    return mounted(world.new_directory("volume"), "-t", "tmpfs", "-o", options, "tmpfs")


def new_base(world) -> str:
    name = world.new_name("base")
    files = [tar_layers.entry(f"data/{number}", os.urandom(20_000)) for number in range(60)]
    world.push(name, [tar_layers.directory("data"), *files])
    return f"FROM REGISTRY/{name}\n"


def steps(site) -> str:
    """What uses every part of a cache directory but the repositories."""
    return (f"ADD http://{site.host}/f /from-web\n"
            "RUN --mount=type=cache,target=/c echo 1 > /c/n && cat /c/n /data/7 /from-web > /all\n"
            "RUN find /data | sort > /list\nCOPY f /f\n")


def build(world, directory, text, *flags, **how):
    return world.build(text, {"f": "text\n"}, "--reproducible", "--cache", f"--cache-dir={directory}", *flags,
                       timeout=120, **how)


def goes_on(world, directory, text: str) -> None:
    """A build with DIRECTORY gives the image that one without it gives, and says that something is wrong there."""
    done = build(world, directory, text).succeeded()
    expect("WARN" in done.err and str(directory) in done.err, done.err)
    wanted = world.build(text, {"f": "text\n"}, "--reproducible").succeeded()
    expect_equal(done.image.digest, wanted.image.digest)
    build(world, directory, text).succeeded()


VOLUMES = [("without room", "size=64k"), ("with room for some of it", "size=1m"),
           ("with room for most of it", "size=3m"), ("without inodes", "size=64m,nr_inodes=2"),
           ("with inodes for the folders alone", "size=64m,nr_inodes=10"),
           ("with inodes for some of it", "size=64m,nr_inodes=60"),
           ("with inodes for most of it", "size=64m,nr_inodes=110")]

for what, options in VOLUMES:
    @case(f"a volume {what}: a warning, and the build goes on")
    def small(world, options=options):
        with volume(world, options) as directory, web_support.web(world) as site:
            goes_on(world, directory, new_base(world) + steps(site))


@case("a volume that has no room left is used for what it has")
def full(world):
    with volume(world, "size=64m") as directory, web_support.web(world) as site:
        text = new_base(world) + steps(site)
        first = build(world, directory, text).succeeded()
        with contextlib.suppress(OSError), open(directory / "fill", "wb") as file:
            while True:
                file.write(b"x" * 65536)
        again = build(world, directory, text).succeeded()
        expect_equal((again.image.digest, len(cached_steps(again))), (first.image.digest, 4), again.err)
        more = build(world, directory, text.replace("RUN find", "RUN find /etc > /etc-list; find")).succeeded()
        expect("WARN" in more.err, more.err)


@case("a cache mount without room for what a command writes: the build begins again with one that is not kept")
def full_mount(world):
    with volume(world, "size=4m") as directory:
        text = ("FROM REGISTRY/busybox\nRUN --mount=type=cache,target=/c dd if=/dev/zero of=/c/big bs=1M count=8 "
                "2>/dev/null && ls -l /c/big | cut -c1-10 > /done\n")
        done = world.build(text, None, f"--cache-dir={directory}").succeeded()
        expect_equal(done.err.count("the build begins again"), 1, done.err)


def whole_run(world, directory, text: str, moment: str, then) -> str:
    """A build of TEXT during which THEN is done once a command has printed MOMENT; what it said."""
    layout, errors = world.new_directory("out") / "layout", world.new_directory("err") / "err"
    words = [
        f"--context={world.context(text, {'f': 'text' + chr(10)})}", f"--kaniko-dir={world.new_directory('work')}",
        f"--isolation={ROOTED}", "--no-push", "--reproducible", f"--oci-layout-path={layout}", "--cache",
        f"--cache-dir={directory}"
    ]
    with open(errors, "w", encoding="utf-8") as err:
        process = world.start(words, stdout=subprocess.PIPE, stderr=err, text=True)
        for line in process.stdout:
            if moment in line:
                then()
                break
        process.stdout.read()
        status = process.wait(120)
    said = errors.read_text()
    expect_equal(status, 0, said[-2000:])
    wanted = world.build(text, {"f": "text\n"}, "--reproducible").succeeded()
    expect_equal((layout / "index.json").read_text(), (wanted.layout / "index.json").read_text())
    return said


@case("a volume that becomes read-only while a build runs: a warning, and the build goes on")
def read_only(world):
    with volume(world, "size=64m") as directory, web_support.web(world) as site:
        text = new_base(world) + "RUN echo ready; sleep 1\n" + steps(site)

        def freeze():
            subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
        said = whole_run(world, directory, text, "ready", freeze)
        expect("WARN" in said, said)


PARTS = ["blobs", "names", "steps", "indexes", "unpacked", "mounts", "downloads"]

IN_THE_WAY = {
    "file": lambda path: path.write_text("in the way\n"),
    "link to nowhere": lambda path: path.symlink_to("/nowhere/at/all")
}

for part in PARTS:
    for what, put in IN_THE_WAY.items():
        @case(f"a {what} where {part} should be: a warning, and the build goes on without that part")
        def in_the_way(world, part=part, put=put):
            place = world.new_directory("cache") / part
            put(place)
            with web_support.web(world) as site:
                goes_on(world, place.parent, new_base(world) + steps(site))
            expect(place.is_symlink() or place.read_text() == "in the way\n", "what was in the way has changed")


@case("a file where --cache-dir should be: a warning, and the build goes on without it")
def file_for_all(world):
    directory = world.new_directory("cache") / "cache"
    directory.write_text("in the way\n")
    with web_support.web(world) as site:
        text = new_base(world) + steps(site)
        done = build(world, directory, text).succeeded()
        expect("--cache-dir" in done.err, done.err)


@case("files of the cache that are empty, cut off or nonsense are made again")
def damaged_files(world):
    with web_support.web(world) as site:
        text = new_base(world) + steps(site)
        wanted = world.build(text, {"f": "text\n"}, "--reproducible").succeeded().image.digest
        for damage in (lambda path: os.truncate(path, 0), lambda path: os.truncate(path,
                                                                                   path.stat().st_size // 2),
                       lambda path: path.write_bytes(b"\0" * path.stat().st_size),
                       lambda path: path.write_bytes(b"[{]")):
            directory = world.new_directory("cache")
            build(world, directory, text).succeeded()
            shutil.rmtree(directory / "mounts")
            for path in directory.rglob("*"):
                if path.is_file() and not path.is_symlink():
                    damage(path)
            done = build(world, directory, text).succeeded()
            expect_equal(done.image.digest, wanted)
            healed = build(world, directory, text).succeeded()
            expect_equal((healed.image.digest, len(cached_steps(healed))), (wanted, 4), healed.err)


@case("a cache mount that was in use when the machine went down begins anew, and one that was not is kept")
def power_cut(world):
    directory = world.new_directory("cache")
    text = "FROM REGISTRY/busybox\nRUN --mount=type=cache,target=/c cat /c/n > /before 2>/dev/null; echo 1 >> /c/n\n"

    def before() -> str:
        return world.build(text, None, f"--cache-dir={directory}").succeeded().image.files["/before"].text
    expect_equal([before(), before()], ["", "1\n"])
    instance, = directory.glob("mounts/*/0")
    mark = instance.with_name("0.boot")
    expect(not mark.exists(), "the mark of an instance that is on the disk")
    mark.write_text(pathlib.Path("/proc/sys/kernel/random/boot_id").read_text())
    expect_equal(before(), "1\n1\n", "a program was killed, the machine was not")
    mark.write_text("00000000-0000-0000-0000-000000000000\n")
    done = world.build(text, None, f"--cache-dir={directory}").succeeded()
    expect_equal(done.image.files["/before"].text, "")
    expect("begins anew" in done.err, done.err)
    mark.write_bytes(b"")
    expect_equal(before(), "", "a mark that is damaged")
    expect_equal(before(), "1\n")


if __name__ == "__main__":
    sys.exit(main())
