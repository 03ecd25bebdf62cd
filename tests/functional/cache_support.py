"""What the tests of --cache-dir share: a registry that can be stopped, and builds that use a cache."""
import contextlib
import pathlib
import subprocess

from support import Skip, registry, tar_layers

TEXT = "FROM {host}/base:1\nRUN cat /bin/busybox /etc/passwd | wc -c > /size\nCOPY f /f\n"
FILES = {"f": "text\n"}
QUICK = {"timeout": 120}  # a registry that is gone is tried several times


@contextlib.contextmanager
def mounted(place: pathlib.Path, *words: str):
    """PLACE with what `mount WORDS PLACE` mounts there."""
    done = subprocess.run(["mount", *words, str(place)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Skip(f"{' '.join(words)} cannot be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextlib.contextmanager
def own_registry(world):
    """A registry that a case can stop, with the image base:1."""
    server = registry.Registry(world.new_directory("registry"))
    try:
        server.digest = push(server, "base:1")
        yield server
    finally:
        if server.process.poll() is None:
            server.close()


def push(server, name: str, *layers: list, **how) -> str:
    tars = [tar_layers.busybox(), *(tar_layers.tar(layer) for layer in layers)]
    return tar_layers.push(server.host, name, tar_layers.Image(tars, **how))


def build(world, host: str, directory: pathlib.Path, *flags: str, text: str = TEXT, **how):
    return world.build(text.format(host=host), FILES, "--cache", f"--cache-dir={directory}", *flags, **QUICK, **how)


def cached_steps(build) -> list[str]:
    """The steps that were taken from a cache."""
    return [
        line.split("] ", 1)[-1].rsplit("  [cached", 1)[0].strip() for line in build.err.splitlines()
        if "[cached" in line
    ]


def asked(server, before: int, method: str, what: str) -> list[str]:
    return [line for line in server.requests()[before:] if line.startswith(f"{method} ") and f"/{what}/" in line]


def blob(directory: pathlib.Path, digest: str) -> pathlib.Path:
    return directory / "blobs/sha256" / digest.removeprefix("sha256:")
