#!/usr/bin/env python3
"""The mode in which commands run does not show in the result: each Dockerfile of a list, built in pods of all kinds,
gives one image, down to the last file; and what the pod mounts is afterwards as it was."""
import functools
import pathlib
import shutil
import subprocess
import sys
import tarfile

from support import Skip, case, main

from mode_cases import EXAMPLES
from mode_support import one_image
import tar_layers


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


def built_alike(world, example) -> None:
    if "/debian" in example.dockerfile:
        push_debian(world)
    one_image(world, example)


for each in EXAMPLES:
    case(f"one image in all modes: {each.name}")(lambda world, example=each: built_alike(world, example))


if __name__ == "__main__":
    sys.exit(main())
