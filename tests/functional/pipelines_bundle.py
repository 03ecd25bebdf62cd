#!/usr/bin/env python3
"""scripts/tekton-bundle: what Tekton's bundle resolver asks of a bundle, and what it finds in this one."""
import gzip
import io
import json
import subprocess
import sys
import tarfile

import yaml

from support import ROOT, case, expect, expect_equal, main

import manifests
import registry

PREFIX = "dev.tekton.image."


def make(world, *flags: str) -> None:
    done = subprocess.run([ROOT / "scripts/tekton-bundle", *flags], capture_output=True, text=True, check=False)
    expect(done.returncode == 0, done.stdout + done.stderr)


def contents(world, manifest: dict) -> dict[tuple[str, str], dict]:
    """The documents of a pushed bundle, by kind and name, read as the resolver reads them."""
    found = {}
    for layer in manifest["layers"]:
        packed = registry.get(world.host, f"/v2/bundle/blobs/{layer['digest']}")
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as archive:
            document = yaml.safe_load(archive.extractfile(archive.next()))
        notes = layer["annotations"]
        found[notes[f"{PREFIX}kind"], notes[f"{PREFIX}name"]] = document
        expect_equal(notes[f"{PREFIX}apiVersion"], document["apiVersion"])
        expect_equal(notes[f"{PREFIX}kind"], document["kind"].lower())
        expect_equal(notes[f"{PREFIX}name"], document["metadata"]["name"])
    return found


@case("the executor pushes a bundle that holds every manifest that is installed, each in an annotated layer")
def pushed(world):
    pinned = f"registry.test/cairn@sha256:{'0' * 64}"
    make(world, str(world.directory / "bundle"), "--builder-image", pinned, "--push", f"{world.host}/bundle:v1")
    manifest = json.loads(world.manifest("bundle:v1"))
    found = contents(world, manifest)
    wanted = {(kind.lower(), name) for kind in ("Task", "StepAction", "Pipeline") for name in manifests.catalog(kind)}
    expect_equal(set(found), wanted)
    expect(len(manifest["layers"]) <= 20, "Tekton reads 20 layers at most")
    images = {param["default"] for document in found.values() for param in document["spec"]["params"]
              if param["name"] == "BUILDER_IMAGE"}
    expect_equal(images, {pinned})


@case("the same manifests make the same bundle")
def reproducible(world):
    digests = set()
    for name in ("one", "two"):
        make(world, str(world.directory / name))
        index = json.loads((world.directory / name / "index.json").read_bytes())
        digests.add(index["manifests"][0]["digest"])
    expect_equal(len(digests), 1)


if __name__ == "__main__":
    sys.exit(main())
