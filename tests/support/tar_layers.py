"""Layers and images made of a few lines, and put into a registry past the programs under test."""
import dataclasses
import functools
import gzip
import hashlib
import http.client
import io
import json
import pathlib
import struct
import tarfile
import zlib

GZIP_HEADER = b"\x1f\x8b\x08" + bytes(6) + b"\xff"
BUSYBOX = pathlib.Path("/bin/busybox")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APPLETS = (
    "ash awk cat chgrp chmod chown cmp cp cut dd echo env false find grep head hostname id kill ln ls mkdir mkfifo "
    "mknod mv nc printf pwd readlink rm rmdir sed seq setsid sh sleep sort stat tail tar tee test timeout touch tr "
    "true truncate uname wc xargs")
PASSWD = (b"root:x:0:0:root:/root:/bin/sh\nann:x:1001:1002:ann:/home/ann:/bin/sh\n"
          b"nobody:x:65534:65534:nobody:/nonexistent:/bin/false\n")
GROUP = b"root:x:0:\nstaff:x:50:ann\nann:x:1002:\nnogroup:x:65534:\n"

MEDIA_TYPES = {
    "oci": {
        "manifest": "application/vnd.oci.image.manifest.v1+json",
        "config": "application/vnd.oci.image.config.v1+json",
        "layer": "application/vnd.oci.image.layer.v1.tar+gzip",
        "index": "application/vnd.oci.image.index.v1+json",
    },
    "docker": {
        "manifest": "application/vnd.docker.distribution.manifest.v2+json",
        "config": "application/vnd.docker.container.image.v1+json",
        "layer": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "index": "application/vnd.docker.distribution.manifest.list.v2+json",
    },
}


def digest_of(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def entry(name: str, content: bytes | str | None = None, *, kind: bytes = tarfile.REGTYPE, mode: int = 0o644,
          owner: tuple[int, int] = (0, 0), mtime: int | str = 1_000_000_000, link: str = "",
          device: tuple[int, int] = (0, 0), xattrs: dict[str, str] | None = None) -> tuple[tarfile.TarInfo, bytes]:
    """One entry of a layer; a MTIME of text keeps its fraction of a second."""
    data = content.encode() if isinstance(content, str) else content or b""
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname, info.size = kind, mode, link, len(data)
    info.uid, info.gid = owner
    info.devmajor, info.devminor = device
    info.mtime = int(float(mtime))
    if isinstance(mtime, str):
        info.pax_headers["mtime"] = mtime
    for key, value in (xattrs or {}).items():
        info.pax_headers[f"SCHILY.xattr.{key}"] = value
    return info, data


def directory(name: str, mode: int = 0o755, **more) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.DIRTYPE, mode=mode, **more)


def symlink(name: str, target: str, **more) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.SYMTYPE, mode=0o777, link=target, **more)


def hard_link(name: str, target: str, **more) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, kind=tarfile.LNKTYPE, link=target, **more)


def whiteout(name: str) -> tuple[tarfile.TarInfo, bytes]:
    path = pathlib.PurePosixPath(name)
    return entry(str(path.with_name(f".wh.{path.name}")))


def opaque(name: str) -> tuple[tarfile.TarInfo, bytes]:
    return entry(f"{name}/.wh..wh..opq")


def tar(entries) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, data in entries:
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


@functools.cache
def busybox() -> bytes:
    """The tar of a small root: busybox, some applets, a user called ann with uid 1001, gid 1002."""
    folders = ["bin", "dev", "etc", "home", "home/ann", "proc", "root", "sys", "tmp", "usr", "usr/bin", "var"]
    modes = {"root": 0o700, "tmp": 0o1777}
    entries = [directory(name, modes.get(name, 0o755)) for name in folders]
    entries += [entry("bin/busybox", BUSYBOX.read_bytes(), mode=0o755), entry("etc/passwd", PASSWD),
                entry("etc/group", GROUP)]
    entries += [symlink(f"bin/{applet}", "busybox") for applet in APPLETS.split()]
    return tar(entries)


@dataclasses.dataclass
class Image:
    """An image in memory; LAYERS are tar streams, CONFIG the part of the configuration that runs."""

    layers: list[bytes]
    config: dict = dataclasses.field(default_factory=lambda: {"Env": [PATH], "Cmd": ["sh"]})
    form: str = "oci"
    architecture: str = "amd64"
    variant: str = ""
    history: list | None = None  # one line for each layer, when none is given

    def documents(self) -> tuple[bytes, bytes, list[bytes]]:
        """The manifest, the configuration and the compressed layers."""
        types = MEDIA_TYPES[self.form]
        blobs = [compress(layer) for layer in self.layers]
        config = {"architecture": self.architecture, "os": "linux", "created": "2024-01-02T03:04:05Z",
                  "config": self.config,
                  "rootfs": {"type": "layers", "diff_ids": [digest_of(layer) for layer in self.layers]},
                  "history": self.history if self.history is not None else
                             [{"created_by": f"layer {n}"} for n in range(len(self.layers))]}
        if self.variant:
            config["variant"] = self.variant
        raw = json.dumps(config).encode()
        manifest = {"schemaVersion": 2, "mediaType": types["manifest"],
                    "config": describe(raw, types["config"]),
                    "layers": [describe(blob, types["layer"]) for blob in blobs]}
        return json.dumps(manifest).encode(), raw, blobs


@functools.lru_cache(maxsize=16)
def compress(data: bytes) -> bytes:
    return gzip.compress(data, 1, mtime=0)


def describe(data: bytes, media_type: str) -> dict:
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


def _request(host: str, method: str, path: str, body: bytes = b"", media_type: str = "application/octet-stream"):
    connection = http.client.HTTPConnection(host, timeout=30)
    try:
        connection.request(method, path, body, {"Content-Type": media_type})
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


def put_blob(host: str, repository: str, data: bytes) -> str:
    digest = digest_of(data)
    if _request(host, "HEAD", f"/v2/{repository}/blobs/{digest}").status == 200:
        return digest
    place = _request(host, "POST", f"/v2/{repository}/blobs/uploads/").getheader("Location")
    path = place.split(host, 1)[-1]
    answer = _request(host, "PUT", f"{path}{'&' if '?' in path else '?'}digest={digest}", data)
    if answer.status != 201:
        raise RuntimeError(f"PUT blob of {repository}: {answer.status}")
    return digest


def put_manifest(host: str, repository: str, tag: str, manifest: bytes, media_type: str) -> str:
    answer = _request(host, "PUT", f"/v2/{repository}/manifests/{tag}", manifest, media_type)
    if answer.status != 201:
        raise RuntimeError(f"PUT manifest of {repository}:{tag}: {answer.status}")
    return digest_of(manifest)


def push(host: str, name: str, image: Image) -> str:
    """Puts IMAGE into the registry at HOST as NAME ("repository:tag"); the digest of its manifest."""
    repository, _, tag = name.partition(":")
    manifest, config, blobs = image.documents()
    for blob in [config, *blobs]:
        put_blob(host, repository, blob)
    return put_manifest(host, repository, tag or "latest", manifest, MEDIA_TYPES[image.form]["manifest"])


def header(name: str, kind: bytes, size: int) -> bytes:
    """The header of an entry whose SIZE bytes of content may or may not follow."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT)


@functools.lru_cache(maxsize=4)
def deflate(piece: bytes) -> bytes:
    """Blocks of a deflated stream that look back at nothing, so that they fit anywhere in one."""
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)


def push_stream(host: str, name: str, pieces) -> None:
    """Puts an image of one layer into the registry as NAME:1; PIECES of its tar are never all in memory. Large ones
    that come again and again are compressed once."""
    digest, packer, packed = hashlib.sha256(), zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS), [GZIP_HEADER]
    checksum = size = 0
    for piece in pieces:
        digest.update(piece)
        checksum, size = zlib.crc32(piece, checksum), size + len(piece)
        if len(piece) < 100_000:
            packed.append(packer.compress(piece))
        else:
            packed += [packer.flush(zlib.Z_FULL_FLUSH), deflate(piece)]
    data = b"".join([*packed, packer.flush(), struct.pack("<II", checksum, size & 0xFFFFFFFF)])
    types = MEDIA_TYPES["oci"]
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Env": [PATH]},
                         "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest.hexdigest()}"]}}).encode()
    manifest = {"schemaVersion": 2, "mediaType": types["manifest"], "config": describe(config, types["config"]),
                "layers": [describe(data, types["layer"])]}
    for blob in (config, data):
        put_blob(host, name, blob)
    put_manifest(host, name, "1", json.dumps(manifest).encode(), types["manifest"])


def push_index(host: str, name: str, images: list[Image], form: str = "oci") -> str:
    """Puts an index of IMAGES; the digest of the index."""
    repository, _, tag = name.partition(":")
    described = []
    for number, image in enumerate(images):
        manifest = image.documents()[0]
        push(host, f"{repository}:part{number}", image)
        platform = {"os": "linux", "architecture": image.architecture}
        if image.variant:
            platform["variant"] = image.variant
        described.append(describe(manifest, MEDIA_TYPES[image.form]["manifest"]) | {"platform": platform})
    index = {"schemaVersion": 2, "mediaType": MEDIA_TYPES[form]["index"], "manifests": described}
    return put_manifest(host, repository, tag, json.dumps(index).encode(), MEDIA_TYPES[form]["index"])
