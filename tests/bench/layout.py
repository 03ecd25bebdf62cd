"""OCI layouts made of a directory: the same directory gives the same bytes, in as many layers as are wanted."""
import hashlib
import json
import os
import pathlib
import stat
import subprocess

OCI = "application/vnd.oci.image"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PER_FILE = 4096  # what a small file costs besides its bytes
MTIME = "@1700000000"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def _listed(root: pathlib.Path) -> list[tuple[str, int]]:
    """All paths below ROOT, a directory before what is in it, and the bytes of each."""
    found = []
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            info = os.lstat(path)
            found.append((os.path.relpath(path, root), info.st_size if stat.S_ISREG(info.st_mode) else 0))
    return sorted(found)


def shares(root: pathlib.Path, count: int) -> list[list[str]]:
    """The paths of ROOT in COUNT shares, each with about as many bytes and files as the others, none empty: layers
    that are alike would be one blob."""
    listed = _listed(root)
    left = sum(size + PER_FILE for _, size in listed)
    made, place = [], 0
    for missing in range(count, 0, -1):
        share, taken, most = [], 0, len(listed) - place - (missing - 1)
        while len(share) < most and (not share or missing == 1 or taken < left / missing):
            path, size = listed[place + len(share)]
            share.append(path)
            taken += size + PER_FILE
        made.append(share)
        left, place = left - taken, place + len(share)
    return made


def _digest(path: pathlib.Path) -> str:
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


class Layout:
    """A directory of blobs with one image in it."""

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        (directory / "blobs/sha256").mkdir(parents=True)
        (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}\n')
        self._layers, self._diff_ids = [], []

    def add_layer(self, root: pathlib.Path, paths: list[str]) -> None:
        """Adds a layer with PATHS of ROOT, compressed as most registries have it: gzip, level 6."""
        archive = self.directory / "layer.tar"
        words = ["tar", "-C", str(root), "--null", "--no-recursion", "--files-from=-", "--numeric-owner",
                 f"--mtime={MTIME}", "--format=gnu", "-cf", str(archive)]
        subprocess.run(words, input=b"".join(os.fsencode(path) + b"\0" for path in paths), check=True)
        self._diff_ids.append(_digest(archive))
        subprocess.run(["gzip", "-n", "-6", str(archive)], check=True)
        self._layers.append(self._keep(archive.with_suffix(".tar.gz"), f"{OCI}.layer.v1.tar+gzip"))

    def _keep(self, file: pathlib.Path, media_type: str) -> dict:
        described = {"mediaType": media_type, "digest": _digest(file), "size": file.stat().st_size}
        file.rename(self.directory / "blobs" / described["digest"].replace(":", "/"))
        return described

    def _document(self, content: dict, media_type: str) -> dict:
        file = self.directory / "document"
        file.write_text(json.dumps(content))
        return self._keep(file, media_type)

    def finish(self, tag: str) -> None:
        """Writes what names the layers: the configuration, the manifest and the index."""
        config = self._document({
            "architecture": ARCHITECTURES[os.uname().machine], "os": "linux",
            "config": {"Env": [PATH], "Cmd": ["sh"]},
            "rootfs": {"type": "layers", "diff_ids": self._diff_ids},
            "history": [{"created_by": f"layer {number}"} for number in range(len(self._layers))]
        }, f"{OCI}.config.v1+json")
        manifest = self._document({"schemaVersion": 2, "mediaType": f"{OCI}.manifest.v1+json", "config": config,
                                   "layers": self._layers}, f"{OCI}.manifest.v1+json")
        named = manifest | {"annotations": {"org.opencontainers.image.ref.name": tag}}
        (self.directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))
