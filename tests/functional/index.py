#!/usr/bin/env python3
"""executor index: images of several platforms under one name."""
import contextlib
import json
import sys

from support import case, expect, expect_equal, main

import registry
import tar_layers

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
PLATFORMS = ("linux/amd64", "linux/arm64", "linux/arm/v7")


def build(world, name: str, platform: str, *flags: str) -> str:
    """An image for PLATFORM, which its file tells; the reference with its digest."""
    folder = world.new_directory("digest")
    name = name if name.startswith("127.") else f"{world.host}/{name}"
    world.files_only("FROM scratch\nCOPY f /f\n", {"f": platform}, f"--custom-platform={platform}", *flags,
                     outputs=(f"--destination={name}", f"--image-name-with-digest-file={folder}/name")).succeeded()
    return (folder / "name").read_text().strip()


def join(world, *words: str) -> tuple[int, str]:
    status, out, err, _ = world.execute(["index", *words])
    return status, out + err


def joined(world, *words: str) -> tuple[str, dict]:
    """The name of a new index, and the document."""
    name = world.new_name("index")
    status, said = join(world, *words, f"--destination={world.host}/{name}:1")
    expect_equal(status, 0, said)
    return f"{world.host}/{name}:1", json.loads(world.manifest(f"{name}:1"))


def text_for(world, image: str, platform: str) -> str:
    return world.files_only(f"FROM {image}\nENV A=b\n", {}, f"--custom-platform={platform}").image.text("/f")


@case("images that were pushed by digest become one that every platform finds its own in")
def several(world):
    members = [build(world, f"app:{platform.replace('/', '-')}", platform) for platform in PLATFORMS]
    folder = world.new_directory("reports")
    before = len(world.registry.requests())
    status, said = join(world, *members, f"--destination={world.host}/app:1", f"--digest-file={folder}/digest")
    expect_equal(status, 0, said)
    document = json.loads(world.manifest("app:1"))
    expect_equal([member["digest"] for member in document["manifests"]], [name.split("@")[1] for name in members])
    expect_equal([member["platform"] for member in document["manifests"]],
                 [{"architecture": "amd64", "os": "linux"}, {"architecture": "arm64", "os": "linux"},
                  {"architecture": "arm", "os": "linux", "variant": "v7"}])
    expect_equal((folder / "digest").read_text(), tar_layers.digest_of(world.manifest("app:1")))
    sent = [line for line in world.registry.requests()[before:] if line.startswith(("PUT", "PATCH"))]
    expect_equal(len(sent), 1, f"more than the index was sent: {sent}")
    for platform in PLATFORMS:
        expect_equal(text_for(world, f"{world.host}/app:1", platform), platform)


@case("images of other repositories and registries are copied to where the index goes")
def from_elsewhere(world):
    with contextlib.closing(registry.Registry(world.new_directory("other"))) as other:
        image, _ = joined(world, build(world, "here/amd64:1", PLATFORMS[0]),
                          build(world, f"{other.host}/there:1", PLATFORMS[1]))
    for platform in PLATFORMS[:2]:
        expect_equal(text_for(world, image, platform), platform)


@case("an index among the images gives its members")
def nested(world):
    first, _ = joined(world, build(world, "nested:1", PLATFORMS[0]), build(world, "nested:2", PLATFORMS[1]))
    _, document = joined(world, first, build(world, "nested:3", PLATFORMS[2]))
    expect_equal(len(document["manifests"]), 3)


@case("Docker's images make a manifest list, others and annotations an OCI index")
def formats(world):
    docker = build(world, "formats:1", PLATFORMS[0], "--image-format=docker")
    oci = build(world, "formats:2", PLATFORMS[1], "--image-format=oci")
    expect_equal(joined(world, docker)[1]["mediaType"], DOCKER_LIST)
    expect_equal(joined(world, docker, oci)[1]["mediaType"], OCI_INDEX)
    document = joined(world, docker, "--annotation=org.opencontainers.image.title=both")[1]
    expect_equal((document["mediaType"], document["annotations"]),
                 (OCI_INDEX, {"org.opencontainers.image.title": "both"}))


@case("two images for one platform, or one that is not there, are an error and no tag")
def refused(world):
    one, two = build(world, "same:1", PLATFORMS[0]), build(world, "same:2", PLATFORMS[0], "--label=a=b")
    for words, text in (((one, two), "are both for linux/amd64"), ((one, f"{world.host}/same:none"),
                                                                   "not in the registry"), ((), "name the images")):
        status, said = join(world, *words, f"--destination={world.host}/refused:1")
        expect(status == 1 and text in said, said)
    expect_equal(world.tags("refused"), [])
    expect_equal(join(world, one, one, f"--destination={world.host}/refused:1")[0], 0, "the same image twice is one:")


if __name__ == "__main__":
    sys.exit(main())
