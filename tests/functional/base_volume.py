#!/usr/bin/env python3
"""Base images that are mounted as the node has unpacked them: used when they are what the registry has, and what is
built is the same as ever."""
import contextlib
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys

from support import Skip, case, expect, expect_equal, main, tar_layers

import container_support as containers
import pod
import registry

MODES = {
    "overlay": (pod.UNCONFINED, True, ()),
    "directory": (pod.UNCONFINED, False, ()),
    "supervised": (pod.BASELINE, True, ("--isolation=supervised", )),
    "user namespace": (pod.USERNS, True, ()),
}
LAYERS = [[
    tar_layers.directory("data"),
    tar_layers.directory("data/sub", mode=0o750),
    tar_layers.entry("data/sub/deep", "deep\n", mtime="1000000001.25"),
    tar_layers.entry("data/file", "content\n", mode=0o640, owner=(7, 8)),
    tar_layers.hard_link("data/twin", "data/file"),
    tar_layers.entry("data/old", "old\n"),
    tar_layers.entry("data/tool", "#!/bin/sh\necho tool\n", mode=0o4755),
    tar_layers.symlink("data/link", "file"),
    tar_layers.entry("data/colored", "", xattrs={"user.color": "blue"}),
    tar_layers.entry("lib/implied/f", "implied\n"),
], [
    tar_layers.directory("data"),
    tar_layers.whiteout("data/old"),
    tar_layers.entry("data/more", "more\n"),
]]
# What commands see of the base, and what they do to its files.
DOCKERFILE = (
    "FROM REGISTRY/{base} AS build\nRUN cat /data/file >> /data/more && /data/tool > /data/sub/said\n"
    "FROM REGISTRY/{base}\nCOPY --from=build /data/more /data/sub /copied/\n"
    "RUN find /data /lib /bin | sort > /list; "
    "stat -c '%n %a %u:%g %s %Y %h' $(find /data /lib -type f | sort) >> /list; "
    "touch -d @1000000000 /data/tool; echo x > /data/sub/new; rm /lib/implied/f; chmod 600 /data/colored\n")
USED = "is used from /base"
NOT_USED = "is not used, and"


@functools.lru_cache(maxsize=None)
def base_of(world) -> tuple[str, pathlib.Path]:
    """A base image: its name, and where umoci has unpacked it."""
    if not world.is_root:
        raise Skip("needs root")
    name = world.new_name("base")
    world.push(name, *LAYERS)
    return name, unpacked(world, name)


def unpacked(world, name: str) -> pathlib.Path:
    rootfs = containers.unpacked(world, name)
    rootfs.chmod(0o755)
    for path in (rootfs / "data", rootfs / "lib/implied"):
        os.utime(path)  # as who unpacks may leave them
    return rootfs


def copy_of(world, rootfs: pathlib.Path) -> pathlib.Path:
    directory = world.new_directory("copy") / "rootfs"
    subprocess.run(["cp", "-a", str(rootfs), str(directory)], check=True)
    return directory


@functools.lru_cache(maxsize=None)
def indexes(world) -> pathlib.Path:
    """A directory for --cache-dir that has the indexes of the base's layers, but not their blobs and files."""
    directory = world.new_directory("cache")
    name, _ = base_of(world)
    world.files_only(f"FROM REGISTRY/{name}\nCOPY f /data/\n", {"f": "x"}, "--cache",
                     f"--cache-dir={directory}").succeeded()
    for part in ("blobs", "unpacked", "steps"):
        shutil.rmtree(directory / part, ignore_errors=True)
    return directory


def build(world, mode: str, volume: pathlib.Path | None, *flags: str, text: str = DOCKERFILE,
          cache: bool = True) -> tuple[subprocess.CompletedProcess, str]:
    """A build in a pod of MODE with the base mounted from VOLUME; the name of what it pushed."""
    profile, has_work, arguments = MODES[mode]
    name, _ = base_of(world)
    target = world.new_name("image")
    with pod.Pod(containers.root_file_system(world.directory, "cairn"), world.directory, profile) as container:
        container.bind(world.context(text.format(base=name)), "/workspace", read_only=True)
        if has_work:
            container.empty("/kaniko/work")
        if volume is not None:
            container.image(volume, "/base")
            arguments = (*arguments, f"--base-volume={world.host}/{name}:latest=/base")
        if cache:
            copied = world.new_directory("cache") / "cache"
            shutil.copytree(indexes(world), copied)
            copied.chmod(0o777)
            container.bind(copied, "/cache")
            arguments = (*arguments, "--cache", "--cache-copy-layers=false", "--cache-run-layers=false")
        done = container.run(["/kaniko/executor", f"--destination={world.host}/{target}", "--verbosity=debug",
                              "--build-arg=SOURCE_DATE_EPOCH=1500000000", *arguments, *flags])
    return done, target


def pushed(world, built: tuple[subprocess.CompletedProcess, str]) -> str:
    done, target = built
    expect_equal(done.returncode, 0, f"{done.stdout[-300:]}{done.stderr[-1500:]}")
    return tar_layers.digest_of(world.manifest(f"{target}:latest"))


def layers_of(world, name: str) -> list[str]:
    return [layer["digest"] for layer in json.loads(world.manifest(f"{name}:latest"))["layers"]]


def gets(world, name: str, before: int) -> list[str]:
    """Which layers of an image were fetched since the log had BEFORE lines."""
    lines = world.registry.requests()[before:]
    return [layer for layer in layers_of(world, name) for line in lines if line.startswith("GET ") and layer in line]


@functools.lru_cache(maxsize=None)
def expected(world, mode: str) -> str:
    """What is built without a mount. Hard links part in overlays alone."""
    return pushed(world, build(world, mode, None, cache=False))


for each in MODES:
    @case(f"a base that is mounted is not fetched, and the image is the same: {each}")
    def mounted(world, mode=each):
        name, rootfs = base_of(world)
        wanted, files = expected(world, mode), containers.fingerprint(rootfs)
        indexes(world)
        before = len(world.registry.requests())
        built = build(world, mode, rootfs)
        expect_equal(pushed(world, built), wanted)
        expect(USED in built[0].stderr, built[0].stderr[-1500:])
        expect(NOT_USED not in built[0].stderr, built[0].stderr[-1500:])
        expect_equal(gets(world, name, before), [], "layers that were fetched")
        expect_equal(containers.fingerprint(rootfs), files, "the mount")


@case("without an index each layer of a mounted base is read once for it")
def no_index(world):
    name, rootfs = base_of(world)
    wanted = expected(world, "overlay")
    before = len(world.registry.requests())
    built = build(world, "overlay", rootfs, cache=False)
    expect_equal(pushed(world, built), wanted)
    expect(USED in built[0].stderr, built[0].stderr[-1500:])
    expect_equal(sorted(gets(world, name, before)), sorted(layers_of(world, name)))


@case("a mount that is an overlay itself, as containerd makes it, can be below another one")
def overlay_of_node(world):
    name, rootfs = base_of(world)
    wanted = expected(world, "overlay")
    place, empty = world.new_directory("view"), world.new_directory("empty")
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"ro,lowerdir={empty}:{rootfs}", str(place)], check=True)
    try:
        built = build(world, "overlay", place)
        expect_equal(pushed(world, built), wanted)
        expect(USED in built[0].stderr, built[0].stderr[-1500:])
    finally:
        subprocess.run(["umount", str(place)], check=True)


@case("a mount that no overlay can have below it is not used, and the base is pulled")
def too_deep(world):
    _, rootfs = base_of(world)
    wanted = expected(world, "overlay")
    with contextlib.ExitStack() as stack:
        for _ in range(2):
            place, empty = world.new_directory("view"), world.new_directory("empty")
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o", f"ro,lowerdir={empty}:{rootfs}", str(place)],
                           check=True)
            stack.callback(subprocess.run, ["umount", str(place)], check=True)
            rootfs = place
        built = build(world, "overlay", rootfs)
        expect_equal(pushed(world, built), wanted)
        expect(NOT_USED in built[0].stderr and "mount overlay" in built[0].stderr, built[0].stderr[-1500:])


def rewrite(path: pathlib.Path, text: str) -> None:
    info = path.stat()
    path.write_text(text)
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


DIFFERENCES = [
    ("another size", lambda root: rewrite(root / "data/sub/deep", "deeper\n"),
     "'/data/sub/deep' has 7 bytes instead of 5"),
    ("another mode", lambda root: (root / "data/tool").chmod(0o755), "'/data/tool' has mode 755 instead of 4755"),
    ("another owner", lambda root: os.lchown(root / "data/link", 5, 5), "'/data/link' belongs to 5:5 instead of 0:0"),
    ("another time", lambda root: os.utime(root / "data/sub/deep", (1, 1)), "'/data/sub/deep' was changed at 1970"),
    ("an extra file", lambda root: (root / "data/extra").write_text("x"), "'/data/extra' is not in the image"),
    ("an extra attribute", lambda root: os.setxattr(root / "data/more", "user.more", b"1"),
     "'/data/more' has other extended attributes"),
    ("a file less", lambda root: (root / "data/more").unlink(), "'/data/more' is missing"),
]


def register(what: str, change, said: str) -> None:
    @case(f"a mount with {what} is not used: a warning says why, and the base is pulled")
    def differs(world):
        name, rootfs = base_of(world)
        rootfs = copy_of(world, rootfs)
        change(rootfs)
        for mode in ("overlay", "supervised"):
            wanted = expected(world, mode)
            before = len(world.registry.requests())
            built = build(world, mode, rootfs)
            expect_equal(pushed(world, built), wanted)
            expect_equal(built[0].stderr.count(NOT_USED), 1, built[0].stderr[-1500:])
            expect(said in built[0].stderr, built[0].stderr[-1500:])
            expect_equal(sorted(gets(world, name, before)), sorted(layers_of(world, name)), mode)


for row in DIFFERENCES:
    register(*row)


@case("layers of a mounted base are sent to another registry")
def other_registry(world):
    name, rootfs = base_of(world)
    indexes(world)
    with contextlib.closing(registry.Registry(world.new_directory("other"))) as other:
        built = build(world, "overlay", rootfs, f"--destination={other.host}/app")
        expect(USED in built[0].stderr, built[0].stderr[-1500:])
        digest = pushed(world, built)
        expect_equal(tar_layers.digest_of(world.manifest("app:latest", other.host)), digest)
        for layer in layers_of(world, name):
            expect_equal(tar_layers.digest_of(registry.get(other.host, f"/v2/app/blobs/{layer}")), layer)


@case("in place a mounted base is not used, which a line says, and the mount stays")
def in_place(world):
    name, rootfs = base_of(world)
    files = containers.fingerprint(rootfs)
    with pod.Pod(containers.root_file_system(world.directory, "cairn"), world.directory, pod.BASELINE) as container:
        container.bind(world.context(f"FROM REGISTRY/{name}\nRUN echo x > /new\n"), "/kaniko/context", read_only=True)
        container.image(rootfs, "/base")
        done = container.run(["/kaniko/executor", "--context=/kaniko/context", "--isolation=inplace",
                              f"--destination={world.host}/{world.new_name('image')}",
                              f"--base-volume={world.host}/{name}=/base"])
    expect_equal(done.returncode, 0, done.stderr[-1500:])
    expect("is not used: commands run in place" in done.stderr, done.stderr[-1500:])
    expect_equal(containers.fingerprint(rootfs), files)


@case("a directory that can be written to is refused as a mounted base")
def writable(world):
    name, rootfs = base_of(world)
    text = f"FROM REGISTRY/{name}\nRUN true\n"
    world.refused(text, None, f"--base-volume={world.host}/{name}={rootfs}",
                  texts=("--base-volume", f"'{rootfs}' can be written to", "readOnly: true"))


@case("a mounted base that is not there, or is no directory, is an error")
def not_there(world):
    text = "FROM REGISTRY/busybox\nRUN true\n"
    world.refused(text, None, "--base-volume=x=/nowhere/base",
                  texts=("--base-volume: '/nowhere/base': No such file or directory", ))
    world.refused(text, None, "--base-volume=x=/etc/passwd",
                  texts=("--base-volume: '/etc/passwd' is not a directory", ))
    world.refused(text, None, "--base-volume=x=base", texts=("'base' is not an absolute path", ))
    world.refused(text, None, "--base-volume=x:1=/a,x:1=/b", "--base-volume=x:1=/b", texts=("is given twice", ))


if __name__ == "__main__":
    sys.exit(main())
