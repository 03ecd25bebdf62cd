#!/usr/bin/env python3
"""What runs out: threads, memory, room in files. And what is made to run out: a few bytes that stand for many."""
import functools
import io
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import time

from support import Skip, case, expect, expect_equal, main

import tar_layers

MIB = 1 << 20
ROOMY = 150 * MIB
NOBODY = 54321
DOUBLING = "FROM scratch\n{name} A=xx\n" + "{name} A=$A$A\n" * 40


def quick(seconds: float, build):
    """What BUILD gives with less than SECONDS of a processor: how busy the machine is does not matter."""
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = build()
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    took = end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime
    expect(took < seconds, f"took {took:.1f} s: {done.said}")
    return done


@case("a variable that doubles in each line is an error with its line")
def doubling(world):
    for name in ("ENV", "ARG"):
        build = quick(10, lambda name=name: world.files_only(DOUBLING.format(name=name), measure=True))
        build.failed("Dockerfile:18", "no command can be started")
        expect(build.peak < ROOMY, f"{build.peak >> 20} MiB")


def cpu_seconds(pid: int) -> float:
    """What a process has used so far, whatever else the machine does."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


VALUE = "ARG V=" + "a" * 60_000 + "\nARG P=" + "*a" * 70 + "b\n"
TRIM = "${V#$P}"


def interrupted(world, text: str) -> None:
    """A signal ends a build of TEXT, which would take an hour, at once."""
    context, work = world.context(text), world.new_directory("work")
    process = world.start([f"--context={context}", f"--kaniko-dir={work}", "--no-push"], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    while process.poll() is None and cpu_seconds(process.pid) < 0.5:
        time.sleep(0.02)
    expect(process.poll() is None, "the build has ended by itself")
    process.send_signal(signal.SIGTERM)
    began = cpu_seconds(process.pid)
    while process.poll() is None and cpu_seconds(process.pid) < began + 2:
        time.sleep(0.02)
    process.kill()
    out = process.communicate()[0].decode()
    expect_equal(process.returncode, 128 + signal.SIGTERM, out)
    expect_equal(sorted(work.rglob("*")), [work / "work"] if (work / "work").exists() else [], "left behind")


@case("a signal ends a build that is being planned")
def planning_interrupted(world):
    interrupted(world, "FROM scratch\n" + VALUE + f"LABEL l={TRIM}\n" * 9000)


@case("a signal ends a build in the middle of one instruction with many variables")
def word_interrupted(world):
    for line in ("LABEL l=" + TRIM * 9000, "ENV " + " ".join(f"v{n}={TRIM}" for n in range(3500)),
                 f"COPY {f'{TRIM} ' * 7000} /x/", "WORKDIR /" + TRIM * 9000, "EXPOSE " + f"{TRIM} " * 7000,
                 "COPY <<EOF /x\n" + f"{TRIM}\n" * 9000 + "EOF"):
        interrupted(world, "FROM scratch\n" + VALUE + line + "\n")


@case("a signal ends a build in the middle of what stands before the first FROM, and of FROM")
def arguments_interrupted(world):
    interrupted(world, VALUE + f"ARG A={TRIM}\n" * 9000 + "FROM scratch\n")
    interrupted(world, VALUE + f"FROM {TRIM * 9000}\n")


@case("a replacement that comes to nothing takes seconds, or is an error with its line")
def empty_replacement(world):
    text = "FROM scratch\nARG V=" + "a" * 60_000 + "\nARG R='" + "$x" * 30_000 + "'\nLABEL l=${V//a/$R}\n"
    build = quick(10, lambda: world.files_only(text, timeout=240))
    build.failed("Dockerfile:4", "takes too long")


@functools.lru_cache(maxsize=None)
def reachable(world) -> pathlib.Path:
    """The executor where any user finds it: the project may lie in somebody's home."""
    return pathlib.Path(shutil.copy(world.program, world.directory))


def limited(world, limit: str, *, user: int | None = None, isolation: str = "none", text: str | None = None):
    """A build of two stages and some megabytes under a LIMIT of prlimit, perhaps as another user."""
    before = ["prlimit", limit]
    if user is not None:
        world.program = reachable(world)
        before = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *before]
    noise = os.urandom(1 << 20)
    files = {f"{name}/{number}": noise + bytes([number]) for number in range(4) for name in ("a", "b")}
    text = text or ("FROM REGISTRY/busybox AS a\nCOPY a /a\nFROM REGISTRY/busybox AS b\nCOPY b /b\nFROM scratch\n"
                    "COPY --from=a /a /x\nCOPY --from=b / /y\n")
    context = world.context(text, files)
    work, out = world.new_directory("work"), world.new_directory("out")
    for path in (world.directory, context, work, out):
        path.chmod(0o777)
    outputs = ("--no-push", f"--oci-layout-path={out}/layout")
    return world.build("", context=context, work=work, isolation=isolation, outputs=outputs, before=before,
                       environment={"HOME": "/nonexistent"})


def check_end(build, limit) -> None:
    """Success, or an error with a message; nothing remains of it."""
    expect(build.status in (0, 1, 75), f"{limit}: {build.said}")
    if build.status:
        build.failed(status=build.status)
        expect(build.error, f"{limit}: no message: {build.said}")


@case("a build that may start few processes ends with an error, or goes on with fewer threads")
def few_threads(world):
    if not world.is_root:
        raise Skip("only root can become a user that has no processes")
    ends = {}
    for limit in (1, 2, 3, 4, 5, 6, 8, 10, 12, 16, 24):
        build = limited(world, f"--nproc={limit}", user=NOBODY)
        check_end(build, f"{limit} processes")
        ends[limit] = build.status
    expect_equal((ends[1], ends[24]), (1, 0), f"exit statuses by limit: {ends}")


@case("a RUN that may start few processes ends with an error")
def few_processes(world):
    if not world.is_root:
        raise Skip("only root can become a user that has no processes")
    for limit in (4, 8, 12):
        text = "FROM REGISTRY/busybox\nRUN true\nCOPY a /a\n"
        check_end(limited(world, f"--nproc={limit}", user=NOBODY, isolation="auto", text=text), f"{limit} processes")


@case("a build that may have little memory ends with an error, or does with it")
def little_memory(world):
    for limit in (24, 32, 48, 64, 80, 96, 128, 160, 200, 300, 400, 600, 1000):
        build = limited(world, f"--as={limit * MIB}")
        # A program that is not static may not even be loaded.
        if "error while loading shared libraries" not in build.err:
            check_end(build, f"{limit} MiB")


@case("a limit on the size of files is an error, and commands are ended by it as usual")
def file_size(world):
    build = limited(world, "--fsize=200000")
    build.failed("File too large", "ulimit -f")
    world.build("FROM REGISTRY/busybox\n"
                "RUN (ulimit -f 1; head -c 100000 /dev/zero > /f); test $? = 153\n").succeeded()


def sparse(size: int) -> bytes:
    """An archive with a file of SIZE bytes, of which four are in it."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("sparse")
        info.size, info.pax_headers = 4, {"GNU.sparse.map": "0,4", "GNU.sparse.size": str(size)}
        archive.addfile(info, io.BytesIO(b"data"))
    return stream.getvalue()


def zeros(size: int) -> bytes:
    return tar_layers.compress(tar_layers.tar([tar_layers.entry("zeros", bytes(size))]))


def everywhere(world, name: str, archive: bytes, *flags: str):
    """A build with an archive as a layer of the base, as what ADD unpacks, and as the context."""
    if archive[:2] == b"\x1f\x8b":
        layer = tar_layers.gzip.decompress(archive)
    else:
        layer = archive
    tar_layers.push(world.host, name, tar_layers.Image([layer]))
    yield quick(30, lambda: world.files_only(f"FROM REGISTRY/{name}\nCOPY f /f\n", {"f": ""}, *flags, timeout=240))
    yield quick(30, lambda: world.files_only(
        f"FROM REGISTRY/{name} AS a\nFROM scratch\nCOPY --from=a / /\n", {}, *flags, timeout=240))
    yield quick(30, lambda: world.files_only("FROM scratch\nADD a.tar /x/\n", {"a.tar": archive}, *flags,
                                              timeout=240))
    path = world.new_directory("tar") / "context.tar"
    path.write_bytes(archive)
    dockerfile = world.context("FROM scratch\nCOPY . /\n") / "Dockerfile"
    yield quick(30, lambda: world.files_only(None, None, f"--dockerfile={dockerfile}", *flags,
                                                    context=f"tar://{path}", timeout=240))


@case("a terabyte in a few kilobytes is refused at once, wherever it comes from")
def sparse_terabyte(world):
    for build in everywhere(world, "sparse", sparse(1 << 40)):
        build.failed("1.1 TB", "--max-unpacked-size")


@case("--max-unpacked-size says how much more than itself an archive may hold")
def unpacked_size(world):
    for number, archive in enumerate((sparse(30 * MIB), zeros(30 * MIB))):
        for build in everywhere(world, f"small{number}", archive, "--max-unpacked-size=1M"):
            build.failed("--max-unpacked-size")
        for size in ("50M", "0"):
            for build in everywhere(world, f"large{number}", archive, f"--max-unpacked-size={size}"):
                build.succeeded()
    world.files_only("FROM scratch\n", {}, "--max-unpacked-size=-1").failed("--max-unpacked-size")


@case("files of zeros that a RUN makes have no limit, cached or not")
def own_zeros(world):
    kept = world.new_directory("cache")
    for _ in range(2):
        world.build("FROM REGISTRY/busybox AS a\nRUN dd if=/dev/zero of=/z bs=1M count=30\nFROM scratch\n"
                    "COPY --from=a /z /z\n", {}, "--cache", f"--cache-dir={kept}", "--max-unpacked-size=2M").succeeded()


def long_links(count: int):
    for number in range(count):
        yield tar_layers.symlink(f"{'n' * 200}/{number}{'m' * 3000}", "t" * 4000)


@case("a layer of long names takes less than 100 MB of memory")
def long_names(world):
    layer = tar_layers.tar(long_links(20_000))
    tar_layers.push(world.host, "names", tar_layers.Image([layer]))
    build = world.files_only("FROM REGISTRY/names\nCOPY f /f\n", {"f": ""}, measure=True)
    build.failed("names and targets of links", "layer sha256:")
    expect(build.peak < 100 * MIB, f"{build.peak >> 20} MiB")


@case("directories that are two thousand levels deep are copied and removed in seconds")
def deep_directories(world):
    paths = ["d/" * depth for depth in range(1, 2001)]
    archive = tar_layers.tar([*map(tar_layers.directory, paths), tar_layers.entry(paths[-1] + "f", "x")])
    for build in everywhere(world, "deep", archive):
        build.succeeded()
        expect_equal(sum(path.endswith("/d/f") for path in build.image.files), 1)
        expect_equal([path for path in pathlib.Path(build.work).rglob("build-*")], [], "left behind")


@case("a hundred thousand triggers of a base, variables, labels and sources take seconds")
def many_lines(world):
    for count, error in ((40_000, ""), (100_000, "the image's configuration has ")):
        config = {"Env": [tar_layers.PATH], "OnBuild": ["LABEL a=$PATH"] * count}
        tar_layers.push(world.host, f"triggers{count}", tar_layers.Image([tar_layers.busybox()], config=config))
        build = quick(30, lambda count=count: world.files_only(f"FROM REGISTRY/triggers{count}\n", timeout=240))
        expect_equal(build.status, 1 if error else 0, build.said)
        expect(error in build.error, build.said)
    lines = {
        "ARG": [f"ARG a{n}=${{a{n - 1}}}x{n}" if n % 20 else f"ARG a{n}=1" for n in range(10_000)],
        "ENV": [f"ENV a{n}=$b" for n in range(10_000)],
        "LABEL": [f"LABEL a{n}=$PATH" for n in range(20_000)],
        "RUN": [f"ARG a{n}" for n in range(5_000)] + ["WORKDIR /x"],
        "stages": [f"FROM scratch AS s{n}" for n in range(10_000)] + ["COPY --from=s1 / /"],
    }
    for name, more in lines.items():
        build = quick(30, lambda more=more: world.files_only("FROM scratch\n" + "\n".join(more) + "\n", timeout=240))
        expect(build.status == 0, f"{name}: {build.said}")


@case("many sources, ignored patterns and build arguments take seconds")
def many_words(world):
    files = {f"f/{n}": "" for n in range(2000)}
    sources = " ".join(f"f/{n}" for n in range(2000))
    ignored = "\n".join(f"no/{n}*/x" for n in range(5000))
    quick(30, lambda: world.files_only(f"FROM scratch\nCOPY {sources} /d/\n", {**files, ".dockerignore": ignored},
                                              timeout=240)).succeeded()
    flags = [f"--build-arg=a{n}={n}" for n in range(10_000)]
    stages = "".join(f"FROM scratch AS s{n}\nARG a{n}\n" for n in range(1000))
    quick(30, lambda: world.files_only(stages, {}, *flags, timeout=240)).succeeded()


@case("a time to live of centuries hits, and one that nobody can count is an error")
def times_to_live(world):
    text, kept = "FROM REGISTRY/busybox\nCOPY f /f\n", world.new_directory("cache")
    for ttl in ("2500000h", "9223372036854775807ns", "1.5h"):
        flags = ("--cache", f"--cache-dir={kept}", f"--cache-ttl={ttl}")
        world.files_only(text, {"f": "x"}, *flags).succeeded()
        build = world.files_only(text, {"f": "x"}, *flags).succeeded()
        expect("COPY f /f  [cached" in build.err, f"{ttl} does not hit: {build.said}")
    for ttl in ("99999999999999999999h", "2600000h", "1e3h", "NaNh", "5"):
        world.files_only(text, {"f": "x"}, f"--cache-ttl={ttl}").failed("--cache-ttl", ttl)


if __name__ == "__main__":
    sys.exit(main())
