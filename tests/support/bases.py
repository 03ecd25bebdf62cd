"""Base images without a registry, made once and kept as OCI layouts in build/."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import made_once

ROOT = pathlib.Path(os.environ.get("CAIRN_ROOT", pathlib.Path(__file__).resolve().parents[2]))
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUSYBOX = pathlib.Path("/bin/busybox")


class CannotMake(Exception):
    """What this machine lacks."""


def _command(*words: str) -> str:
    done = subprocess.run(words, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise CannotMake(f"{' '.join(words)}: {done.stdout[-500:]}")
    return done.stdout


def _need(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise CannotMake(f"{', '.join(missing)} not installed")


def _layout(name: str, tag: str, command: str, fill) -> pathlib.Path:
    """build/NAME: an image of one layer, the directory that FILL fills. It appears whole or not at all."""
    kept = ROOT / "build" / name
    with made_once.lock(kept):
        if not (kept / "index.json").exists():
            _make_layout(kept, tag, command, fill)
    return kept


def _make_layout(kept: pathlib.Path, tag: str, command: str, fill) -> None:
    with tempfile.TemporaryDirectory(prefix="cairn-base-") as place:
        rootfs, archive, made = (pathlib.Path(place) / part for part in ("rootfs", "layer.tar", "layout"))
        rootfs.mkdir()
        mask = os.umask(0o022)
        try:
            rootfs.chmod(0o755)
            fill(rootfs)
        finally:
            os.umask(mask)
        _command("tar", "-C", str(rootfs), "--numeric-owner", "--sort=name", "-cf", str(archive), ".")
        image = f"{made}:{tag}"
        _command("umoci", "init", "--layout", str(made))
        _command("umoci", "new", "--image", image)
        _command("umoci", "raw", "add-layer", "--image", image, str(archive))
        _command("umoci", "config", "--image", image, "--config.cmd", command, "--config.env", PATH)
        new = kept.with_name(f"{kept.name}.{os.getpid()}")
        shutil.copytree(made, new)
    shutil.rmtree(kept, ignore_errors=True)
    new.rename(kept)


def _fill_busybox(rootfs: pathlib.Path) -> None:
    for folder in ("bin", "etc", "root", "tmp", "usr/bin", "var"):
        (rootfs / folder).mkdir(parents=True)
    shutil.copy(BUSYBOX, rootfs / "bin/busybox")
    for applet in _command(str(BUSYBOX), "--list").split():
        if applet != "busybox":
            (rootfs / "bin" / applet).symlink_to("busybox")
    (rootfs / "tmp").chmod(0o1777)
    (rootfs / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n"
                                       "nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n")
    (rootfs / "etc/group").write_text("root:x:0:\nnogroup:x:65534:\n")


def _fill_debian(rootfs: pathlib.Path) -> None:
    _command("debootstrap", "--variant=minbase", "bookworm", str(rootfs))
    for package in (rootfs / "var/cache/apt/archives").glob("*.deb"):
        package.unlink()


def busybox() -> pathlib.Path:
    """A static busybox, two users, nothing else: the layout of busybox:latest.
    @raises CannotMake"""
    _need("umoci", "tar")
    if not BUSYBOX.exists():
        raise CannotMake("busybox-static is not installed")
    return _layout("busybox-base", "latest", "sh", _fill_busybox)


def debian() -> pathlib.Path:
    """Debian's smallest system: the layout of debian:12.
    @raises CannotMake"""
    _need("umoci", "tar", "debootstrap")
    if os.geteuid() != 0:
        raise CannotMake("debootstrap needs root")
    return _layout("debian-base", "12", "bash", _fill_debian)
