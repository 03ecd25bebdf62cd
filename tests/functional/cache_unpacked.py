#!/usr/bin/env python3
"""Unpacked layers in --cache-dir that are not what they were: noticed, unpacked again, and nothing wrong comes of
them."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from cache_support import cached_steps
from support import Skip, case, expect, expect_equal, main, tar_layers

# All that can be seen of the base image's files.
LIST = ("RUN find /data | sort > /list; cat $(find /data -type f | sort) > /all; "
        "stat -c '%n %A %u:%g %s' $(find /data | sort) >> /list; readlink /data/link >> /list\n")
AGAIN = "the layer is unpacked again"


def need_root(world) -> None:
    if not world.is_root:
        raise Skip("layers are unpacked there for root alone")


def new_base(world) -> str:
    """The Dockerfile's first line, for a base image that no other case has."""
    need_root(world)
    name = world.new_name("base")
    world.push(name, [tar_layers.directory("data"), tar_layers.entry("data/file", "content\n"),
                      tar_layers.entry("data/other", "anything\n", mode=0o600), tar_layers.symlink("data/link", "file"),
                      tar_layers.directory("data/sub"), tar_layers.entry("data/sub/deep", "deep\n")])
    return f"FROM REGISTRY/{name}\n"


def build(world, directory, text, *flags, **how):
    """Layers are unpacked there for overlays, which are made in namespaces."""
    return world.build(text, None, "--reproducible", "--cache", f"--cache-dir={directory}", *flags, timeout=120,
                       isolation="namespace", **how)


def data_of(directory: pathlib.Path) -> pathlib.Path:
    path, = directory.glob("unpacked/*/data")
    return path


def entry_of(directory: pathlib.Path) -> pathlib.Path:
    return data_of(directory).parent


def other_content(path: pathlib.Path) -> None:
    """Other bytes, with the size and time that there were."""
    info = path.stat()
    path.write_bytes(b"x" * info.st_size)
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def replace(path: pathlib.Path) -> None:
    """Another file under the same name, with the size and time that there were."""
    info = path.stat()
    fresh = path.with_name("fresh")
    fresh.write_bytes(b"y" * info.st_size)
    os.utime(fresh, ns=(info.st_atime_ns, info.st_mtime_ns))
    above = path.parent.stat()
    fresh.rename(path)
    os.utime(path.parent, ns=(above.st_atime_ns, above.st_mtime_ns))


def relink(path: pathlib.Path) -> None:
    path.unlink()
    path.symlink_to("othr")


def cut_power(path: pathlib.Path) -> None:
    """What a file system may leave of files that were not on the disk yet."""
    for file in path.rglob("*"):
        if file.is_file() and not file.is_symlink():
            os.truncate(file, 0)


DAMAGE = [
    ("a file is empty", lambda data: os.truncate(data / "file", 0)),
    ("a file has other content of the same size and time", lambda data: other_content(data / "file")),
    ("a file is another one of the same size and time", lambda data: replace(data / "file")),
    ("a file is gone", lambda data: (data / "sub/deep").unlink()),
    ("a file is there that was not", lambda data: (data / "sub/more").write_text("more\n")),
    ("a file has another mode", lambda data: (data / "other").chmod(0o644)),
    ("a file has another owner", lambda data: os.chown(data / "file", 7, 7)),
    ("a file has an attribute more", lambda data: os.setxattr(data / "file", "user.more", b"1")),
    ("a link leads elsewhere", lambda data: relink(data / "link")),
    ("a directory is gone", lambda data: shutil.rmtree(data / "sub")),
    ("a directory is a file", lambda data: (shutil.rmtree(data / "sub"), (data / "sub").write_text("deep\n"))),
    ("all files are empty", lambda data: cut_power(data.parent)),
    ("all of the layer is gone",
     lambda data: [shutil.rmtree(path) if path.is_dir() else path.unlink() for path in data.parent.iterdir()]),
    ("its seal is gone", lambda data: os.removexattr(data.parent, "user.cairn.seal")),
    ("its seal is another one", lambda data: os.setxattr(data.parent, "user.cairn.seal", b"1 " + b"0" * 64)),
    ("its seal is empty", lambda data: os.setxattr(data.parent, "user.cairn.seal", b"")),
    ("it is a file", lambda data: (shutil.rmtree(data.parent), data.parent.write_text("x"))),
]


def register_damage(what: str, damage) -> None:
    @case(f"unpacked layer: {what}, which is a warning, and the image is right")
    def damaged(world):
        base, directory = new_base(world), world.new_directory("cache")
        build(world, directory, base + "RUN true\n").succeeded()
        damage(data_of(directory))
        wanted = world.build(base + LIST, None, "--reproducible").succeeded().image.digest
        done = build(world, directory, base + LIST).succeeded()
        expect_equal(done.image.digest, wanted)
        expect_equal(done.err.count(AGAIN), 1, done.err)
        again = build(world, directory, base + LIST).succeeded()
        expect_equal((again.image.digest, cached_steps(again) != []), (wanted, True))
        third = build(world, directory, base + LIST + "RUN true\n").succeeded()
        expect(AGAIN not in third.err, third.err)


for row in DAMAGE:
    register_damage(*row)


@case("unpacked layers that nobody has touched are used as they are")
def used(world):
    base, directory = new_base(world), world.new_directory("cache")
    build(world, directory, base + "RUN true\n").succeeded()
    before = {path: path.stat().st_ino for path in directory.glob("unpacked/*")}
    done = build(world, directory, base + LIST).succeeded()
    expect("WARN" not in done.err, done.err)
    expect_equal({path: path.stat().st_ino for path in directory.glob("unpacked/*")}, before)


@case("an unpacked layer that is damaged in a directory that cannot be written is not used")
def read_only(world):
    base, directory = new_base(world), world.new_directory("cache")
    build(world, directory, base + "RUN true\n").succeeded()
    os.truncate(data_of(directory) / "file", 0)
    script = f"mount --bind {directory} {directory} && mount -o remount,bind,ro {directory} && exec \"$@\""
    layout = world.new_directory("out") / "layout"
    words = [
        f"--context={world.context(base + LIST)}", f"--kaniko-dir={world.new_directory('work')}", "--no-push",
        "--reproducible", f"--oci-layout-path={layout}", "--cache", f"--cache-dir={directory}"
    ]
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh",
                           str(world.program), *words], env=world.environment, capture_output=True, text=True,
                          timeout=120, check=False)
    expect_equal(done.returncode, 0, done.stderr[-1500:])
    expect("it is not used" in done.stderr, done.stderr)
    wanted = world.build(base + LIST, None, "--reproducible").succeeded()
    expect_equal((layout / "index.json").read_text(), (wanted.layout / "index.json").read_text())


def remove_unpacked(directory: pathlib.Path) -> None:
    shutil.rmtree(directory / "unpacked")


def remove_entry(directory: pathlib.Path) -> None:
    shutil.rmtree(entry_of(directory))


def empty_file(directory: pathlib.Path) -> None:
    os.truncate(data_of(directory) / "file", 0)


def remove_all(directory: pathlib.Path) -> None:
    for path in directory.iterdir():
        shutil.rmtree(path, ignore_errors=True)


WHILE_RUNNING = [("all unpacked layers are removed", remove_unpacked), ("an unpacked layer is removed", remove_entry),
                 ("a file of an unpacked layer is emptied", empty_file), ("all of --cache-dir is removed", remove_all)]


def while_running(world, damage, text: str, moment: str):
    """A build of TEXT with DAMAGE done as soon as a command has written MOMENT to the cache mount of the test."""
    base, directory = new_base(world), world.new_directory("cache")
    build(world, directory, base + "RUN true\n").succeeded()
    signals = world.new_directory("signals")
    layout, work = world.new_directory("out") / "layout", world.new_directory("work")
    words = [
        f"--context={world.context(base + text)}", f"--kaniko-dir={work}", "--isolation=namespace", "--no-push",
        "--reproducible", f"--oci-layout-path={layout}", "--cache", f"--cache-dir={directory}"
    ]
    with open(signals / "err", "w", encoding="utf-8") as err:
        process = world.start(words, stdout=subprocess.PIPE, stderr=err, text=True)
        for line in process.stdout:
            if moment in line:
                damage(directory)
                break
        process.stdout.read()
        status = process.wait(120)
    said = (signals / "err").read_text()
    expect_equal(status, 0, said[-2000:])
    expect_equal(said.count("the build begins again"), 1, said[-2000:])
    wanted = world.build(base + text, None, "--reproducible").succeeded()
    expect_equal((layout / "index.json").read_text(), (wanted.layout / "index.json").read_text())
    again = build(world, directory, base + text).succeeded()
    expect_equal(again.image.digest, wanted.image.digest)


for kind, hurt in WHILE_RUNNING:
    @case(f"{kind} between two commands, and the build begins again")
    def between(world, hurt=hurt):
        while_running(world, hurt, "RUN echo ready; sleep 1\n" + LIST, "ready")

    @case(f"{kind} while a command runs, and the build begins again")
    def during(world, hurt=hurt):
        while_running(world, hurt, "RUN echo ready; sleep 1; " + LIST.removeprefix("RUN "), "ready")


@case("somebody who changes unpacked layers again and again cannot keep a build from ending")
def again_and_again(world):
    base, directory = new_base(world), world.new_directory("cache")
    text = base + "RUN echo ready; sleep 0.4\n" + LIST
    process = world.start([
        f"--context={world.context(text)}", f"--kaniko-dir={world.new_directory('work')}", "--isolation=namespace",
        "--no-push", f"--oci-layout-path={world.new_directory('out')}/layout", "--cache", f"--cache-dir={directory}"
    ], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        shutil.rmtree(directory / "unpacked", ignore_errors=True)
        time.sleep(0.05)
    expect_equal(process.wait(5), 0)


@case("a layer that was not on the disk when the machine went down does not count")
def not_sealed(world):
    """A program that is killed has not sealed what it has unpacked, unless that was on the disk already."""
    base, directory = new_base(world), world.new_directory("cache")
    process = world.start([
        f"--context={world.context(base + 'RUN echo ready; sleep 30' + chr(10))}",
        f"--kaniko-dir={world.new_directory('work')}", "--isolation=namespace", "--no-push",
        f"--oci-layout-path={world.new_directory('out')}/layout", "--cache", f"--cache-dir={directory}"
    ], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout:
        if "ready" in line:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    for path in directory.glob("unpacked/*"):
        if path.is_dir() and "user.cairn.seal" in os.listxattr(path):
            os.removexattr(path, "user.cairn.seal")
    cut_power(directory)
    wanted = world.build(base + LIST, None, "--reproducible").succeeded().image.digest
    expect_equal(build(world, directory, base + LIST).succeeded().image.digest, wanted)


if __name__ == "__main__":
    sys.exit(main())
