"""Reads images: an OCI layout as a tree of files with all their metadata."""
import dataclasses
import functools
import gzip
import hashlib
import json
import pathlib
import posixpath
import subprocess
import tarfile
import tempfile

KINDS = {tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.DIRTYPE: "directory", tarfile.SYMTYPE: "symlink",
         tarfile.CHRTYPE: "character device", tarfile.BLKTYPE: "block device", tarfile.FIFOTYPE: "fifo",
         tarfile.GNUTYPE_SPARSE: "file"}
XATTR = "SCHILY.xattr."
_read = {}  # Layers by digest and media type: base layers come back in every image


@dataclasses.dataclass(eq=False)
class Node:
    """A file of an image. Names that are hard links of each other share one Node."""

    kind: str
    mode: int
    uid: int
    gid: int
    size: int
    mtime: int  # nanoseconds since 1970
    sha256: str = ""
    link: str = ""
    device: tuple[int, int] = (0, 0)
    xattrs: dict[str, bytes] = dataclasses.field(default_factory=dict)
    text: str | None = None  # of small files

    @property
    def owner(self) -> tuple[int, int]:
        return self.uid, self.gid


def _nanoseconds(member: tarfile.TarInfo) -> int:
    whole, _, fraction = member.pax_headers.get("mtime", str(int(member.mtime))).partition(".")
    sign = -1 if whole.startswith("-") else 1
    return int(whole) * 10**9 + sign * int(fraction.ljust(9, "0")[:9] or 0)


def _node(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Node:
    xattrs = {key.removeprefix(XATTR): value.encode("utf-8", "surrogateescape")
              for key, value in member.pax_headers.items() if key.startswith(XATTR)}
    node = Node(KINDS.get(member.type, "unknown"), member.mode & 0o7777, member.uid, member.gid, member.size,
                _nanoseconds(member), xattrs=xattrs)
    if node.kind == "file":
        content, digest = archive.extractfile(member), hashlib.sha256()
        while piece := content.read(1 << 20):
            digest.update(piece)
            if member.size <= 65536:
                node.text = piece.decode("utf-8", "surrogateescape")
        node.sha256, node.text = digest.hexdigest(), node.text if member.size else ""
    elif node.kind == "symlink":
        node.link = member.linkname
    elif node.kind.endswith("device"):
        node.device = (member.devmajor, member.devminor)
    return node


def path_of(name: str) -> str:
    return posixpath.normpath("/" + name)


class Layer:
    """One layer: `entries` in the order of the archive, (path, TarInfo)."""

    def __init__(self, blob: pathlib.Path, media_type: str):
        self.media_type = media_type
        with tempfile.TemporaryFile() as plain:
            if media_type.endswith("zstd"):
                subprocess.run(["zstd", "-dcq", str(blob)], stdout=plain, check=True)
            else:
                opened = gzip.open(blob) if media_type.endswith("gzip") else blob.open("rb")
                with opened as packed:
                    while piece := packed.read(1 << 20):
                        plain.write(piece)
            plain.seek(0)
            self.diff_id = "sha256:" + hashlib.file_digest(plain, "sha256").hexdigest()
            plain.seek(0)
            with tarfile.open(fileobj=plain) as archive:
                self.entries = [(path_of(member.name), member) for member in archive]
                self.nodes = [None if member.islnk() else _node(archive, member) for _, member in self.entries]

    @property
    def names(self) -> list[str]:
        return [path for path, _ in self.entries]

    @property
    def whiteouts(self) -> list[str]:
        return [path for path in self.names if posixpath.basename(path).startswith(".wh.")]


def _remove(files: dict[str, Node], path: str, below_only: bool = False) -> None:
    prefix = path.rstrip("/") + "/"
    for name in [name for name in files if name.startswith(prefix) or (name == path and not below_only)]:
        del files[name]


def apply_layer(files: dict[str, Node], layer: Layer) -> None:
    """OCI image specification, layer.md: whiteouts hide lower layers only."""
    for path in layer.whiteouts:
        folder, name = posixpath.split(path)
        if name == ".wh..wh..opq":
            _remove(files, folder, below_only=True)
        else:
            _remove(files, posixpath.join(folder, name.removeprefix(".wh.")))
    for (path, member), node in zip(layer.entries, layer.nodes):
        if posixpath.basename(path).startswith(".wh."):
            continue
        if not member.isdir() or (path in files and files[path].kind != "directory"):
            _remove(files, path)
        files[path] = files[path_of(member.linkname)] if node is None else node


class Image:
    """The one image of an OCI layout; blobs are checked against their digests."""

    def __init__(self, layout: pathlib.Path):
        self.layout = layout
        self.index = json.loads((layout / "index.json").read_bytes())
        self.descriptor = self.index["manifests"][0]
        self.digest = self.descriptor["digest"]
        self.manifest = json.loads(self.blob(self.digest))
        self.document = json.loads(self.blob(self.manifest["config"]["digest"]))
        self.config = self.document.get("config", {})
        self.history = self.document.get("history", [])

    def _path(self, digest: str) -> pathlib.Path:
        return self.layout / "blobs" / digest.replace(":", "/")

    def blob(self, digest: str) -> bytes:
        data = self._path(digest).read_bytes()
        if "sha256:" + hashlib.sha256(data).hexdigest() != digest:
            raise AssertionError(f"blob {digest} has other content")
        return data

    def _layer(self, descriptor: dict) -> Layer:
        with self._path(descriptor["digest"]).open("rb") as blob:
            found = "sha256:" + hashlib.file_digest(blob, "sha256").hexdigest()
        if (found, self._path(found).stat().st_size) != (descriptor["digest"], descriptor["size"]):
            raise AssertionError(f"layer {descriptor} has other content")
        key = (found, descriptor["mediaType"])
        if key not in _read:
            _read[key] = Layer(self._path(found), descriptor["mediaType"])
        return _read[key]

    @functools.cached_property
    def layers(self) -> list[Layer]:
        layers = [self._layer(descriptor) for descriptor in self.manifest["layers"]]
        found, wanted = [layer.diff_id for layer in layers], self.document["rootfs"]["diff_ids"]
        if found != wanted:
            raise AssertionError(f"diff ids are {wanted}, the layers' are {found}")
        steps = [step for step in self.history if not step.get("empty_layer")]
        if len(steps) != len(layers):
            raise AssertionError(f"{len(layers)} layers, but {len(steps)} steps of the history that made one")
        return layers

    @functools.cached_property
    def files(self) -> dict[str, Node]:
        files = {}
        for layer in self.layers:
            apply_layer(files, layer)
        return files

    def text(self, path: str) -> str:
        if path not in self.files:
            raise AssertionError(f"{path} is not in the image")
        return self.files[path].text

    @property
    def environment(self) -> dict[str, str]:
        return dict(variable.split("=", 1) for variable in self.config.get("Env", []))


def _described(path: str, member: tarfile.TarInfo, node: Node | None) -> tuple:
    if node is None:
        return "hard link", path_of(member.linkname)
    what = (node.kind, oct(node.mode), node.owner, node.size, node.mtime, node.sha256, node.link, node.device)
    return *what, *sorted(node.xattrs.items())


def differences(one: Image, other: Image) -> list[str]:
    """What two images do not have in common, a line for each file of a layer."""
    found = [] if one.document.get("config") == other.document.get("config") else [
        f"configurations: {one.config} | {other.config}"]
    if len(one.layers) != len(other.layers):
        return [*found, f"{len(one.layers)} layers | {len(other.layers)} layers"]
    for number, (left, right) in enumerate(zip(one.layers, other.layers)):
        if left.diff_id == right.diff_id:
            continue
        sides = [{path: _described(path, member, node) for (path, member), node in zip(layer.entries, layer.nodes)}
                 for layer in (left, right)]
        changed = [
            path for path in sorted(sides[0].keys() | sides[1].keys()) if sides[0].get(path) != sides[1].get(path)
        ]
        found += [
            f"layer {number}: {path!r}: {sides[0].get(path, 'nothing')} | {sides[1].get(path, 'nothing')}"
            for path in changed
        ]
        if not changed:
            found.append(f"layer {number}: the order of the entries" if left.names !=
                         right.names else f"layer {number}: the bytes of the archive")
    return found or ["the manifests"]
