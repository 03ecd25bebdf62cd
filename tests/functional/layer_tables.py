#!/usr/bin/env python3
"""Layers that are read by their table of contents: eStargz and zstd:chunked, as their own libraries write them."""
import contextlib
import functools
import json
import os
import pathlib
import random
import subprocess
import sys

from support import ROOT, Skip, case, expect, expect_equal, main, registry, tar_layers

import chunked_layers
import fault_proxy

BIG = random.Random(1).randbytes(5_000_000)
BUILDS = {
    "COPY --from=IMAGE": "FROM scratch\nCOPY --from={base} /opt/app /app\nCOPY --from={base} /etc/hello /etc/\n",
    "COPY --from=STAGE": "FROM {base} AS one\nFROM scratch\nCOPY --from=one /opt/app /app\n",
    "COPY onto it": "FROM {base}\nCOPY f /opt/app/new/f\nWORKDIR /opt/app/deep\n",
    "a user's name": "FROM {base}\nCOPY --chown=ann:staff f /f\n",
}


def entries() -> list:
    """Something of everything. Times are whole seconds, as eStargz has no others."""
    entry, directory = tar_layers.entry, tar_layers.directory
    return [
        directory("etc"), entry("etc/passwd", tar_layers.PASSWD), entry("etc/group", tar_layers.GROUP),
        entry("etc/hello", "hello\n", mode=0o640, owner=(1001, 50), mtime=1_234_567_890),
        entry("etc/empty"),
        entry("etc/caps", "x", xattrs={"user.note": "yes", "security.capability": "\1\0\0\2" + 16 * "\0"}),
        directory("opt"), directory("opt/app", 0o1777),
        *(entry(f"opt/app/small-{n:03}", f"{n}\n" * n, mode=0o4711 if n % 9 == 0 else 0o644) for n in range(200)),
        entry("opt/app/zeros", bytes(300_000)), entry("opt/app/mixed", BIG[:70_000] + bytes(9_000) + BIG[:30_000]),
        tar_layers.hard_link("opt/app/same", "opt/app/mixed"), tar_layers.symlink("opt/app/link", "../../etc/hello"),
        entry("opt/app/\u00e4/\u00f6", "umlauts"), entry(f"opt/app/{'long/' * 60}name", "long"),
        entry("srv/big", BIG), entry("srv/exactly", BIG[:1 << 20]),
        entry("dev/null", kind=tar_layers.tarfile.CHRTYPE, device=(1, 3)),
        entry("dev/sda", kind=tar_layers.tarfile.BLKTYPE, device=(8, 0)),
        entry("run/pipe", kind=tar_layers.tarfile.FIFOTYPE),
        tar_layers.whiteout("var/gone"), tar_layers.opaque("usr/share"),
    ]


@functools.cache
def program() -> pathlib.Path:
    try:
        return chunked_layers.writer(ROOT)
    except chunked_layers.CannotMake as error:
        raise Skip(str(error)) from error


@functools.cache
def layer(form: str) -> chunked_layers.Layer:
    return chunked_layers.Layer(program(), form, tar_layers.tar(entries()), 1 << 20)


def push(host: str, name: str, form: str, *, annotations: dict | None = None) -> str:
    """Puts an image of that layer into a registry; the digest of the layer."""
    made = layer(form)
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Env": [tar_layers.PATH]},
                         "rootfs": {"type": "layers", "diff_ids": [made.diff_id]}}).encode()
    described = tar_layers.describe(made.blob, made.media_type)
    described["annotations"] = made.annotations if annotations is None else annotations
    types = tar_layers.MEDIA_TYPES["oci"]
    manifest = {"schemaVersion": 2, "mediaType": types["manifest"],
                "config": tar_layers.describe(config, types["config"]), "layers": [described]}
    for blob in (config, made.blob):
        tar_layers.put_blob(host, name, blob)
    tar_layers.put_manifest(host, name, "1", json.dumps(manifest).encode(), types["manifest"])
    return described["digest"]


def tool(*words) -> list[str]:
    """What tests/tools/layer_tool says."""
    found = [path for path in (pathlib.Path(os.environ["CAIRN_PROGRAMS"]) / "layer_tool",
                               *ROOT.glob("build/*/tests/unit/fs/layer_tool")) if path.exists()]
    if not found:
        raise Skip("tests/unit/fs/layer_tool is not built")
    done = subprocess.run([found[0], *map(str, words)], capture_output=True, text=True, check=False)
    expect_equal(done.returncode, 0, done.stderr)
    return sorted(done.stdout.splitlines())


@contextlib.contextmanager
def front(world):
    """A registry behind a proxy that keeps what it is asked for."""
    server = registry.Registry(world.new_directory("registry"))
    proxy = fault_proxy.FaultProxy(server.host)
    try:
        yield server, proxy
    finally:
        proxy.close()
        server.close()


def asked(proxy, digest: str) -> list[tuple[str, str]]:
    """The ranges of a blob that were asked for, with the status of the answers."""
    return [(headers.get("Range", "all"), line.split()[-1]) for line, headers in zip(proxy.log, proxy.headers_seen)
            if line.startswith("GET ") and digest in line]


def build(world, host: str, text: str, *flags: str):
    return world.files_only(text.format(base=f"{host}/base:1"), {"f": "new\n"}, "--reproducible",
                            "--verbosity=debug", *flags).succeeded()


for kind in chunked_layers.FORMS:

    @case(f"{kind}: the table says what the tar stream says, and files opened by it are the same")
    def same_index(world, form=kind):
        blob = world.new_directory() / "blob"
        blob.write_bytes(layer(form).blob)
        streamed = tool(blob)
        expect(len(streamed) > 200, str(streamed))
        expect_equal(tool(blob, *(f"{name}={value}" for name, value in layer(form).annotations.items())), streamed)

    @case(f"{kind}: builds without commands are what they are without a table, and fetch ranges alone")
    def same_builds(world, form=kind):
        with front(world) as (server, proxy):
            digest = push(server.host, "base", form)
            push(server.host, "plain/base", form, annotations={})
            for what, text in BUILDS.items():
                proxy.reset()
                done = build(world, proxy.host, text)
                ranges = asked(proxy, digest)
                plain = world.files_only(text.format(base=f"{server.host}/plain/base:1"), {"f": "new\n"},
                                         "--reproducible").succeeded()
                made = lambda image: [one["digest"] for one in image.manifest["layers"]]  # noqa: E731
                expect_equal(made(done.image), made(plain.image), what)
                if "FROM scratch" in text:
                    expect(ranges and all(status == "206" for _, status in ranges), f"{what}: {ranges}")
                    expect(len(ranges) <= 6, f"{what}: {len(ranges)} requests: {ranges}")
                    # Packed, the last file that is wanted shares a member with a mebibyte that is not.
                    part = 1 / 4 if form == "estargz-packed" else 1 / 15
                    expect(fetched(ranges) < len(layer(form).blob) * part, f"{what}: {fetched(ranges)}: {ranges}")


def fetched(ranges: list[tuple[str, str]]) -> int:
    ends = [text.removeprefix("bytes=").split("-") for text, _ in ranges]
    return sum(int(last) - int(first) + 1 for first, last in ends)


@case("a base that is only built upon is pushed to its own registry by its table alone")
def pushed(world):
    with front(world) as (server, proxy):
        digest = push(server.host, "base", "estargz")
        proxy.reset()
        world.files_only(f"FROM {proxy.host}/base:1\nCOPY f /opt/app/f\n", {"f": "new\n"},
                         outputs=(f"--destination={proxy.host}/result:1",)).succeeded()
        expect(all(status == "206" for _, status in asked(proxy, digest)), str(asked(proxy, digest)))
        expect(digest in world.manifest("result:1", server.host).decode(), "the base's layer is not in the image")


@case("a registry that ignores ranges is read whole, from the beginning or from then on")
def ignored(world):
    for form in ("estargz", "zstd-chunked"):
        with front(world) as (server, proxy):
            digest = push(server.host, "base", form)
            wanted = build(world, proxy.host, BUILDS["COPY --from=IMAGE"]).image
            for answered in (0, 1, 2):
                proxy.reset()
                if answered > 0:
                    proxy.add(f"GET .*{digest}", times=answered)
                proxy.add(f"GET .*{digest}", ignore_range=True, times=100)
                done = build(world, proxy.host, BUILDS["COPY --from=IMAGE"])
                expect_equal(done.image.manifest["layers"], wanted.manifest["layers"])
                expect(("all", "200") in asked(proxy, digest), str(asked(proxy, digest)))


@case("a chunk that is damaged on its way is an error that names it")
def damaged(world):
    for form in ("estargz", "zstd-chunked"):
        with front(world) as (server, proxy):
            digest = push(server.host, "base", form)
            proxy.add(f"GET .*{digest}", times=1)  # The table.
            proxy.add(f"GET .*{digest}", flip_byte=3_000_000, times=100)
            done = world.files_only(f"FROM scratch\nCOPY --from={proxy.host}/base:1 /srv/big /\n")
            done.failed(f"layer {digest}: '/srv/big': chunk of bytes ")


@case("a table that is damaged, or another one than the manifest says, is not used")
def damaged_table(world):
    for form in ("estargz", "zstd-chunked"):
        with front(world) as (server, proxy):
            said = {name: value.replace("sha256:", "sha256:0")[:71] if value.startswith("sha256:") else value
                    for name, value in layer(form).annotations.items()}
            digest = push(server.host, "base", form, annotations=said)
            done = build(world, proxy.host, BUILDS["COPY --from=IMAGE"])
            expect("is read whole: the table has another digest" in done.err, done.err)
            expect(("all", "200") in asked(proxy, digest), str(asked(proxy, digest)))


@case("a build with commands reads its base whole, and what it copies from another image by its table")
def commands(world):
    with front(world) as (server, proxy):
        digest = push(server.host, "base", "estargz")
        tar_layers.push(server.host, "busybox:1", tar_layers.Image([tar_layers.busybox()]))
        text = f"FROM {proxy.host}/busybox:1\nCOPY --from={proxy.host}/base:1 /etc/hello /\nRUN cat /hello > /seen\n"
        proxy.reset()
        done = world.build(text).succeeded()
        expect_equal(done.image.text("/seen"), "hello\n")
        expect(all(status == "206" for _, status in asked(proxy, digest)), str(asked(proxy, digest)))
        proxy.reset()
        done = world.build(f"FROM {proxy.host}/base:1\nCOPY --from={proxy.host}/busybox:1 /bin /bin\n"
                           "RUN cat /etc/hello > /seen\n").succeeded()
        expect_equal(done.image.text("/seen"), "hello\n")


if __name__ == "__main__":
    sys.exit(main())
