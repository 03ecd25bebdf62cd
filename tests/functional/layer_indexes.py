#!/usr/bin/env python3
"""Indexes of layers in a cache repository: runners that keep nothing read no layer of a base image for a COPY, and no
index makes another image or fails a build."""
import json
import socket
import sys
import time

from cache_support import cached_steps
from support import at_once, case, expect, expect_equal, main, registry, tar_layers

import fault_proxy

TEXT = "FROM REGISTRY/{base}\nCOPY --chown=eve f /opt/app/f\nWORKDIR /opt/app/work\n"
RUNS = "FROM REGISTRY/{base}\nRUN cat /etc/passwd | wc -l > /lines\nCOPY f /opt/app/f\n"
PASSWD = tar_layers.PASSWD + b"eve:x:2001:2002:eve:/:/bin/sh\n"
ANEW = "the build begins again without it"


def push_base(world, *more: list) -> str:
    """A base image of two layers and MORE; its name."""
    base = world.new_name("base")
    world.push(base, [tar_layers.entry("etc/passwd", PASSWD), tar_layers.directory("opt", 0o750),
                      tar_layers.entry("opt/tool", "tool\n")], *more)
    return base


class Runner:
    """Builds on a base, each time on a machine that keeps nothing."""

    def __init__(self, world, host: str = "", base: str = ""):
        self.world, self.base = world, base or push_base(world)
        self.cache = world.new_name("cache")
        self.repository = f"{host or world.host}/{self.cache}"

    def build(self, content: str, *flags: str, text: str = TEXT, cache: bool = True, **how):
        if cache:
            flags = ("--cache", f"--cache-repo={self.repository}", *flags)
        return self.world.build(text.format(base=self.base), {"f": content}, "--reproducible", *flags, **how)

    def push(self, content: str, *flags: str, **how):
        """The build, and what was asked of the registry. It writes nothing but to the registry."""
        before = len(self.world.registry.requests())
        name = self.world.new_name("app")
        build = self.build(content, *flags, outputs=(f"--destination={self.world.host}/{name}:1",), **how).succeeded()
        return build, self.world.registry.requests()[before:], self.world.manifest(f"{name}:1")

    def indexes(self) -> list[str]:
        return [tag for tag in self.world.tags(self.cache) if tag.startswith("index-")]

    def base_manifest(self) -> dict:
        return json.loads(self.world.manifest(f"{self.base}:latest"))

    def diff_ids(self) -> list[str]:
        config = registry.get(self.world.host, f"/v2/{self.base}/blobs/{self.base_manifest()['config']['digest']}")
        return json.loads(config)["rootfs"]["diff_ids"]

    def tag(self, layer: int) -> str:
        return f"index-{self.diff_ids()[layer].removeprefix('sha256:')}"

    def layers_read(self, asked: list[str]) -> list[str]:
        return [line for layer in self.base_manifest()["layers"] for line in asked
                if line.startswith("GET ") and layer["digest"] in line]

    def put_index(self, layer: int, blob: bytes, **changes) -> None:
        """Whoever may write to the repository puts BLOB as the index of a layer."""
        manifest = json.loads(self.world.manifest(f"{self.cache}:{self.tag(layer)}"))
        manifest["layers"] = [tar_layers.describe(blob, manifest["layers"][0]["mediaType"])]
        tar_layers.put_blob(self.world.host, self.cache, blob)
        tar_layers.put_manifest(self.world.host, self.cache, self.tag(layer),
                                json.dumps(manifest | changes).encode(), manifest["mediaType"])

    def index(self, layer: int) -> bytes:
        manifest = json.loads(self.world.manifest(f"{self.cache}:{self.tag(layer)}"))
        return registry.get(self.world.host, f"/v2/{self.cache}/blobs/{manifest['layers'][0]['digest']}")


@case("on the second runner a COPY reads no layer of the base, and the image is the one without a cache")
def second_runner(world):
    runner = Runner(world)
    _, asked, _ = runner.push("one\n")
    expect_equal(len(runner.layers_read(asked)), 2, "the first runner reads each layer once")
    expect_equal(len(runner.indexes()), 2)
    done, asked, manifest = runner.push("two\n")
    expect_equal(runner.layers_read(asked), [], "layers that were read")
    expect_equal(cached_steps(done), [])
    _, _, wanted = runner.push("two\n", cache=False)
    expect_equal(json.loads(manifest), json.loads(wanted))


@case("an index is an artifact of OCI 1.1 that names its layer")
def artifact(world):
    runner = Runner(world)
    runner.build("one\n").succeeded()
    manifest = json.loads(world.manifest(f"{runner.cache}:{runner.tag(1)}"))
    expect_equal(manifest["artifactType"], "application/vnd.cairn.layer-index.v1")
    expect_equal(manifest["config"]["mediaType"], "application/vnd.oci.empty.v1+json")
    expect_equal(manifest["annotations"], {"dev.cairn.layer.diff-id": runner.diff_ids()[1]})


@case("COPY --from an image reads the layer that has the file, and no other")
def copy_from(world):
    runner = Runner(world)
    text = TEXT + "COPY --from=REGISTRY/{base} /opt/tool /opt/app/tool\n"
    runner.push("one\n", text=text)
    _, asked, manifest = runner.push("two\n", text=text.replace("/opt/app/tool", "/opt/app/t"))
    expect_equal(len(runner.layers_read(asked)), 1)
    _, _, wanted = runner.push("two\n", text=text.replace("/opt/app/tool", "/opt/app/t"), cache=False)
    expect_equal(json.loads(manifest), json.loads(wanted))


@case("a build that runs commands fetches no index, and puts those that are missing")
def commands(world):
    runner = Runner(world)
    for content in ("one\n", "two\n"):
        _, asked, _ = runner.push(content, "--cache-run-layers=false", text=RUNS)
        expect_equal([line for line in asked if line.startswith("GET") and "/manifests/index-" in line], [])
    expect_equal([line for line in asked if line.startswith("PUT") and "/manifests/index-" in line], [])
    expect_equal(len(runner.indexes()), 2)
    _, asked, _ = runner.push("one\n")
    expect_equal(runner.layers_read(asked), [])


@case("with --no-push-cache indexes are used and none is put; without --cache there are none")
def read_only(world):
    runner = Runner(world)
    runner.build("one\n", "--no-push-cache").succeeded()
    runner.build("one\n", cache=False).succeeded()
    expect_equal(runner.indexes(), [])
    runner.build("one\n").succeeded()
    _, asked, _ = runner.push("two\n", "--no-push-cache")
    expect_equal(runner.layers_read(asked), [])


@case("with --cache-dir as well an index is fetched once")
def with_directory(world):
    runner, directory = Runner(world), world.new_directory("cache")
    runner.build("one\n").succeeded()
    for content, fetched in (("two\n", 2), ("three\n", 0)):
        _, asked, _ = runner.push(content, f"--cache-dir={directory}")
        expect_equal(len([line for line in asked if "GET" in line and "/manifests/index-" in line]), fetched, content)
        expect_equal(runner.layers_read(asked), [])


def other_layer(world, *more) -> bytes:
    """The index of a layer with other files, and MORE."""
    other = Runner(world, base=push_base(world, [tar_layers.entry("opt/tool", "another tool\n"), *more]))
    other.build("one\n", text="FROM REGISTRY/{base}\nCOPY f /f\n").succeeded()
    return other.index(2)


DAMAGE = {  # what is done to the index of the layer with /etc/passwd
    "other bytes": lambda runner: runner.put_index(1, bytes(1000)),
    "half of it": lambda runner: runner.put_index(1, runner.index(1)[:len(runner.index(1)) // 2]),
    "a flipped byte": lambda runner: runner.put_index(1, runner.index(1)[:40] + bytes([runner.index(1)[40] ^ 1])
                                                      + runner.index(1)[41:]),
    "nothing": lambda runner: runner.put_index(1, b""),
    "the annotation of another layer":
        lambda runner: runner.put_index(1, runner.index(1), annotations={"dev.cairn.layer.diff-id":
                                                                         runner.diff_ids()[0]}),
    "another artifact": lambda runner: runner.put_index(1, runner.index(1), artifactType="application/x"),
    "an image": lambda runner: tar_layers.push(runner.world.host, f"{runner.cache}:{runner.tag(1)}",
                                               tar_layers.Image([tar_layers.busybox()])),
}


def register_damage(what: str, damage) -> None:
    @case(f"an index that is damaged ({what}) is one warning, and is replaced")
    def damaged(world):
        runner = Runner(world)
        runner.build("one\n").succeeded()
        whole = runner.index(1)
        damage(runner)
        done, asked, manifest = runner.push("two\n")
        expect_equal(len(runner.layers_read(asked)), 1)
        expect_equal((done.err.count("is not used: "), done.err.count(ANEW)), (1, 0), done.err)
        expect_equal(runner.index(1), whole)
        _, _, wanted = runner.push("two\n", cache=False)
        expect_equal(json.loads(manifest), json.loads(wanted))


for row in DAMAGE.items():
    register_damage(*row)


@case("an index of another layer is found out when the layer is read: the build begins again without it")
def false_index(world):
    runner = Runner(world)
    text = TEXT + "COPY --from=REGISTRY/{base} /opt/tool /opt/t\n"
    runner.build("one\n").succeeded()
    whole = runner.index(1)
    runner.put_index(1, other_layer(world))
    done, _, manifest = runner.push("two\n", text=text.replace("--chown=eve ", ""))
    expect_equal(done.err.count(ANEW), 1, done.err)
    expect(f"{runner.tag(1)} is not that of the layer" in done.err, done.err)
    expect_equal(runner.index(1), whole)
    _, _, wanted = runner.push("two\n", text=text.replace("--chown=eve ", ""), cache=False)
    expect_equal(json.loads(manifest), json.loads(wanted))


@case("a COPY that fails because of an index of another layer is tried again without it")
def failing_index(world):
    runner = Runner(world)
    runner.build("one\n").succeeded()
    whole = runner.index(1)
    runner.put_index(1, other_layer(world, tar_layers.entry("opt/app", "a file\n")))
    done, _, manifest = runner.push("two\n")
    expect_equal(done.err.count(ANEW), 1, done.err)
    expect_equal(runner.index(1), whole)
    _, _, wanted = runner.push("two\n", cache=False)
    expect_equal(json.loads(manifest), json.loads(wanted))


@case("a COPY that cannot be done fails with and without indexes, and says the same")
def failing_copy(world):
    runner = Runner(world)
    runner.build("one\n").succeeded()
    text = TEXT + "COPY --from=REGISTRY/{base} /nowhere /opt/t\n"
    runner.build("two\n", text=text).failed("/nowhere")


@case("--cache-verify-index reads the layers, tells of an index of another layer, and replaces it")
def verify(world):
    runner = Runner(world)
    runner.build("one\n").succeeded()
    whole = runner.index(1)
    done, asked, _ = runner.push("two\n", "--cache-verify-index")
    expect_equal((len(runner.layers_read(asked)), done.err.count("is not the index of its layer")), (2, 0), done.err)
    runner.put_index(1, other_layer(world))
    done, asked, manifest = runner.push("three\n", "--cache-verify-index")
    expect_equal(len(runner.layers_read(asked)), 2)
    expect_equal((done.err.count("is not the index of its layer"), done.err.count(ANEW)), (1, 0), done.err)
    expect_equal(runner.index(1), whole)
    _, _, wanted = runner.push("three\n", cache=False)
    expect_equal(json.loads(manifest), json.loads(wanted))


def behind_proxy(world, fault, content: str = "one\n"):
    """A build whose cache repository is behind a proxy with a fault."""
    proxy = fault_proxy.FaultProxy(world.host)
    try:
        fault(proxy)
        return Runner(world, host=proxy.host).build(content).succeeded()
    finally:
        proxy.close()


@case("a registry that takes no artifact is one warning")
def refused(world):
    done = behind_proxy(world, lambda proxy: proxy.add("^PUT .*/manifests/index-", times=99, status=405))
    expect_equal(done.err.count("No more indexes of layers are kept"), 1, done.err)


@case("a registry that answers after a failure gets its retries")
def flaky(world):
    proxy = fault_proxy.FaultProxy(world.host)
    try:
        runner = Runner(world, host=proxy.host)
        runner.build("one\n").succeeded()
        proxy.add("^GET /v2/$", times=1, status=503)
        proxy.add("^GET .*/manifests/", times=2, status=503)
        done = runner.build("one\n").succeeded()
        expect_equal(len(cached_steps(done)), 2, done.err)
        expect("is not used" not in done.err, done.err)
    finally:
        proxy.close()


LIMIT = 8  # seconds that a cache without an answer may cost, on a busy machine


def without_answer(world, host: str, flags: list[str]) -> None:
    begun = time.monotonic()
    runner = Runner(world)
    done = world.build(TEXT.format(base=runner.base), {"f": "one\n"}, "--cache", *flags).succeeded()
    took = time.monotonic() - begun
    warnings = [line for line in done.err.splitlines() if host in line and "WARN" in line.upper()]
    expect_equal(len(warnings), 1, done.err)
    expect("is not used: " in warnings[0], done.err)
    expect(took < LIMIT, f"it took {took:.1f} s: {done.err}")


@case("a cache registry that refuses connections is one warning, and costs little time")
def refusing(world):
    host = f"127.0.0.1:{registry.free_port()}"
    without_answer(world, host, [f"--cache-repo={host}/cache"])


@case("a cache registry that takes connections and never answers is one warning, and costs little time")
def swallowing(world):
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        place.listen(64)
        host = f"127.0.0.1:{place.getsockname()[1]}"
        without_answer(world, host, [f"--cache-repo={host}/cache"])


@case("without --cache-repo the log says where steps are kept, and a destination without a registry costs little time")
def default_place(world):
    host = f"127.0.0.1:{registry.free_port()}"
    runner = Runner(world)
    begun = time.monotonic()
    done = runner.build("one\n", "--cache", f"--destination={host}/app:1", cache=False).succeeded()
    took = time.monotonic() - begun
    expect(f"steps are kept in {host}/app/cache" in done.err and "--cache-repo" in done.err, done.err)
    expect_equal(done.err.count("is not used: "), 1, done.err)
    expect(took < LIMIT, f"it took {took:.1f} s: {done.err}")


@case("eight runners at once put the same indexes")
def together(world):
    runner = Runner(world)
    for done in at_once(8, lambda: runner.build("one\n")):
        expect("No more indexes" not in done.succeeded().err, done.err)
    expect_equal(len(runner.indexes()), 2)


if __name__ == "__main__":
    sys.exit(main())
