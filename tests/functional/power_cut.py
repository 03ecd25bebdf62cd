#!/usr/bin/env python3
"""The power of a machine goes while eight builds use one --cache-dir: what its disk then holds gives the right image.

    CAIRN_PROGRAMS=... power_cut.py                 two rounds of each kind, a few seconds each
    CAIRN_PROGRAMS=... CAIRN_ROUNDS=20 power_cut.py  twenty of each kind, cut after 5 to 30 seconds
"""
import fcntl
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import time

from cache_support import mounted
from support import Skip, case, expect_equal, main, tar_layers

ROUNDS = int(os.environ.get("CAIRN_ROUNDS", "0"))
DELAYS = (5.0, 30.0) if ROUNDS else (0.5, 4.0)
BUILDERS = 8
COPIES = 30
SIZE = 2 << 30
FS_IOC_SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING = 2
# A cache mount says whether what is in it can be relied on.
STEPS = """RUN find /data | sort > /list; cat $(find /data -type f | sort) | wc -c > /all
RUN --mount=type=cache,target=/c if [ -e /c/whole ]; then cat /c/0* | cmp - /c/whole; else \
    for n in 00 01 02 03; do cat /data/1/1 > /c/$n; done; cat /c/0* > /c/half; mv /c/half /c/whole; fi; \
    echo done > /mounted
COPY f /f
RUN cat /list /all /mounted /f > /sum
"""


def words(world, text: str, layout: pathlib.Path, directory: pathlib.Path | None) -> list[str]:
    cache = ["--cache", f"--cache-dir={directory}"] if directory else []
    return [
        f"--context={world.context(text, {'f': 'text' + chr(10)})}", f"--kaniko-dir={world.new_directory('work')}",
        "--isolation=namespace", "--no-push", "--reproducible", f"--oci-layout-path={layout}", *cache
    ]


def index_of(layout: pathlib.Path) -> str:
    return (layout / "index.json").read_text()


def new_base(world) -> str:
    name = world.new_name("base")
    files = [tar_layers.entry(f"data/{folder}/{number}", os.urandom(random.choice([100, 3000, 20_000])))
             for folder in range(40) for number in range(50)]
    world.push(
        name, [tar_layers.directory("data"), *(tar_layers.directory(f"data/{folder}") for folder in range(40)), *files])
    return f"FROM REGISTRY/{name}\n"


def disk(image: pathlib.Path, place: pathlib.Path):
    """The file system of an image, mounted; what its journal holds is put in place."""
    place.mkdir(exist_ok=True)
    return mounted(place, "-o", "loop", str(image))


def writes_to(image: pathlib.Path) -> tuple[str, str]:
    """How many writes the device of a mounted image has done, and how many requests are under way."""
    device = subprocess.run(["losetup", "-nO", "NAME", "-j", str(image)], capture_output=True, text=True,
                            check=True).stdout.strip()
    fields = pathlib.Path("/sys/block", pathlib.Path(device).name, "stat").read_text().split()
    return fields[4], fields[8]


def copy_in_use(image: pathlib.Path, _place: pathlib.Path, builders: list[subprocess.Popen]) -> pathlib.Path:
    """What the device holds at one moment is another disk; what runs, runs on. Builders stand still while it is copied,
    and a copy during which the device was written to is of no moment at all: it may have what was written last, and
    lack what the file system had waited for before."""
    copy = image.with_name("copy")
    for process in builders:
        process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(COPIES):
            before = writes_to(image)
            subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True)
            if before == writes_to(image) and before[1] == "0":
                return copy
    finally:
        for process in builders:
            process.send_signal(signal.SIGCONT)
    raise AssertionError(f"the device was never quiet for as long as a copy takes, {COPIES} times")


def shut_down(image: pathlib.Path, place: pathlib.Path, _builders: list[subprocess.Popen]) -> pathlib.Path:
    """From one moment on nothing reaches the device any more; whoever uses the file system gets errors."""
    root = os.open(place, os.O_RDONLY)
    try:
        fcntl.ioctl(root, FS_IOC_SHUTDOWN, struct.pack("I", WITHOUT_FLUSHING))
    finally:
        os.close(root)
    return image


def build_after_restart(world, text: str, directory: pathlib.Path) -> tuple[str, str]:
    """The index of a build on a machine that has been started anew, and its log."""
    layout, boot = world.new_directory("out") / "layout", world.new_directory("boot") / "boot_id"
    boot.write_text("11111111-2222-3333-4444-555555555555\n")
    script = f"mount --bind {boot} /proc/sys/kernel/random/boot_id && exec \"$@\""
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh",
         str(world.program), *words(world, text, layout, directory)], env=world.environment, capture_output=True,
        text=True, timeout=300, check=False)
    expect_equal(done.returncode, 0, done.stderr[-3000:])
    return index_of(layout), done.stderr


def one_round(world, cut) -> str:
    """What is to be said of one cut."""
    base = new_base(world)
    text = base + STEPS
    longer = text + "RUN find /data | sort | cmp - /list && cat $(find /data -type f | sort) > /everything\n"
    wanted = []
    for what in (text, longer):
        layout = world.new_directory("out") / "layout"
        status, _, err, _ = world.execute(words(world, what, layout, None), timeout=300)
        expect_equal(status, 0, err[-2000:])
        wanted.append(index_of(layout))
    place = world.new_directory("disk")
    image = place / "image"
    with open(image, "wb") as file:
        file.truncate(SIZE)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    with disk(image, place / "before") as directory:
        cache = directory / "cache"
        builders = [
            world.start(
                words(world, text + f"RUN echo {number} > /number\n",
                      world.new_directory("out") / "layout", cache), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            for number in range(BUILDERS)
        ]
        delay = random.uniform(*DELAYS)
        time.sleep(delay)
        at_work = sum(process.poll() is None for process in builders)
        rest = cut(image, directory, builders)
        for process in builders:
            err = process.communicate(timeout=300)[1].decode(errors="replace")
            expect_equal(process.returncode, 0, f"a build during the cut: {err[-3000:]}")
    with disk(rest, place / "after") as directory:
        sealed = sum("user.cairn.seal" in os.listxattr(path)
                     for path in (directory / "cache/unpacked").glob("[0-9a-f]*"))
        found, err = build_after_restart(world, text, directory / "cache")
        expect_equal(found, wanted[0], err[-3000:])
        found, err_longer = build_after_restart(world, longer, directory / "cache")
        expect_equal(found, wanted[1], err_longer[-3000:])
    shutil.rmtree(place)
    noticed = sum(line.count("WARN") for line in (err, err_longer))
    return (f"cut after {delay:.1f} s, {at_work} builds at work; {sealed} layers were sealed, {err.count('[cached')} "
            f"steps cached, {noticed} warnings")


def rounds(world, cut) -> None:
    if not world.is_root or shutil.which("mkfs.ext4") is None:
        raise Skip("needs root and mkfs.ext4")
    for number in range(ROUNDS or 2):
        print(f"  round {number + 1}: {one_round(world, cut)}", flush=True)


@case("the disk as it is at one moment, eight builds running on: the next build is right")
def copied(world):
    rounds(world, copy_in_use)


@case("the disk is cut off from its machine under eight builds: they go on, and the next build is right")
def cut_off(world):
    rounds(world, shut_down)


if __name__ == "__main__":
    sys.exit(main())
