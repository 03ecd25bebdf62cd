#!/usr/bin/env python3
"""Base images that lie: broken blobs, archives that reach out of the root, bombs. Nothing outside is ever touched."""
import contextlib
import gzip
import itertools
import json
import os
import pathlib
import sys
import tarfile

from support import ROOTED, case, expect, expect_equal, main

import fault_proxy
import tar_layers

COPY = "\nCOPY f /f\n"
RUN = "\nRUN true\n"
ROOMY = 150 << 20


def stored(world, digest: str) -> pathlib.Path:
    """The file in which the registry keeps a blob."""
    name = digest.removeprefix("sha256:")
    return world.registry.storage / "docker/registry/v2/blobs/sha256" / name[:2] / name / "data"


def spoiled_layer(world, name: str, spoil) -> str:
    """An image of busybox and one layer, whose stored blob SPOIL has changed; the layer's digest."""
    content = tar_layers.tar([tar_layers.entry("big", os.urandom(200_000))])
    tar_layers.push(world.host, name, tar_layers.Image([tar_layers.busybox(), content]))
    digest = tar_layers.digest_of(tar_layers.compress(content))
    path = stored(world, digest)
    path.write_bytes(spoil(path.read_bytes()))
    return digest


@case("a layer with other content than its digest says is refused")
def wrong_content(world):
    other = gzip.compress(tar_layers.tar([tar_layers.entry("evil", os.urandom(199_930))]), 1)
    for number, spoil in enumerate((lambda data: data[:100_000] + b"X" + data[100_001:],
                                    lambda data: other[:len(data)].ljust(len(data), b"\0"))):
        digest = spoiled_layer(world, f"spoiled{number}", spoil)
        for instruction, isolation in ((COPY, "none"), (RUN, "namespace")):
            world.refused(
                f"FROM REGISTRY/spoiled{number}{instruction}", {"f": ""}, isolation=isolation,
                texts=(f"get blob {digest}", "the bytes that came have the digest sha256:", f", not {digest}"))


@case("a layer that ends too early or goes on too long is refused")
def wrong_length(world):
    for name, spoil in (("short", lambda data: data[:120_000]), ("long", lambda data: data + b"more")):
        digest = spoiled_layer(world, name, spoil)
        world.refused(f"FROM REGISTRY/{name}{COPY}", {"f": ""}, texts=(digest[7:19],), status=status_of(world, name))


def status_of(world, name: str) -> int:
    """1, or 75 where trying again might have helped: the end of a stream does not tell why it came."""
    status = world.files_only(f"FROM REGISTRY/{name}{COPY}", {"f": ""}).status
    expect(status in (1, 75), f"exit status {status}")
    return status


@case("a manifest or a configuration with other content than its digest says is refused")
def wrong_documents(world):
    digest = world.push("documents")
    config = json.loads(world.manifest("documents:latest"))["config"]["digest"]
    for blob in (config, digest):
        path = stored(world, blob)
        data = path.read_bytes()
        path.write_bytes(data.replace(b"amd64", b"arm64").replace(b'"schemaVersion": 2', b'"schemaVersion":  2'))
        expect(path.read_bytes() != data, "nothing was changed")
        world.refused(f"FROM REGISTRY/documents@{digest}{COPY}", {"f": ""}, texts=("Dockerfile:1", blob[7:19]))
        path.write_bytes(data)


@case("a manifest that is not one is refused with its name")
def nonsense_manifests(world):
    types = tar_layers.MEDIA_TYPES["oci"]
    layer, config = tar_layers.describe(b"x", types["layer"]), tar_layers.describe(b"{}", types["config"])
    tar_layers.put_blob(world.host, "nonsense", b"x")
    tar_layers.put_blob(world.host, "nonsense", b"{}")
    manifest = {"schemaVersion": 2, "mediaType": types["manifest"], "config": config, "layers": [layer]}
    tar_layers.put_manifest(world.host, "nonsense", "1", json.dumps(manifest).encode(), types["manifest"])
    world.refused(f"FROM REGISTRY/nonsense:1{COPY}", {"f": ""}, texts=("Dockerfile:1", "nonsense"))
    with contextlib.closing(fault_proxy.FaultProxy(world.host)) as proxy:
        for text in ("not JSON", "[]", '{"schemaVersion": 2}', "{" * 200_000, '{"schemaVersion": 1, "name": "x"}'):
            proxy.reset()
            proxy.add("GET .*/manifests/", times=9, status=200, body=text.encode(),
                      headers={"Content-Type": types["manifest"]})
            world.refused(f"FROM {proxy.host}/nonsense:1{COPY}", {"f": ""}, texts=("Dockerfile:1", proxy.host))


@case("a layer whose diff id is another than its content's is refused")
def wrong_diff_id(world):
    image = tar_layers.Image([tar_layers.busybox()])
    manifest, config, blobs = image.documents()
    lying = json.loads(config)
    lying["rootfs"]["diff_ids"] = [tar_layers.digest_of(b"something else")]
    raw = json.dumps(lying).encode()
    document = json.loads(manifest) | {"config": tar_layers.describe(raw, tar_layers.MEDIA_TYPES["oci"]["config"])}
    for blob in (raw, *blobs):
        tar_layers.put_blob(world.host, "diffid", blob)
    tar_layers.put_manifest(world.host, "diffid", "1", json.dumps(document).encode(), document["mediaType"])
    world.refused(f"FROM REGISTRY/diffid:1{COPY}", {"f": ""}, texts=("diff id",))
    world.refused(f"FROM REGISTRY/diffid:1{RUN}", isolation=ROOTED, texts=("diff id",))


def hostile_layers(target: pathlib.Path) -> dict[str, list]:
    """Layers by the trick they play; all aim at a file "written" in TARGET."""
    up = "../" * 40
    return {
        "dotdot": [tar_layers.entry(f"{up}{target}/written", "x")],
        "absolute": [tar_layers.entry(f"{target}/written", "x")],
        "link-out": [tar_layers.symlink("out", str(target)),
                     tar_layers.entry("out/written", "x")],
        "link-up": [tar_layers.symlink("out", f"{up}{target}"),
                    tar_layers.entry("out/written", "x")],
        "link-replaced": [
            tar_layers.directory("dir"),
            tar_layers.symlink("dir", str(target)),
            tar_layers.entry("dir/written", "x")
        ],
        "link-file": [tar_layers.symlink("file", f"{target}/written"),
                      tar_layers.entry("file", "x")],
        "hard-link-out": [
            tar_layers.hard_link("linked", f"{up}{target}/precious"),
            tar_layers.entry("linked", "changed")
        ],
        "hard-link-absolute": [tar_layers.hard_link("linked", f"{target}/precious")],
        "hard-link-by-link": [tar_layers.symlink("out", str(target)),
                              tar_layers.hard_link("linked", "out/precious")],
        "whiteout-out": [tar_layers.symlink("out", str(target)),
                         tar_layers.entry("out/.wh.precious")],
        "whiteout-up": [tar_layers.entry(f"{up}{target}/.wh.precious")],
        "whiteout-dots": [tar_layers.entry("bin/.wh..."),
                          tar_layers.entry("bin/.wh.."),
                          tar_layers.entry(".wh.")],
        "opaque-out": [tar_layers.symlink("out", str(target)),
                       tar_layers.entry("out/.wh..wh..opq")],
        "device-name": [tar_layers.entry("proc/self/x", "x"),
                        tar_layers.entry("dev/null", "x")],
        "loop": [tar_layers.symlink("a", "b"),
                 tar_layers.symlink("b", "a"),
                 tar_layers.entry("a/written", "x")],
        "parent-link": [
            tar_layers.symlink("a", ".."),
            tar_layers.symlink("b", "a/a/a/a/.."),
            tar_layers.entry(f"b{target}/written", "x")
        ],
        "dot-root": [tar_layers.symlink(".", str(target)),
                     tar_layers.entry("written", "x")],
        "deep": [tar_layers.entry("d/" * 300 + "f", "x")],
    }


def check_target(target: pathlib.Path, trick: str, said: str) -> None:
    expect_equal(sorted(path.name for path in target.iterdir()), ["precious"], f"{trick} reached out ({said})")
    info = (target / "precious").stat()
    expect_equal(((target / "precious").read_text(), info.st_nlink, info.st_mode & 0o777), ("untouched", 1, 0o600),
                 trick)


def try_tricks(world, build) -> None:
    """Calls BUILD with the name of a base image for each trick: it fails with a message, or stays inside its root."""
    target = world.new_directory("target")
    (target / "precious").write_text("untouched")
    (target / "precious").chmod(0o600)
    wrong = []
    for trick, layer in hostile_layers(target).items():
        world.push(f"tricks/{trick}", layer)
        done = build(f"tricks/{trick}", target)
        try:
            check_target(target, trick, done.said)
            expect(done.status == 0 or (done.status == 1 and done.error), f"{trick}: {done.said}")
            if done.status:
                done.failed()
        except AssertionError as error:
            wrong.append(str(error))
    expect(not wrong, "; ".join(wrong))


@case("no layer reaches out of an unpacked root, and RUN sees nothing of the outside")
def hostile_roots(world):
    try_tricks(world, lambda name, target: world.build(
        f"FROM REGISTRY/{name}\nRUN ! grep -rs untouched {target} /out /file /linked && echo x > /mine\n"
        f"COPY f {target}/copied\nRUN ! grep -rs untouched {target} /out && rm -rf {target}\n", {"f": "x"}))


@case("no layer makes COPY read or write outside")
def hostile_copies(world):
    def build(name, target):
        done = world.files_only(f"FROM REGISTRY/{name} AS tricky\nCOPY f /out/written\nFROM scratch\n"
                                "COPY --from=tricky / /all/\n", {"f": "x"})
        if done.status == 0:
            texts = {node.text for path, node in done.image.files.items() if node.kind == "file"}
            expect("untouched" not in texts, f"{name}: COPY read {target}/precious")
        return done
    try_tricks(world, build)


@case("an archive that ADD unpacks, or that is the context, reaches nothing outside")
def hostile_archives(world):
    target = world.new_directory("target")
    (target / "precious").write_text("untouched")
    (target / "precious").chmod(0o600)
    dockerfile = world.context("FROM scratch\nCOPY . /c/\n") / "Dockerfile"
    for trick, layer in hostile_layers(target).items():
        data = tar_layers.tar(layer)
        added = world.files_only("FROM scratch\nADD a.tar /x/\n", {"a.tar": data})
        check_target(target, f"ADD {trick}", added.said)
        if added.status == 0:
            outside = [path for path in added.image.files if path != "/x" and not path.startswith("/x/")]
            expect_equal(outside, [], f"ADD {trick}: files outside its destination")
        path = world.new_directory("tar") / "context.tar"
        path.write_bytes(data)
        context = world.files_only(None, None, f"--dockerfile={dockerfile}", context=f"tar://{path}")
        check_target(target, f"context {trick}", context.said)
        if context.status == 0:
            texts = {node.text for node in context.image.files.values() if node.kind == "file"}
            expect("untouched" not in texts, f"context {trick}: COPY read {target}/precious")


@case("links of the context that lead outside are not followed")
def hostile_context(world):
    target = world.new_directory("target")
    (target / "precious").write_text("untouched")
    context = world.context("FROM scratch\nCOPY l /l\n")
    (context / "l").symlink_to(target / "precious")
    build = world.files_only("", context=context)
    expect(build.status != 0 or build.image.files["/l"].text != "untouched", "COPY followed a link out of the context")
    (context / "Dockerfile").write_text("FROM scratch\nCOPY d/precious /p\n")
    (context / "d").symlink_to(target)
    build = world.files_only("", context=context)
    expect(build.status != 0, f"COPY went through a directory link out of the context: {build.said}")


def bomb(size: int):
    """A file of SIZE zeros."""
    yield tar_layers.header("bomb", tarfile.REGTYPE, size)
    yield from itertools.repeat(bytes(1 << 20), size >> 20)
    yield bytes(1024)


def attributes(key: str, count: int, size: int):
    """COUNT files, each with a pax record of KEY that is SIZE bytes long."""
    record = f"{size} {key}=".encode()
    content = record + b"x" * (size - len(record) - 1) + b"\n" + bytes(-size % 512)
    for number in range(count):
        yield tar_layers.header("pax", tarfile.XHDTYPE, size)
        yield content
        yield tar_layers.header(f"f{number}", tarfile.REGTYPE, 0)
    yield bytes(1024)


@case("a layer that inflates to much more than it is keeps memory bounded")
def gzip_bomb(world):
    tar_layers.push_stream(world.host, "bomb", bomb(300 << 20))
    build = world.files_only(f"FROM REGISTRY/bomb:1{COPY}", {"f": ""}, measure=True)
    build.succeeded()
    expect(0 < build.peak < ROOMY, f"{build.peak >> 20} MiB")


@case("long attributes and names keep memory and messages bounded")
def long_attributes(world):
    for number, (key, count, size) in enumerate((("SCHILY.xattr.user.x", 500, 900_000), ("comment", 500, 900_000),
                                                 ("path", 2, 900_000), ("linkpath", 2, 900_000))):
        tar_layers.push_stream(world.host, f"attributes{number}", attributes(key, count, size))
        build = world.files_only(f"FROM REGISTRY/attributes{number}:1{COPY}", {"f": ""}, measure=True)
        expect(build.peak < ROOMY, f"{key}: {build.peak >> 20} MiB")
        expect(len(build.err) < 4000, f"{key}: {len(build.err)} bytes of log")


@case("headers that claim enormous sizes or lengths are refused without the memory for them")
def lying_headers(world):
    for number, lie in enumerate((("huge", tarfile.REGTYPE, 1 << 60), ("././@LongLink", tarfile.GNUTYPE_LONGNAME,
                                                                       1 << 40), ("pax", tarfile.XHDTYPE, 1 << 35))):
        tar_layers.push_stream(world.host, f"lying{number}", [tar_layers.header(*lie), bytes(20_000)])
        build = world.files_only(f"FROM REGISTRY/lying{number}:1{COPY}", {"f": ""}, measure=True)
        build.failed(f"lying{number}")
        expect(build.peak < ROOMY, f"{build.peak >> 20} MiB")


if __name__ == "__main__":
    sys.exit(main())
