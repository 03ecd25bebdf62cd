#!/usr/bin/env python3
"""executor push: images that lie in archives and layouts go to registries."""
import contextlib
import gzip
import hashlib
import io
import json
import pathlib
import subprocess
import sys
import tarfile
import time

from support import case, expect, expect_equal, main

import fault_proxy
import tar_layers

DOCKERFILE = "FROM REGISTRY/busybox\nENV A=b\nCOPY f /f\n"
FILES = {"f": "content"}


def skopeo(*words) -> str:
    return subprocess.run(["skopeo", *map(str, words)], check=True, capture_output=True, text=True).stdout


def push(world, path: pathlib.Path, *flags: str, name: str | None = None, **how):
    """Pushes PATH to a repository of the test's registry: its name, exit status and what was said."""
    name = name or world.new_name("pushed")
    status, out, err, _ = world.execute(["push", str(path), f"--destination={world.host}/{name}:1",
                                         f"--kaniko-dir={world.new_directory('work')}", *flags], **how)
    return name, status, out + err


def pushed(world, path: pathlib.Path, *flags: str) -> dict:
    """The manifest of what was pushed."""
    name, status, said = push(world, path, *flags)
    expect_equal(status, 0, said)
    return json.loads(world.manifest(f"{name}:1")) | {"name": name}


def refused(world, path: pathlib.Path, *texts: str, status: int = 1) -> None:
    name, found, said = push(world, path)
    expect_equal(found, status, said)
    for text in texts:
        expect(text in said, f"the error does not hold {text!r}: {said}")
    expect_equal(world.tags(name), [])


def config_of(world, manifest: dict) -> dict:
    reference = f"docker://{world.host}/{manifest['name']}:1"
    return json.loads(skopeo("inspect", "--config", "--tls-verify=false", reference))


def archive(world, members: dict[str, bytes]) -> pathlib.Path:
    path = world.new_directory("archive") / "image.tar"
    with tarfile.open(path, "w") as file:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            file.addfile(entry, io.BytesIO(content))
    return path


def docker_archive(world, layers: list[bytes], **changes) -> pathlib.Path:
    """An archive of docker save with LAYERS; CHANGES replace members of its documents."""
    diff_ids = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]
    config = {"os": "linux", "architecture": "amd64", "config": {},
              "rootfs": {"type": "layers", "diff_ids": changes.get("diff_ids", diff_ids)}}
    names = [f"{i}/layer.tar" for i in range(len(layers))]
    manifest = [{"Config": "c.json", "RepoTags": ["a:1"], "Layers": changes.get("names", names)}]
    return archive(world, {"c.json": json.dumps(config).encode(), **dict(zip(names, layers)),
                           "manifest.json": json.dumps(manifest * changes.get("images", 1)).encode()})


@case("what cannot be pushed is kept where that was asked for, and the error says how to push it")
def kept(world):
    folder, name = world.new_directory("kept"), world.new_name("kept")
    with contextlib.closing(fault_proxy.FaultProxy(world.host)) as proxy:
        destination = f"--destination={proxy.host}/{name}:1"
        proxy.add("^PUT .*/manifests/", times=9, status=403, body=b'{"errors":[{"code":"DENIED","message":"quota"}]}')
        build = world.files_only(DOCKERFILE, FILES, f"--oci-layout-on-push-failure={folder}/layout",
                                 outputs=(destination,))
        expect_equal(build.status, 1, build.said)
        command = f"executor push {folder}/layout --destination {proxy.host}/{name}:1"
        for text in ("DENIED: quota", f"the image is in the OCI layout {folder}/layout: {command}"):
            expect(text in build.error, f"the error does not hold {text!r}: {build.said}")
        expect_equal(world.tags(name), [])
        proxy.reset()
        words = command.split()[1:]
        status, out, err, _ = world.execute([*words, f"--kaniko-dir={world.new_directory('work')}"])
        expect_equal(status, 0, out + err)
        expect_equal(world.tags(name), ["1"])
        world.files_only(DOCKERFILE, FILES, f"--oci-layout-on-push-failure={folder}/none",
                         outputs=(destination,)).succeeded()
        expect(not (folder / "none").exists(), "a layout was written although the push worked")
        proxy.add("^PUT .*/manifests/", times=9, status=403)
        build = world.files_only(DOCKERFILE, FILES, f"--oci-layout-path={folder}/before", outputs=(destination,))
        expect(f"executor push {folder}/before --destination" in build.error, f"the hint: {build.said}")
        expect((folder / "before/index.json").exists(), "the layout is there")


@case("a registry that starts anew during a push does not cost the build")
def restart(world):
    name = world.new_name("restart")
    with contextlib.closing(fault_proxy.FaultProxy(world.host)) as proxy:
        started = []

        def refuse_for_a_while(line):
            if "/manifests/" in line and line.startswith("PUT"):
                started.append(time.monotonic())
        proxy.on_request = refuse_for_a_while
        proxy.add("^PUT .*/manifests/", times=5, status=503)
        build = world.files_only(DOCKERFILE, FILES, outputs=(f"--destination={proxy.host}/{name}:1",))
        build.succeeded()
        expect(len(started) == 6 and started[-1] - started[0] > 20, f"asked at {started}")
        expect("trying again in" in build.err, f"it is told: {build.said}")


@case("what --tar-path wrote is pushed with the digest that the build reported")
def own_archive(world):
    folder = world.new_directory("saved")
    world.files_only(DOCKERFILE, FILES, "--image-format=docker", outputs=("--no-push", f"--tar-path={folder}/image.tar",
                                                 f"--digest-file={folder}/digest")).succeeded()
    name, status, said = push(world, folder / "image.tar", f"--digest-file={folder}/pushed")
    expect_equal(status, 0, said)
    digest = tar_layers.digest_of(world.manifest(f"{name}:1"))
    expect_equal([(folder / "digest").read_text(), (folder / "pushed").read_text()], [digest, digest])


@case("what --oci-layout-path wrote is pushed byte for byte, also out of an archive, compressed or not")
def own_layout(world):
    build = world.files_only(DOCKERFILE, FILES, "--image-format=oci").succeeded()
    packed = world.new_directory("packed")
    for compression in ("", "z", "J"):
        subprocess.run(["tar", f"-c{compression}f", packed / f"image{compression}.tar", "-C", build.layout, "."],
                       check=True)
    for path in (build.layout, *sorted(packed.iterdir())):
        name, status, said = push(world, path)
        expect_equal(status, 0, said)
        expect_equal(tar_layers.digest_of(world.manifest(f"{name}:1")), build.image.digest, str(path))


@case("an archive with uncompressed layers is pushed with compressed ones, and its configuration stays")
def uncompressed(world):
    build = world.files_only(DOCKERFILE, FILES).succeeded()
    path = world.new_directory("docker") / "image.tar"
    skopeo("copy", f"oci:{build.layout}", f"docker-archive:{path}:a:1")
    manifest = pushed(world, path)
    expect_equal({layer["mediaType"] for layer in manifest["layers"]},
                 {"application/vnd.docker.image.rootfs.diff.tar.gzip"})
    expect_equal(config_of(world, manifest)["rootfs"], build.image.document["rootfs"])
    again = world.files_only(f"FROM {world.host}/{manifest['name']}:1\nCOPY f /g\n", FILES)
    expect_equal(again.image.text("/f"), "content")


@case("a layer that an archive holds once and links to is pushed for both names")
def links(world):
    layer = tar_layers.tar([])
    path = docker_archive(world, [layer, layer])
    with tarfile.open(path) as old:
        members = {member.name: old.extractfile(member).read() for member in old}
    with tarfile.open(path, "w") as new:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            if name == "1/layer.tar":
                entry.type, entry.linkname, content = tarfile.SYMTYPE, "../0/layer.tar", b""
            entry.size = len(content)
            new.addfile(entry, io.BytesIO(content))
    expect_equal(len(pushed(world, path)["layers"]), 2)


@case("an index in a layout is pushed with all its images")
def index(world):
    layout = world.new_directory("index")
    for architecture in ("amd64", "arm64"):
        world.files_only("FROM scratch\nCOPY f /f\n", {"f": architecture}, f"--custom-platform=linux/{architecture}",
                         outputs=(f"--destination={world.host}/parts:{architecture}",)).succeeded()
    status, _, err, _ = world.execute(["index", f"{world.host}/parts:amd64", f"{world.host}/parts:arm64",
                                       f"--destination={world.host}/parts:all"])
    expect_equal(status, 0, err)
    skopeo("copy", "--all", "--src-tls-verify=false", f"docker://{world.host}/parts:all", f"oci:{layout}:all")
    name, status, said = push(world, layout)
    expect_equal(status, 0, said)
    for architecture in ("amd64", "arm64"):
        build = world.files_only(f"FROM {world.host}/{name}:1\nENV A=b\n", {},
                                 f"--custom-platform=linux/{architecture}")
        expect_equal(build.image.text("/f"), architecture)


@case("what is no image is an error that says what was expected, and nothing is tagged")
def no_image(world):
    refused(world, pathlib.Path("/nonexistent"), "/nonexistent", "No such file")
    refused(world, world.new_directory("empty"), "not an OCI image layout")
    refused(world, archive(world, {"f": b"text"}), "neither an archive of docker save nor of an OCI image layout")
    text = world.new_directory("text") / "f"
    text.write_bytes(b"text" * 1000)
    refused(world, text, str(text))


@case("an archive whose parts do not fit is an error before anything is pushed")
def broken(world):
    layer = tar_layers.tar([])
    refused(world, docker_archive(world, [layer], diff_ids=["sha256:" + "0" * 64]), "0/layer.tar", "diff id")
    refused(world, docker_archive(world, [tar_layers.compress(layer)], diff_ids=["sha256:" + "0" * 64]), "diff id")
    refused(world, docker_archive(world, [layer], names=["x"]), "names 'x', which is not in the archive")
    refused(world, docker_archive(world, [layer], names=[]), "has 0 layers, the configuration 1")
    refused(world, docker_archive(world, [layer], images=2), "holds 2 images (a:1, a:1)")
    build = world.files_only(DOCKERFILE, FILES).succeeded()
    blob = build.layout / "blobs" / build.image.manifest["layers"][-1]["digest"].replace(":", "/")
    content = blob.read_bytes()
    blob.write_bytes(content[:-1])
    refused(world, build.layout, "is missing")
    blob.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused(world, build.layout, "digest")


@case("push says what it lacks")
def usage(world):
    for words, text in ((["push"], "name one archive"), (["push", "a", "b", "-d",
                                                          "x"], "name one archive"), (["push", "a"], "--destination"),
                        (["push", "a", "-d",
                          "x@sha256:" + "0" * 64], "pushed under a tag"), (["--insecure", "push",
                                                                            "a"], "comes before its flags")):
        status, _, err, _ = world.execute(words)
        expect(status == 1 and text in err, f"{words}: {err}")


@case("an archive that stands for much more than itself is refused, and the flag that the error names lets it pass")
def large_archive(world):
    path = world.new_directory("large") / "image.tar"
    world.files_only("FROM scratch\nCOPY f /f\n", FILES,
                     outputs=("--no-push", f"--tar-path={path}", "--destination=app:1")).succeeded()
    with tarfile.open(path, "a") as file:
        zeros = tarfile.TarInfo("zeros")
        zeros.size = 30 << 20
        file.addfile(zeros, io.BytesIO(bytes(zeros.size)))
    packed = path.with_suffix(".tar.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    name, status, said = push(world, packed, "--max-unpacked-size=1M")
    expect(status == 1 and "hint: --max-unpacked-size allows more" in said, said)
    expect_equal(world.tags(name), [])
    for flags in ((), ("--max-unpacked-size=0",), ("--max-unpacked-size=50M",)):
        pushed(world, packed, *flags)


if __name__ == "__main__":
    sys.exit(main())
