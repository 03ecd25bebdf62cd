#!/usr/bin/env python3
"""Base images in --cache-dir: what is remembered of them, builds without their registry, what kaniko's warmer left."""
import contextlib
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys

from cache_support import TEXT, asked, blob, build, own_registry, push
from support import Skip, case, expect, expect_equal, main, registry, tar_layers

import fault_proxy

@case("a build works without its registry when --cache-dir has all of the base image, by tag and by digest")
def without_registry(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        first = build(world, server.host, directory).succeeded()
        server.close()
        by_tag = build(world, server.host, directory).succeeded()
        expect("is used, which" in by_tag.err and server.digest in by_tag.err, by_tag.err)
        by_digest = build(world, server.host, directory, text=TEXT.replace("base:1",
                                                                           f"base@{server.digest}")).succeeded()
        expect("is used, which" not in by_digest.err, by_digest.err)
        new_step = build(world, server.host, directory, text=TEXT + "RUN cat /f > /g\n").succeeded()
    expect_equal(by_digest.image.files["/size"].text, first.image.files["/size"].text)
    expect_equal(new_step.image.files["/g"].text, "text\n")


@case("by digest no registry is asked, by tag with HEAD alone, when the manifest is known")
def few_requests(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        build(world, server.host, directory).succeeded()
        before = len(server.requests())
        build(world, server.host, directory).succeeded()
        expect_equal(len(asked(server, before, "HEAD", "manifests")), 1)
        expect_equal(asked(server, before, "GET", "manifests") + asked(server, before, "GET", "blobs"), [])
        before = len(server.requests())
        build(world, server.host, directory, text=TEXT.replace("base:1", f"base:1@{server.digest}")).succeeded()
        expect_equal(server.requests()[before:], [])


@case("a tag that leads elsewhere now is followed, and remembered")
def moved_tag(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        build(world, server.host, directory).succeeded()
        digest = push(server, "base:1", [tar_layers.entry("new", "1")])
        done = build(world, server.host, directory).succeeded()
        expect("/new" in done.image.files, "the new image is not the base")
        server.close()
        done = build(world, server.host, directory).succeeded()
        expect("/new" in done.image.files and digest in done.err, done.err)


@case("what a tag led to counts for --cache-ttl")
def too_old(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        build(world, server.host, directory).succeeded()
        server.close()
        done = build(world, server.host, directory, "--cache-ttl=1ns")
        expect_equal(done.status, 75, done.said)


@case("an index is remembered with the image that was chosen from it")
def index(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        tar_layers.push_index(server.host, "multi:1", [tar_layers.Image([tar_layers.busybox()]),
                                                     tar_layers.Image([tar_layers.busybox()], architecture="arm64")])
        text = TEXT.replace("base:1", "multi:1")
        build(world, server.host, directory, text=text).succeeded()
        server.close()
        build(world, server.host, directory, text=text).succeeded()


@contextlib.contextmanager
def faulty(server):
    """A way to a registry on which bytes get lost or change."""
    with contextlib.closing(fault_proxy.FaultProxy(server.host)) as proxy:
        yield proxy


def blob_files(directory: pathlib.Path) -> list[str]:
    """All files of a cache directory's store of blobs, with what is only half there."""
    return sorted(path.name for path in (directory / "blobs").rglob("*") if not path.is_dir())


@case("a blob that comes with a wrong byte is an error, nothing of it is kept, and the next build succeeds")
def wrong_byte(world):
    with own_registry(world) as server, faulty(server) as proxy:
        manifest = json.loads(registry.get(server.host, "/v2/base/manifests/1"))
        for about in (manifest["layers"][0], manifest["config"]):
            directory, digest = world.new_directory("cache"), about["digest"]
            proxy.add(f"^GET .*/blobs/{digest}", times=99, flip_byte=about["size"] // 2)
            done = build(world, proxy.host, directory)
            expect_equal(done.status, 1, done.said)
            expect(digest in done.error and "the bytes that came have the digest" in done.error, done.said)
            left = [name for name in blob_files(directory) if name.removeprefix(".") == name]
            expect(digest.removeprefix("sha256:") not in left, f"kept: {left}")
            expect_equal([name for name in blob_files(directory) if name.startswith(".")], [], "half written")
            for name in left:
                found = hashlib.sha256(blob(directory, name).read_bytes()).hexdigest()
                expect_equal(found, name, "a blob that is kept")
            proxy.reset()
            wanted = build(world, server.host, world.new_directory("cache")).succeeded()
            for _ in range(2):
                healed = build(world, proxy.host, directory).succeeded()
                expect_equal(healed.image.text("/size"), wanted.image.text("/size"))


DAMAGE = [
    ("a truncated manifest", lambda d, m, l: blob(d, m).write_bytes(blob(d, m).read_bytes()[:50])),
    ("another manifest", lambda d, m, l: blob(d, m).write_bytes(b'{"schemaVersion":2}')),
    ("a layer of the right size with other bytes",
     lambda d, m, l: blob(d, l).write_bytes(b"x" * blob(d, l).stat().st_size)),
    ("a truncated layer", lambda d, m, l: os.truncate(blob(d, l), 1000)),
    ("a link to an endless file", lambda d, m, l: (blob(d, l).unlink(), blob(d, l).symlink_to("/dev/zero"))),
    ("a pipe", lambda d, m, l: (blob(d, m).unlink(), os.mkfifo(blob(d, m)))),
    ("a directory", lambda d, m, l: (blob(d, m).unlink(), blob(d, m).mkdir())),
    ("records of names that are nonsense", lambda d, m, l: [path.write_text("{]") for path in (d / "names").iterdir()]),
    ("truncated indexes", lambda d, m, l: [os.truncate(path, 9) for path in (d / "indexes").iterdir()]),
]


def register_damage(what: str, damage) -> None:
    @case(f"damage: {what} in --cache-dir is fetched again")
    def damaged(world):
        directory = world.new_directory("cache")
        with own_registry(world) as server:
            first = build(world, server.host, directory).succeeded()
            for kind in ("steps", "unpacked"):
                shutil.rmtree(directory / kind)
            layer = json.loads(blob(directory, server.digest).read_bytes())["layers"][0]["digest"]
            damage(directory, server.digest, layer)
            done = build(world, server.host, directory).succeeded()
            expect_equal(done.image.files["/size"].text, first.image.files["/size"].text)


for row in DAMAGE:
    register_damage(*row)


def kaniko_layout(server, directory: pathlib.Path) -> pathlib.Path:
    """What kaniko's warmer leaves by default: an image layout under the digest of the manifest."""
    place = directory / "layout"
    subprocess.run(
        ["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{server.host}/base:1", f"oci:{place}:base"],
        check=True)
    return place.rename(directory / server.digest)


def kaniko_archive(server, directory: pathlib.Path) -> pathlib.Path:
    """What it leaves otherwise: an archive of docker save, whose layers are compressed, and the manifest beside it."""
    raw = registry.get(server.host, f"/v2/base/manifests/{server.digest}")
    manifest = json.loads(raw)
    names = [layer["digest"].removeprefix("sha256:") + ".tar.gz" for layer in manifest["layers"]]
    blobs = [
        registry.get(server.host, f"/v2/base/blobs/{part['digest']}")
        for part in (manifest["config"], *manifest["layers"])
    ]
    about = [{"Config": manifest["config"]["digest"], "RepoTags": [f"{server.host}/base:1"], "Layers": names}]
    members = [
        *zip([manifest["config"]["digest"], *names], blobs, strict=True), ("manifest.json", json.dumps(about).encode())
    ]
    (directory / f"{server.digest}.json").write_bytes(raw)
    (directory / server.digest).write_bytes(tar_layers.tar(tar_layers.entry(name, data) for name, data in members))
    return directory / server.digest


def docker_archive(server, directory: pathlib.Path) -> pathlib.Path:
    """The same as docker save would write it: layers are not compressed, and not those that the manifest names."""
    place = directory / "archive"
    subprocess.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{server.host}/base:1",
                    f"docker-archive:{place}:base:1"], check=True)
    (directory / f"{server.digest}.json").write_bytes(registry.get(server.host, f"/v2/base/manifests/{server.digest}"))
    return place.rename(directory / server.digest)


def need_skopeo() -> None:
    if shutil.which("skopeo") is None:
        raise Skip("skopeo is not installed")


for kind, make in (("a layout", kaniko_layout), ("an archive", kaniko_archive)):
    @case(f"kaniko: {kind} that its warmer left is read, and no registry asked for more than the tag")
    def kaniko_hits(world, make=make):
        need_skopeo()
        directory = world.new_directory("cache")
        with own_registry(world) as server:
            make(server, directory)
            before = len(server.requests())
            build(world, server.host, directory).succeeded()
            expect_equal([line for line in server.requests()[before:] if not line.startswith(("HEAD", "GET /v2/ "))],
                         [])

    @case(f"kaniko: {kind} that its warmer left makes a build by digest work without the registry")
    def kaniko_without_registry(world, make=make):
        need_skopeo()
        directory = world.new_directory("cache")
        with own_registry(world) as server:
            make(server, directory)
            server.close()
            build(world, server.host, directory, text=TEXT.replace("base:1", f"base@{server.digest}")).succeeded()

    @case(f"kaniko: {kind} that is older than --cache-ttl does not count")
    def kaniko_expired(world, make=make):
        need_skopeo()
        directory = world.new_directory("cache")
        with own_registry(world) as server:
            place = make(server, directory)
            os.utime(place, (1_000_000_000, 1_000_000_000))
            before = len(server.requests())
            build(world, server.host, directory).succeeded()
            expect_equal(len(asked(server, before, "GET", "blobs")), 2)

    @case(f"kaniko: {kind} that is damaged does not count")
    def kaniko_damaged(world, make=make):
        need_skopeo()
        with own_registry(world) as server:
            for damage in (lambda path: os.truncate(path, 700), lambda path: path.write_bytes(path.read_bytes()[::-1]),
                           lambda path: path.write_bytes(b"")):
                directory = world.new_directory("cache")
                place = make(server, directory)
                for path in [place] if place.is_file() else [path for path in place.rglob("*") if path.is_file()]:
                    damage(path)
                build(world, server.host, directory).succeeded()


@case("kaniko: an archive whose layers are not those of the manifest is not used for them")
def kaniko_foreign(world):
    need_skopeo()
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        docker_archive(server, directory)
        before = len(server.requests())
        build(world, server.host, directory).succeeded()
        expect_equal(len(asked(server, before, "GET", "blobs")), 1)


if __name__ == "__main__":
    sys.exit(main())
