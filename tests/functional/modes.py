#!/usr/bin/env python3
"""The mode in which commands run does not show in the result: each Dockerfile of a list, built in pods of all kinds,
gives one image, down to the last file; and what the pod mounts is afterwards as it was."""
import dataclasses
import functools
import pathlib
import shutil
import subprocess
import sys
import tarfile

from support import Skip, case, expect, expect_equal, main

import built_image
import container_support as containers
from mode_cases import EXAMPLES
import pod
import pod_layouts
import tar_layers

@dataclasses.dataclass
class Mode:
    """A kind of pod, and what the executor says of it."""

    profile: pod.Profile
    said: str
    volume: bool = True  # at /kaniko/work
    arguments: tuple[str, ...] = ()


MODES = {
    "overlay": Mode(pod.UNCONFINED, "namespace with overlay"),
    "directory": Mode(pod.UNCONFINED, "namespace with directory", volume=False),
    "supervised": Mode(pod.BASELINE, "supervised", arguments=("--isolation=supervised",)),
    "supervised without a volume": Mode(pod.BASELINE, "supervised", volume=False,
                                        arguments=("--isolation=supervised",)),
    "in place": Mode(pod.BASELINE, "in place", arguments=("--isolation=inplace",)),
    "user namespace": Mode(pod.USERNS, "namespace"),
}


@functools.lru_cache(maxsize=None)
def push_debian(world) -> None:
    """REGISTRY/debian: a root with the links, the device nodes and the linked shell of Debian's, only smaller."""
    programs = [shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin") for name in ("dash", "setcap")]
    if None in programs:
        raise Skip("no dash or setcap here")
    listed = subprocess.run(["ldd", *programs], check=True, capture_output=True, text=True).stdout.split()
    libraries = [pathlib.Path(word) for word in listed if word.startswith("/") and not word.endswith(":")]
    folders = ("usr", "usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "run", "run/lock", "var", "var/cache", "dev",
               "dev/pts", "etc", "tmp", "root", "proc", "sys", "attributes")
    entries = [tar_layers.directory(name, 0o1777 if name in ("tmp", "run/lock") else 0o755) for name in folders]
    entries += [tar_layers.symlink(name, f"usr/{name}") for name in ("bin", "sbin", "lib", "lib64")]
    entries += [tar_layers.symlink("var/run", "/run"), tar_layers.symlink("var/lock", "/run/lock"),
                tar_layers.symlink("usr/bin/sh", "dash"), tar_layers.symlink("dev/fd", "/proc/self/fd"),
                tar_layers.entry("etc/passwd", tar_layers.PASSWD), tar_layers.entry("etc/group", tar_layers.GROUP),
                tar_layers.directory("attributes/d", xattrs={"user.directory": "one"}),
                tar_layers.entry("attributes/f", "2", xattrs={"user.file": "two", "user.other": "three"}),
                tar_layers.entry("usr/bin/busybox", tar_layers.BUSYBOX.read_bytes(), mode=0o755)]
    entries += [
        tar_layers.entry(f"usr/bin/{pathlib.Path(program).name}",
                         pathlib.Path(program).read_bytes(), mode=0o755) for program in programs
    ]
    for name, numbers in (("console", (5, 1)), ("null", (1, 3)), ("zero", (1, 5))):
        entries.append(tar_layers.entry(f"dev/{name}", kind=tarfile.CHRTYPE, mode=0o666, device=numbers))
    needed = {str(path).lstrip("/") for path in libraries}
    placed = {name if name.startswith("usr/") else f"usr/{name}": pathlib.Path("/", name) for name in needed}
    parents = {str(pathlib.PurePath(name).parent) for name in placed} - set(folders)
    entries += [tar_layers.directory(name) for name in sorted(parents)]
    entries += [tar_layers.entry(name, path.read_bytes(), mode=0o755) for name, path in sorted(placed.items())]
    entries += [
        tar_layers.symlink(f"usr/bin/{applet}", "busybox") for applet in tar_layers.APPLETS.split() if applet != "sh"
    ]
    tar_layers.push(world.host, "debian", tar_layers.Image([tar_layers.tar(entries)]))


def build(world, example, mode: str, name: str) -> subprocess.CompletedProcess:
    kind = MODES[mode]
    context = world.context(example.dockerfile, example.files)
    before = containers.fingerprint(context)
    with pod.Pod(containers.root_file_system(world.directory, "cairn"), world.directory, kind.profile) as container:
        for target in example.volumes:
            container.empty(target)
        container.bind(context, example.source, read_only=example.read_only)
        for mount in pod_layouts.driver_files(world.new_directory("driver")) if example.driver_files else []:
            container.bind(mount.source, mount.target, read_only=True)
        work = container.empty("/kaniko/work") if kind.volume else None
        done = container.run(["/kaniko/executor", f"--context={example.source}", "--reproducible",
                              f"--destination={world.host}/{name}", *kind.arguments])
        left = list(work.iterdir()) if work else []
    expect_equal(left, [], f"{mode}: left in the volume for work")
    expect_equal(containers.fingerprint(context), before, f"{mode}: the user's files")
    return done


def expect_refused(done: subprocess.CompletedProcess, texts: tuple[str, ...]) -> None:
    expect_equal(done.returncode, 1, done.stderr[-1500:])
    for text in (*texts, "hint: "):
        expect(text in done.stderr, f"{text!r} is not in {done.stderr[-1500:]}")


def one_image(world, example) -> None:
    if "/debian" in example.dockerfile:
        push_debian(world)
    repository, reference = world.new_name("example"), None
    for mode, kind in MODES.items():
        tag = f"{repository}:{mode.replace(' ', '-')}"
        done = build(world, example, mode, tag)
        errors = {"in place": example.error_in_place, "supervised": example.error_supervised}.get(kind.said)
        if errors:
            expect_refused(done, errors)
            continue
        expect_equal(done.returncode, 0, f"{mode}: {done.stderr[-1500:]}")
        printed = (done.stdout + done.stderr).splitlines()
        expect("RUN" not in example.dockerfile or any(f"Isolation: {kind.said}" in line for line in printed),
               f"{mode}: another isolation: {done.stderr[:600]}")
        missing = [line for line in example.prints if line not in printed]
        expect_equal(missing, [], f"{mode}: not printed")
        digest = tar_layers.digest_of(world.manifest(tag))
        if reference is None:
            reference = containers.pulled(world, tag)
            expect_equal(reference.digest, digest)
            example.check(reference)
        elif digest != reference.digest:
            lines = built_image.differences(reference, containers.pulled(world, tag))
            raise AssertionError(f"overlay | {mode}: " + "\n".join(lines[:20]))


for each in EXAMPLES:
    case(f"one image in all modes: {each.name}")(lambda world, example=each: one_image(world, example))


if __name__ == "__main__":
    sys.exit(main())
