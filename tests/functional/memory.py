#!/usr/bin/env python3
"""Memory stays bounded, however large a base, a layer or a file is."""
import gzip
import hashlib
import io
import json
import pathlib
import sys
import tarfile

from support import case, expect, main

import tar_layers

MIB = 1 << 20
LIMIT = 100 * MIB


class Zeros(io.RawIOBase):
    """SIZE bytes that nobody has to keep."""

    def __init__(self, size: int):
        self.left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        count = self.left if size < 0 else min(size, self.left)
        self.left -= count
        return bytes(count)


def write_layer(path: pathlib.Path, files: int, size: int) -> None:
    """A gzip layer of FILES files of SIZE bytes."""
    with gzip.open(path, "wb", compresslevel=1) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        for number in range(files):
            info = tarfile.TarInfo(f"data/{number % 100}/file{number}")
            info.size = size
            archive.addfile(info, Zeros(size))


def push_large(world, name: str, files: int, size: int) -> None:
    path = world.directory / f"{name}.tar.gz"
    write_layer(path, files, size)
    with gzip.open(path) as plain:
        diff_id = f"sha256:{hashlib.file_digest(plain, 'sha256').hexdigest()}"
    types, data = tar_layers.MEDIA_TYPES["oci"], path.read_bytes()
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Env": [tar_layers.PATH]},
                         "rootfs": {"type": "layers", "diff_ids": [diff_id]}}).encode()
    manifest = {"schemaVersion": 2, "mediaType": types["manifest"], "config": tar_layers.describe(config, types["config"]),
                "layers": [tar_layers.describe(data, types["layer"])]}
    for blob in (config, data):
        tar_layers.put_blob(world.host, name, blob)
    tar_layers.put_manifest(world.host, name, "1", json.dumps(manifest).encode(), types["manifest"])


def check_peak(build) -> None:
    build.succeeded()
    expect(0 < build.peak < LIMIT, f"{build.peak / MIB:.0f} MiB at most")


@case("COPY onto a base of 200 MB and 20,000 files takes less than 100 MB")
def large_base(world):
    push_large(world, "large", 20_000, 10_000)
    check_peak(world.files_only("FROM REGISTRY/large:1 AS large\nCOPY f /data/\nFROM scratch\nCOPY --from=large /data/7 /\n",
                                {"f": "x"}, measure=True))


@case("a layer with a file of 300 MB takes less than 100 MB, whichever way it comes")
def large_file(world):
    context = world.context("FROM REGISTRY/busybox\nCOPY large /a\nRUN truncate -s 300M /b\n")
    with (context / "large").open("wb") as file:
        file.truncate(300 * MIB)
    outputs = ("--no-push", f"--tar-path={world.directory}/large.tar")
    check_peak(world.build("", context=context, outputs=outputs, measure=True))


if __name__ == "__main__":
    sys.exit(main())
