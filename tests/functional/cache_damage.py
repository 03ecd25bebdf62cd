#!/usr/bin/env python3
"""Layers of cached steps that turn out to be damaged or gone when somebody reads them: the build begins again
without them."""
import itertools
import json
import os
import pathlib
import shutil
import sys

from cache_support import cached_steps, own_registry
from mount_support import in_all_modes
from support import case, expect, expect_equal, main

TEXT = ("FROM REGISTRY/busybox\nRUN cat /proc/sys/kernel/random/uuid > /stamp\n"
        "RUN cat /proc/sys/kernel/random/uuid > /other\n")
ANEW = "the build begins again without it"


def layer_with(blobs: pathlib.Path, image, name: str, pattern: str) -> pathlib.Path:
    """The blob of the layer that holds NAME."""
    digest, = (about["digest"] for about, layer in zip(image.manifest["layers"], image.layers, strict=True)
               if name in layer.names)
    path, = blobs.glob(pattern.format(hex=digest.removeprefix("sha256:")))
    return path


def other_bytes(path: pathlib.Path) -> None:
    path.write_bytes(b"x" * path.stat().st_size)


def heals(world, flags: list[str], damage) -> None:
    """A build after DAMAGE, which is told the image, is one without a cache for what is damaged; the one after it
    finds all."""
    first = world.build(TEXT, None, "--cache", *flags).succeeded()
    damage(first.image)
    second = world.build(TEXT, None, "--cache", *flags).succeeded()
    expect_equal(second.err.count(ANEW), 1, second.err)
    expect(second.image.text("/stamp") != first.image.text("/stamp"), "the damaged layer was used")
    third = world.build(TEXT, None, "--cache", *flags).succeeded()
    expect_equal((len(cached_steps(third)), third.err.count(ANEW)), (2, 0), third.err)
    expect_equal(third.image.text("/stamp"), second.image.text("/stamp"))


@case("a layer with other bytes in --cache-dir")
def in_directory(world):
    directory = world.new_directory("cache")
    heals(world, [f"--cache-dir={directory}"],
          lambda image: other_bytes(layer_with(directory, image, "/stamp", "blobs/sha256/{hex}")))


@case("a layer with other bytes in a cache of image layouts")
def in_layouts(world):
    place = world.new_directory("kept")
    heals(world, [f"--cache-repo=oci:{place}/steps"],
          lambda image: other_bytes(layer_with(place, image, "/stamp", "*/blobs/sha256/{hex}")))


def blob_of(entry: pathlib.Path, what: str) -> pathlib.Path:
    """The manifest of a kept step's layout, its layer or its configuration."""
    def path(about: dict) -> pathlib.Path:
        return entry / "blobs/sha256" / about["digest"].removeprefix("sha256:")
    manifest = path(json.loads((entry / "index.json").read_text())["manifests"][0])
    if what == "manifest":
        return manifest
    about = json.loads(manifest.read_text())
    return path(about["config"] if what == "config" else about["layers"][0])


def halve(path: pathlib.Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def replace(path: pathlib.Path, make) -> None:
    """Whatever was at PATH is gone, and what MAKE makes is there."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    make(path)


LAYOUT_DAMAGE = {  # of the layout of every step
    "index.json emptied": lambda entry: os.truncate(entry / "index.json", 0),
    "half of index.json": lambda entry: halve(entry / "index.json"),
    "an index.json without images":
        lambda entry: (entry / "index.json").write_text('{"schemaVersion":2,"manifests":[]}'),
    "no index.json": lambda entry: (entry / "index.json").unlink(),
    "a directory for index.json": lambda entry: replace(entry / "index.json", pathlib.Path.mkdir),
    "no oci-layout": lambda entry: (entry / "oci-layout").unlink(),
    "oci-layout emptied": lambda entry: os.truncate(entry / "oci-layout", 0),
    "half of the manifest": lambda entry: halve(blob_of(entry, "manifest")),
    "other bytes in the manifest": lambda entry: other_bytes(blob_of(entry, "manifest")),
    "no manifest": lambda entry: blob_of(entry, "manifest").unlink(),
    "half of the layer": lambda entry: halve(blob_of(entry, "layer")),
    "the layer emptied": lambda entry: os.truncate(blob_of(entry, "layer"), 0),
    "a longer layer": lambda entry: blob_of(entry, "layer").open("ab").write(b"x"),
    "no layer": lambda entry: blob_of(entry, "layer").unlink(),
    "a directory for the layer": lambda entry: replace(blob_of(entry, "layer"), pathlib.Path.mkdir),
    "half of the configuration": lambda entry: halve(blob_of(entry, "config")),
    "no configuration": lambda entry: blob_of(entry, "config").unlink(),
    "no blobs": lambda entry: shutil.rmtree(entry / "blobs"),
    "an empty directory for the layout": lambda entry: replace(entry, pathlib.Path.mkdir),
    "a file for the layout": lambda entry: replace(entry, pathlib.Path.touch),
    "a pipe for index.json": lambda entry: replace(entry / "index.json", os.mkfifo),
    "a pipe for the manifest": lambda entry: replace(blob_of(entry, "manifest"), os.mkfifo),
    "a pipe for the layer": lambda entry: replace(blob_of(entry, "layer"), os.mkfifo),
}


def register_layout_damage(what: str, damage) -> None:
    @case(f"cached steps in image layouts that are damaged: {what}. The image is the same")
    def damaged(world):
        place = world.new_directory("kept")
        flags = ("--cache", f"--cache-repo=oci:{place}/steps", "--reproducible")
        text = "FROM REGISTRY/busybox\nRUN echo 1 > /one\nCOPY f /f\nRUN cat /one /f > /all\n"
        wanted = world.build(text, {"f": "2\n"}, *flags).succeeded().image.digest
        for entry in list(place.iterdir()):
            damage(entry)
        for _ in range(2):
            expect_equal(world.build(text, {"f": "2\n"}, *flags).succeeded().image.digest, wanted)


for row in LAYOUT_DAMAGE.items():
    register_layout_damage(*row)


@case("cached steps in image layouts that have each other's names: no step is taken for another")
def exchanged_layouts(world):
    place = world.new_directory("kept")
    flags = ("--cache", f"--cache-repo=oci:{place}/steps", "--reproducible")
    text = "FROM REGISTRY/busybox\nRUN echo 1 > /one\nRUN echo 2 > /two\n"
    wanted = world.build(text, None, *flags).succeeded().image.digest
    for one, other in itertools.combinations(sorted(place.iterdir()), 2):
        for what in ("layer", "config"):
            left, right = blob_of(one, what), blob_of(other, what)
            left.write_bytes(right.read_bytes())
    expect_equal(world.build(text, None, *flags).succeeded().image.digest, wanted)


@case("whole entries that have each other's names: no step is taken for another, and both are kept anew")
def exchanged_entries(world):
    text = "FROM REGISTRY/busybox\nRUN echo 1 > /one\nRUN echo 2 > /two\n"
    for flag, entries in (("--cache-repo=oci:{}/steps", "*"), ("--cache-dir={}", "steps/*.json")):
        place = world.new_directory("kept")
        flags = ("--cache", flag.format(place), "--reproducible")
        wanted = world.build(text, None, *flags).succeeded().image.digest
        one, other = place.glob(entries)
        aside = place.parent / f"{place.name}-aside"
        one.rename(aside)
        other.rename(one)
        aside.rename(other)
        expect_equal(world.build(text, None, *flags).succeeded().image.digest, wanted, flag)
        again = world.build(text, None, *flags).succeeded()
        expect_equal((again.image.digest, len(cached_steps(again))), (wanted, 2), flag)


@case("a layer that a cache repository has lost, but not the manifest that names it")
def in_repository(world):
    with own_registry(world) as server:
        heals(world, [f"--cache-repo={server.host}/cache"],
              lambda image: layer_with(server.storage, image, "/stamp", "**/blobs/sha256/*/{hex}/data").unlink())


@case("a layer that is damaged in --cache-dir is taken from the repository, which has it as well")
def in_one_of_two(world):
    directory = world.new_directory("cache")
    flags = ("--cache", f"--cache-dir={directory}", f"--cache-repo={world.host}/{world.new_name('cache')}")
    first = world.build(TEXT, None, *flags).succeeded()
    other_bytes(layer_with(directory, first.image, "/stamp", "blobs/sha256/{hex}"))
    second = world.build(TEXT, None, *flags).succeeded()
    expect_equal((len(cached_steps(second)), second.err.count(ANEW)), (4, 1), second.err)
    expect_equal(second.image.text("/stamp"), first.image.text("/stamp"))


@case("a layer is damaged that a push needs")
def pushed(world):
    directory = world.new_directory("cache")
    first = world.build(TEXT, None, "--cache", f"--cache-dir={directory}").succeeded()
    other_bytes(layer_with(directory, first.image, "/stamp", "blobs/sha256/{hex}"))
    destination = f"{world.host}/{world.new_name('pushed')}:1"
    second = world.build(TEXT, None, "--cache", f"--cache-dir={directory}", outputs=(f"--destination={destination}",))
    expect_equal(second.succeeded().err.count(ANEW), 1, second.err)


@in_all_modes("a layer is damaged that a command needs")
def needed_by_command(world, build):
    directory = world.new_directory("cache")
    files = {"f": "one\n"}
    text = TEXT + "COPY f /f\nRUN cat /stamp /other /f > /all\n"
    first = build(text, files, "--cache", cache=directory).succeeded()
    other_bytes(layer_with(directory, first.image, "/stamp", "blobs/sha256/{hex}"))
    for path in directory.glob("unpacked/*"):
        path.rename(world.new_directory("away") / "unpacked")
    second = build(text, {"f": "two\n"}, "--cache", cache=directory).succeeded()
    expect_equal(second.err.count(ANEW), 1, second.err)
    expect(second.image.text("/stamp") != first.image.text("/stamp"), "the damaged layer was used")
    expect_equal(second.image.text("/all"), second.image.text("/stamp") + second.image.text("/other") + "two\n")


if __name__ == "__main__":
    sys.exit(main())
