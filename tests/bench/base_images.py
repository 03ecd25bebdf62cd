"""The base images of the workloads: made once from Debian's packages, kept as OCI layouts in build/bench/."""
import contextlib
import dataclasses
import os
import pathlib
import shutil
import subprocess
import tempfile

import bases
import layout
import made_once

KEPT = bases.ROOT / "build/bench"
# A compiler, three languages and what they bring: 1.6 GB, 63,000 files.
PACKAGES = ("build-essential python3-dev python3-numpy golang-go npm default-jdk-headless git curl").split()
GIB = 1 << 30


@dataclasses.dataclass(frozen=True)
class Base:
    """A base image by what it is made of and in how many layers."""

    system: str  # busybox, debian or dev
    layers: int = 1

    @property
    def name(self) -> str:
        """Its repository and tag."""
        return f"{self.system}:{self.layers}"

    @property
    def room(self) -> int:
        """Bytes that it takes where it is pushed to."""
        return {"busybox": GIB // 100, "debian": GIB // 12, "dev": GIB * 5 // 8}[self.system]


def layout_of(base: Base) -> pathlib.Path:
    """Where the layout of BASE lies; it is made when it is not there. @raises bases.CannotMake"""
    kept = KEPT / f"{base.system}-{base.layers}"
    with made_once.lock(kept):
        if not (kept / "index.json").exists():
            _make(base, kept)
    return kept


def _make(base: Base, kept: pathlib.Path) -> None:
    root = _system(base.system)
    new = kept.with_name(f"{kept.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    made = layout.Layout(new)
    for paths in layout.shares(root, base.layers):
        made.add_layer(root, paths)
    made.finish("bench")
    shutil.rmtree(kept, ignore_errors=True)
    new.rename(kept)


def _system(name: str) -> pathlib.Path:
    """The directory with the files of a system; it appears whole or not at all."""
    kept = KEPT / f"{name}-files"
    with made_once.lock(kept):
        if not kept.exists():
            print(f"making the base {name}: once, kept in {KEPT}", flush=True)
            with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=KEPT) as place:
                root = pathlib.Path(place) / "root"
                {"busybox": _unpack_busybox, "debian": _unpack_debian, "dev": _install_dev}[name](root)
                root.rename(kept)
    return kept


def _unpack(image: pathlib.Path, tag: str, root: pathlib.Path) -> None:
    bundle = root.with_name("bundle")
    _command("umoci", "unpack", "--image", f"{image}:{tag}", str(bundle))
    (bundle / "rootfs").rename(root)


def _unpack_busybox(root: pathlib.Path) -> None:
    _unpack(bases.busybox(), "latest", root)


def _unpack_debian(root: pathlib.Path) -> None:
    _unpack(bases.debian(), "12", root)


def _install_dev(root: pathlib.Path) -> None:
    _unpack_debian(root)
    resolver = root / "etc/resolv.conf"
    shutil.copy("/etc/resolv.conf", resolver)
    with _mounted_proc(root):
        _inside(root, "apt-get", "update", "-qq")
        _inside(root, "apt-get", "install", "-y", "-qq", "--no-install-recommends", *PACKAGES)
    _inside(root, "apt-get", "clean")
    resolver.unlink()
    for folder in ("var/lib/apt/lists", "var/log", "tmp"):
        for path in (root / folder).iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in (root / "var/cache/apt").glob("*.bin"):
        path.unlink()


@contextlib.contextmanager
def _mounted_proc(root: pathlib.Path):
    """The scripts of Java's packages ask for it."""
    _command("mount", "-t", "proc", "proc", str(root / "proc"))
    try:
        yield
    finally:
        _command("umount", "-l", str(root / "proc"))


def _inside(root: pathlib.Path, *words: str) -> None:
    environment = {"PATH": os.environ["PATH"], "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    environment |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    _command("chroot", str(root), *words, environment=environment)


def _command(*words: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(words, text=True, errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment, check=False)
    if done.returncode != 0:
        raise bases.CannotMake(f"{' '.join(words)}: {done.stdout[-800:]}")
