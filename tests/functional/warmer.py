#!/usr/bin/env python3
"""The warmer: what it puts into --cache-dir, and that builds then need no registry."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from cache_support import asked, blob, build, own_registry, push
from support import Skip, at_once, case, expect, expect_equal, main, registry, tar_layers, write_tree
from warmer_support import Warmed, large, start, warm

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import fault_proxy  # noqa: E402  pylint: disable=wrong-import-position

FILES = {"f": "text\n"}


def dockerfile(world, server, text: str, files: dict | None = None) -> pathlib.Path:
    directory = world.new_directory("context")
    write_tree(directory, {"Dockerfile": text.replace("REGISTRY/", f"{server.host}/"), **(files or {})})
    return directory / "Dockerfile"


def names(result: Warmed) -> list[str]:
    return sorted(image["image"].rpartition("/")[2] for image in result.report["images"])


@case("an image that was warmed is built from without its registry, by tag and by digest")
def image(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        done = warm(world, directory, f"--image={server.host}/base:1").succeeded()
        expect_equal([image["digest"] for image in done.report["images"]], [server.digest])
        server.close()
        text = "FROM {host}/base:1\nRUN cat /etc/passwd > /p\nCOPY f /f\n"
        build(world, server.host, directory, text=text).succeeded()
        before = directory / "unpacked"
        shutil.rmtree(before)
        build(world, server.host, directory, text=text.replace("base:1", f"base@{server.digest}")).succeeded()


@case("all images that a Dockerfile names are warmed, and its build needs no registry")
def whole_dockerfile(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        for name in ("tools", "data", "cache", "trigger", "other"):
            push(server, f"{name}:1", [tar_layers.entry(name, name)])
        push(server, "onbuild:1",
             config={"Env": [tar_layers.PATH], "OnBuild": [f"COPY --from={server.host}/trigger:1 /trigger /t"]})
        file = dockerfile(world, server, (
            "ARG V=2\nFROM REGISTRY/base:${V} AS first\nRUN true\n"
            "FROM REGISTRY/onbuild:1 AS second\n"
            "COPY --from=first /etc/passwd /p\nCOPY --from=REGISTRY/data:1 /data /d\n"
            "RUN --mount=from=REGISTRY/tools:1,target=/m cat /m/tools > /tools\n"
            "RUN --mount=type=cache,from=REGISTRY/cache:1,target=/c true\n"
            "FROM REGISTRY/other:1 AS unused\nFROM second\n"))
        done = warm(world, directory, f"--dockerfile={file}", "--build-arg=V=1").succeeded()
        expect_equal(names(done), ["base:1", "cache:1", "data:1", "onbuild:1", "other:1", "tools:1", "trigger:1"])
        some = warm(world, directory, f"--dockerfile={file}", "--build-arg=V", "--target=first",
                    environment={"V": "1"}).succeeded()
        expect_equal(names(some), ["base:1"])
        server.close()
        built = world.build(None, None, "--cache", f"--cache-dir={directory}", "--build-arg=V=1", context=file.parent,
                            timeout=120)
        expect_equal(built.succeeded().image.files["/tools"].text, "tools")


@case("Dockerfiles come from the web too, several at once, and images from a list")
def several(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        for name in ("a", "b", "c"):
            push(server, f"{name}:1", [tar_layers.entry(name, name)])
        site = world.new_directory("site")
        shutil.move(dockerfile(world, server, "FROM REGISTRY/b:1\n"), site / "Dockerfile")
        port = registry.free_port()
        web = subprocess.Popen(
            [sys.executable, "-m", "http.server",
             str(port), "--bind", "127.0.0.1", "--directory",
             str(site)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            time.sleep(0.7)
            listed = f"# the base\n{server.host}/base:1 # why\n\n  {server.host}/c:1\n"
            done = warm(world, directory, f"-d={dockerfile(world, server, 'FROM REGISTRY/a:1')}",
                        f"--dockerfile=http://127.0.0.1:{port}/Dockerfile", "--list=-", stdin=listed).succeeded()
        finally:
            web.terminate()
            web.wait()
        expect_equal(names(done), ["a:1", "b:1", "base:1", "c:1"])
        warm(world, directory, "--list=-", stdin="a\nX:Y:Z\n").failed("stdin:2")


@case("a blob that images share is fetched once, and what is there is not fetched again")
def shared(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        push(server, "derived:1", [tar_layers.entry("more", "more")])
        before = len(server.requests())
        done = warm(world, directory, f"-i={server.host}/base:1", f"-i={server.host}/derived:1",
                    f"-i={server.host}/base:1").succeeded()
        blobs = asked(server, before, "GET", "blobs")
        expect_equal(len(blobs), len(set(line.rpartition("/")[2] for line in blobs)), f"{blobs}")
        expect_equal(len(done.report["images"]), 2)
        before = len(server.requests())
        again = warm(world, directory, f"-i={server.host}/base:1", f"-i={server.host}/derived:1").succeeded()
        expect_equal(again.bytes[0], 0)
        expect_equal(asked(server, before, "GET", "blobs") + asked(server, before, "GET", "manifests"), [])
        expect_equal(len(asked(server, before, "HEAD", "manifests")), 2)


@case("several platforms of an image are warmed, --customPlatform being the same flag")
def platforms(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        tar_layers.push_index(server.host, "multi:1", [
            tar_layers.Image([tar_layers.tar([tar_layers.entry("arch", name)])], architecture=name)
            for name in ("amd64", "arm64", "s390x")
        ])
        done = warm(world, directory, f"-i={server.host}/multi:1", "--custom-platform=linux/amd64",
                    "--customPlatform=linux/arm64").succeeded()
        expect_equal([image["platform"] for image in done.report["images"]], ["linux/amd64", "linux/arm64"])
        expect_equal(len({image["digest"] for image in done.report["images"]}), 2)
        expect_equal(len({image["index"] for image in done.report["images"]}), 1)
        server.close()
        text = "FROM --platform=linux/arm64 {host}/multi:1\nCOPY f /f\n"
        built = build(world, server.host, directory, text=text).succeeded()
        expect_equal(built.image.files["/arch"].text, "arm64")


@case("--force fetches everything again")
def force(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        first = warm(world, directory, f"-i={server.host}/base:1").succeeded()
        again = warm(world, directory, f"-i={server.host}/base:1", "--force").succeeded()
        expect_equal(again.bytes, first.bytes)


@case("what is older than --cache-ttl is refreshed: a tag that moved is followed")
def expired(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        warm(world, directory, f"-i={server.host}/base:1").succeeded()
        for path in (directory / "names").iterdir():
            record = json.loads(path.read_text())
            path.write_text(json.dumps(record | {"time": "2020-01-01T00:00:00Z"}))
        warm(world, directory, f"-i={server.host}/base:1").succeeded()
        digest = push(server, "base:1", [tar_layers.entry("new", "1")])
        done = warm(world, directory, f"-i={server.host}/base:1").succeeded()
        expect_equal(done.report["images"][0]["digest"], digest)
        server.close()
        build(world, server.host, directory).succeeded()


@case("everything that fails is told, the rest is done, and --allow-failures makes it a success")
def failures(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        wanted = (f"-i={server.host}/base:1", f"-i={server.host}/missing:1",
                  f"--dockerfile={dockerfile(world, server, 'FROM REGISTRY/gone')}",
                  f"--dockerfile={dockerfile(world, server, 'FRM x')}")
        done = warm(world, directory, *wanted).failed("missing:1", "gone", "FRM")
        expect_equal(done.err.count("error: "), 3, done.err)
        expect_equal([("error" in image) for image in done.report["images"]], [False, True, True])
        expect_equal(done.report["failures"], 3)
        warm(world, directory, *wanted, "--allow-failures").succeeded()
        warm(world, world.new_directory("other"), f"-i=127.0.0.1:{registry.free_port()}/x").failed("x", status=75)
        warm(world, world.new_directory("other"), f"-i=127.0.0.1:{registry.free_port()}/x",
             f"-i={server.host}/missing:1").failed(status=1)


@case("by digest the registry need not be there when everything is")
def by_digest(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        warm(world, directory, f"-i={server.host}/base@{server.digest}").succeeded()
        server.close()
        warm(world, directory, f"-i={server.host}/base@{server.digest}").succeeded()
        warm(world, directory, f"-i={server.host}/base:1").failed(status=75)


@case("a connection that is cut again and again loses nothing")
def cut(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server, contextlib.closing(fault_proxy.FaultProxy(server.host)) as proxy:
        _, layer, size = large(server, "large:1")
        for _ in range(3):
            proxy.add(f"GET .*{layer}", cut_answer_after=1_500_000)
        warm(world, directory, f"-i={proxy.host}/large:1").succeeded()
        expect_equal(blob(directory, layer).stat().st_size, size)
        ranges = [headers["Range"] for headers in proxy.headers_seen if "Range" in headers]
        expect_equal(len(ranges), 3, f"{ranges}")


def half_fetched(world, server, proxy, directory) -> tuple[str, int, int]:
    """Kills a warmer in the middle of a layer; the layer's digest and size, and how many bytes are there."""
    _, layer, size = large(server, "large:1")
    proxy.add(f"GET .*{layer}", stall_after=size // 2)
    process = start(world, directory, f"-i={proxy.host}/large:1")
    partial = directory / "blobs/sha256" / f".fetching-{layer.removeprefix('sha256:')}"
    deadline = time.monotonic() + 30
    while not partial.exists() or partial.stat().st_size < size // 2 - 200_000:
        expect(time.monotonic() < deadline and process.poll() is None, "nothing came")
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    expect(not blob(directory, layer).exists(), "half a blob has the name of a whole one")
    return layer, size, partial.stat().st_size


@case("a download that was killed goes on where it ended")
def killed(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server, contextlib.closing(fault_proxy.FaultProxy(server.host)) as proxy:
        layer, size, there = half_fetched(world, server, proxy, directory)
        proxy.reset()
        done = warm(world, directory, f"-i={proxy.host}/large:1").succeeded()
        expect_equal([headers["Range"] for headers in proxy.headers_seen if "Range" in headers], [f"bytes={there}-"])
        expect_equal(done.bytes, (size - there, there))
        expect_equal(tar_layers.digest_of(blob(directory, layer).read_bytes()), layer)
        expect_equal([path.name for path in (directory / "blobs/sha256").iterdir() if path.name.startswith(".")], [])


@case("the beginning of a download that is damaged is thrown away")
def damaged_beginning(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server, contextlib.closing(fault_proxy.FaultProxy(server.host)) as proxy:
        layer, size, _ = half_fetched(world, server, proxy, directory)
        partial = directory / "blobs/sha256" / f".fetching-{layer.removeprefix('sha256:')}"
        with partial.open("r+b") as file:
            file.write(b"damage")
        done = warm(world, directory, f"-i={proxy.host}/large:1").succeeded()
        expect_equal(done.bytes, (size, 0))
        expect_equal(tar_layers.digest_of(blob(directory, layer).read_bytes()), layer)


@case("bytes that are not what the digest says never get a name")
def wrong_bytes(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server, contextlib.closing(fault_proxy.FaultProxy(server.host)) as proxy:
        _, layer, _ = large(server, "large:1", 100_000)
        proxy.add(f"GET .*{layer}", flip_byte=5000, times=9)
        warm(world, directory, f"-i={proxy.host}/large:1").failed("large:1", layer)
        expect(not blob(directory, layer).exists(), "the blob is there")


@case("two warmers at once fetch each blob once")
def two_at_once(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        _, layer, size = large(server, "large:1", 30_000_000)
        alone = warm(world, world.new_directory("cache"), f"-i={server.host}/base:1").succeeded().bytes[0]
        before = len(server.requests())
        results = at_once(
            3, lambda: warm(world, directory, f"-i={server.host}/large:1", f"-i={server.host}/base:1").succeeded())
        expect_equal(len([line for line in asked(server, before, "GET", "blobs") if layer in line]), 1)
        expect_equal(blob(directory, layer).stat().st_size, size)
        expect_equal(sum(result.bytes[0] for result in results), size + alone)


@case("a blob that is damaged in the directory is fetched again")
def damaged_blob(world):
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        _, layer, size = large(server, "large:1")
        warm(world, directory, f"-i={server.host}/large:1").succeeded()
        blob(directory, layer).write_bytes(b"x" * size)
        done = warm(world, directory, f"-i={server.host}/large:1").succeeded()
        expect_equal(done.bytes, (size, 0))


@case("mirrors are used, by flag and by variable, and the origin when they lack an image")
def mirrors(world):
    with own_registry(world) as server, own_registry(world) as mirror:
        push(server, "only:1")
        for flags, environment in (((f"--registry-map={server.host}={mirror.host}",), None),
                                   ((), {"KANIKO_REGISTRY_MAP": f"{server.host}={mirror.host}"})):
            directory = world.new_directory("cache")
            before = len(server.requests())
            warm(world, directory, f"-i={server.host}/base:1", *flags, environment=environment).succeeded()
            expect_equal(server.requests()[before:], [])
            warm(world, directory, f"-i={server.host}/only:1", *flags, environment=environment).succeeded()
            warm(world, world.new_directory("cache"), f"-i={server.host}/only:1", *flags,
                 "--skip-default-registry-fallback", environment=environment).failed("only:1")
            mirror_ends = build(world, server.host, directory, *flags, environment=environment)
            mirror_ends.succeeded()
        warm(world, world.new_directory("cache"), "-i=docker.io/base:1", f"--registry-mirror={mirror.host}",
             "--skip-default-registry-fallback").failed("library/base")
        push(mirror, "library/base:1")
        warm(world, world.new_directory("cache"), "-i=base:1",
             environment={"KANIKO_REGISTRY_MIRROR": mirror.host}).succeeded()


@case("--unpack makes a build that runs commands read no layer")
def unpacked(world):
    if not world.is_root:
        raise Skip("needs root")
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        done = warm(world, directory, f"-i={server.host}/base:1", "--unpack")
        if "--unpack" in done.err:
            raise Skip("no extended attributes in the temporary directory")
        done.succeeded()
        expect_equal(len(list((directory / "unpacked").iterdir())), 1)
        for path in (directory / "blobs/sha256").iterdir():
            if path.stat().st_size > 100_000:
                path.unlink()
        before = len(server.requests())
        world.build(f"FROM {server.host}/base:1\nRUN cat /etc/passwd > /p\n", {}, "--cache", f"--cache-dir={directory}",
                    outputs=(f"--destination={server.host}/app:1",), timeout=120,
                    isolation="namespace").succeeded()  # where the unpacked layers are an overlay's
        expect_equal(asked(server, before, "GET", "blobs"), [])


@case("--cache-repo fetches the steps of a Dockerfile, and its build carries nothing out")
def steps(world):
    directory = world.new_directory("cache")
    text = ("ARG A=1\nFROM REGISTRY/base:1 AS a\nRUN date +%N > /stamp\nFROM REGISTRY/base:1\nCOPY --from=a /stamp /s\n"
            "COPY f /f\nRUN cat /f /s > /g\n")
    with own_registry(world) as server:
        file = dockerfile(world, server, text, FILES)
        repository = f"{server.host}/app/cache"
        world.build(None, None, "--cache", f"--cache-repo={repository}", context=file.parent).succeeded()
        done = warm(world, directory, f"--dockerfile={file}", f"--context={file.parent}",
                    f"--cache-repo={repository}").succeeded()
        expect_equal((done.report["dockerfiles"][0]["steps"], done.report["dockerfiles"][0]["foundSteps"]), (4, 4))
        server.close()
        built = world.build(None, None, "--cache", f"--cache-dir={directory}", context=file.parent, isolation="none",
                            timeout=120).succeeded()
        expect_equal(built.err.count("[cached"), 3, built.err)
        warm(world, directory, f"--dockerfile={file}", f"--cache-repo={repository}").failed("--context")
        gone = warm(world, world.new_directory("cache"), f"--dockerfile={file}", f"--context={file.parent}",
                    f"--cache-repo={repository}")
        gone.failed(status=75)


@case("a directory that a warmer filled is usable read-only, by another user")
def read_only(world):
    if not world.is_root:
        raise Skip("needs root")
    directory = world.new_directory("cache")
    with own_registry(world) as server:
        warm(world, directory, f"-i={server.host}/base:1").succeeded()
        for path in (world.directory, directory):
            path.chmod(0o755)
        server.close()
        listing = sorted(str(path) for path in directory.rglob("*"))
        text = f"FROM {server.host}/base:1\nCOPY f /f\nCOPY --from={server.host}/base:1 /etc/passwd /p\n"
        context = world.context(text, FILES)
        work, out = world.new_directory("work"), world.new_directory("out")
        for path in (context, work, out):
            os.chown(path, 12345, 12345)
        context.chmod(0o755)
        command = [
            "setpriv", "--reuid=12345", "--regid=12345", "--clear-groups",
            str(world.program), f"--context={context}", f"--kaniko-dir={work}", "--isolation=none", "--no-push",
            f"--oci-layout-path={out}/layout", "--cache", f"--cache-dir={directory}"
        ]
        done = subprocess.run(command, env={**world.environment, "HOME": "/nonexistent"}, capture_output=True,
                              text=True, timeout=120, check=False)
        expect_equal(done.returncode, 0, done.stderr[-1500:])
        expect_equal(sorted(str(path) for path in directory.rglob("*")), listing)


@case("the command line is kaniko's, and says what is wrong with it")
def command_line(world):
    def said(*words):
        done = subprocess.run([world.program.parent / "warmer", *words], capture_output=True, text=True,
                              env=world.environment, check=False)
        return done.returncode, done.stdout + done.stderr
    expect("Cairn version" in said("version")[1], "version")
    expect("--cache-dir" in said("--help")[1] and said("--help")[0] == 0, "help")
    for words, text in (((), "give --image"), (("--image=A:B:C",), "--image"),
                        (("--image=a", "--cache-dri=x"), "cache-dir"), (("--image=a", "--customPlatform=!"),
                                                                        "platform"), (("--image=a", "--cache-ttl=5"),
                                                                                      "--cache-ttl")):
        status, output = said(*words)
        expect(status == 1 and text in output, f"{words}: {status} {output}")


@case("a layer that stands for much more than itself is an error, and the flag that it names lets it pass")
def large_layer(world):
    world.push("zeros", [tar_layers.entry("zeros", bytes(30 << 20))])
    image = f"--image={world.host}/zeros"
    failed = warm(world, world.new_directory("cache"), image, "--max-unpacked-size=1M")
    failed.failed("hint: --max-unpacked-size allows more")
    for flags in ((), ("--max-unpacked-size=0",), ("--max-unpacked-size=50M",)):
        warm(world, world.new_directory("cache"), image, *flags).succeeded()


@case("an archive in a context that stands for much more than itself is an error, too")
def large_context(world):
    context = world.new_directory("context") / "context.tar.gz"
    context.write_bytes(tar_layers.compress(tar_layers.tar([tar_layers.entry("zeros", bytes(30 << 20))])))
    file = world.context("FROM REGISTRY/busybox\nCOPY zeros /zeros\n") / "Dockerfile"
    words = (f"--dockerfile={file}", f"--context=tar://{context}",
             f"--cache-repo={world.host}/{world.new_name('steps')}")
    failed = warm(world, world.new_directory("cache"), *words, "--max-unpacked-size=1M")
    failed.failed("hint: --max-unpacked-size allows more")
    warm(world, world.new_directory("cache"), *words, "--max-unpacked-size=50M").succeeded()


if __name__ == "__main__":
    sys.exit(main())
