"""Layers with a table of contents, written by the libraries that the formats come from. Go's modules are fetched once,
and what is compiled of them is kept below build/."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import made_once

FORMS = ("estargz", "estargz-packed", "zstd-chunked", "zstd-estargz")
ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
GZIP = "application/vnd.oci.image.layer.v1.tar+gzip"


class CannotMake(Exception):
    """This machine lacks what making them takes."""


def writer(root: pathlib.Path) -> pathlib.Path:
    """tests/tools/layer_tables, compiled."""
    source, made = root / "tests/tools/layer_tables", root / "build/layer_tables/layer_tables"
    with made_once.lock(made):
        files = [source / name for name in ("main.go", "go.mod", "go.sum")]
        if made.exists() and all(made.stat().st_mtime > file.stat().st_mtime for file in files):
            return made
        if shutil.which("go") is None:
            raise CannotMake("there is no go")
        version = subprocess.run(["go", "version"], capture_output=True, text=True, check=False).stdout
        wanted = re.search(r"^go (\d+)\.(\d+)", (source / "go.mod").read_text(), re.M)
        found = re.search(r"go(\d+)\.(\d+)", version)
        if not found or (int(found[1]), int(found[2])) < (int(wanted[1]), int(wanted[2])):
            raise CannotMake(f"go is older than {wanted[1]}.{wanted[2]}: {version.strip()}")
        done = subprocess.run(["go", "build", "-mod=readonly", "-o", str(made), "."], cwd=source, capture_output=True,
                              text=True, check=False, env={**os.environ, "GOFLAGS": "-buildvcs=false",
                                                           "GOTOOLCHAIN": "local"})
        if done.returncode != 0:
            raise CannotMake(f"Go's modules cannot be had: {done.stderr.strip()[-300:]}")
        return made


class Layer:
    """A layer in FORM, with what its descriptor says."""

    def __init__(self, program: pathlib.Path, form: str, tar: bytes, chunk_size: int = 4 << 20):
        read, write = os.pipe()
        with open(read, encoding="utf-8") as told:
            # The program knows it by the number 3.
            done = subprocess.run(["bash", "-c", f'exec "$@" 3>&{write}', "-", str(program), form, str(chunk_size)],
                                  input=tar, capture_output=True, check=False, pass_fds=[write])
            os.close(write)
            if done.returncode != 0:
                raise RuntimeError(f"{form}: {done.stderr.decode()}")
            said = json.loads(told.read())
        self.blob, self.annotations, self.diff_id = done.stdout, said["annotations"], said["diffID"]
        self.media_type = ZSTD if form.startswith("zstd") else GZIP
