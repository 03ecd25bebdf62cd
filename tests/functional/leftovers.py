#!/usr/bin/env python3
"""What killed programs leave: removed by the next one, and nothing that somebody uses is."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

from support import ROOTED, case, expect, expect_equal, left_in, main, registry, write_tree

SLOW = "FROM REGISTRY/busybox\nRUN echo ready; sleep 60\n"


def builds_in(work: pathlib.Path) -> list[str]:
    return sorted(path.name for path in (work / "work").glob("build-*"))


def start(world, work: pathlib.Path, text: str = SLOW, *flags: str) -> subprocess.Popen:
    """A build that has come to its command."""
    world.need_namespaces()
    process = world.start([
        f"--context={world.context(text)}", f"--kaniko-dir={work}", f"--isolation={ROOTED}", "--no-push",
        f"--oci-layout-path={world.new_directory('out')}/layout", *flags
    ], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in process.stdout:
        if "ready" in line:
            return process
    raise AssertionError(f"the build ended with {process.wait()}")


def kill(process: subprocess.Popen) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()


def send(port: int, text: bytes) -> None:
    """TEXT for who listens there, or is about to."""
    end = time.monotonic() + 60
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port)) as connection:
                return connection.sendall(text)
        except ConnectionRefusedError:
            expect(time.monotonic() < end, "nobody listens")
            time.sleep(0.05)


def small(world, work: pathlib.Path, *flags: str):
    return world.build("FROM scratch\nCOPY f /f\n", {"f": "x"}, *flags, work=work, isolation="none")


@case("what three killed builds left in --kaniko-dir is removed by the next")
def killed(world):
    work = world.new_directory("work")
    for _ in range(3):
        kill(start(world, work))
    expect(builds_in(work) != [], "nothing was left")
    small(world, work).succeeded()
    expect_equal(left_in(work), [])


@case("a build that runs loses nothing to one that begins")
def running(world):
    work = world.new_directory("work")
    port = registry.free_port()
    process = start(world, work, "FROM REGISTRY/busybox\n"
                                 f"RUN echo ready; timeout 60 nc -l -p {port} > /done\nRUN cat /done > /again\n")
    kill(start(world, work))
    mine = builds_in(work)
    small(world, work).succeeded()
    expect_equal(len(builds_in(work)), 1, f"of {mine}")
    send(port, b"go on")
    process.stdout.read()
    expect_equal(process.wait(60), 0)
    expect_equal(left_in(work), [])


@case("many builds that begin and are killed at once in one --kaniko-dir never remove each other's")
def together(world):
    work = world.new_directory("work")
    problems: list[str] = []

    def build(number: int) -> None:
        for _ in range(6):
            done = small(world, work)
            if done.status != 0:
                problems.append(done.said)
        if number % 2:
            kill(start(world, work))

    threads = [threading.Thread(target=build, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expect_equal(problems, [])
    small(world, work).succeeded()
    expect_equal(left_in(work), [])


@case("directories that only look like a build's stay")
def others(world):
    work = world.new_directory("work")
    write_tree(
        work,
        {"work/build-mine/file": "x", "work/build-empty/": "", "work/other/.cairn-lock": "", "work/build-file": "x"})
    small(world, work).succeeded()
    expect_equal(left_in(work), [
        "work/build-empty", "work/build-file", "work/build-mine", "work/build-mine/file", "work/other",
        "work/other/.cairn-lock"
    ])


@case("a lock that is a link leads nowhere")
def link_as_lock(world):
    work, target = world.new_directory("work"), world.new_directory("target")
    write_tree(target, {"lock": "x"})
    (work / "work/build-x").mkdir(parents=True)
    (work / "work/build-x/.cairn-lock").symlink_to(target / "lock")
    (work / "work/build-y").symlink_to(target)
    (target / ".cairn-lock").write_text("")
    small(world, work).succeeded()
    expect_equal(sorted(os.listdir(target)), [".cairn-lock", "lock"])


@case("what killed builds left in --cache-dir is removed by the next, without a limit for its size too")
def in_cache(world):
    directory = world.new_directory("cache")
    write_tree(
        directory, {
            "unpacked/.partial-1/f": "x", "unpacked/.removed-2/f": "x", "mounts/.removed-3/0/f": "x",
            "blobs/sha256/.fetching-" + "c" * 64: "x", "blobs/sha256/.partial-4": "x", "steps/a.json.tmp-123456": "x",
            "blobs/sha256/.partial-new": "x"
        })
    for name in ("blobs/sha256/.fetching-" + "c" * 64, "blobs/sha256/.partial-4", "steps/a.json.tmp-123456"):
        os.utime(directory / name, (1_000_000_000, 1_000_000_000))
    small(world, world.new_directory("work"), f"--cache-dir={directory}").succeeded()
    left = sorted(str(path.relative_to(directory)) for path in directory.rglob("*")
                  if any(part in path.name for part in (".partial", ".removed", ".fetching", ".tmp-")))
    expect_equal(left, ["blobs/sha256/.partial-new"])


@case("a layer that is being unpacked into --cache-dir is no leftover")
def being_unpacked(world):
    directory = world.new_directory("cache")
    (directory / "unpacked/.partial-1").mkdir(parents=True)
    holder = subprocess.Popen(["flock", "--shared", str(directory / "unpacked/.partial-1"), "sleep", "60"])
    try:
        while subprocess.run(
            ["flock", "--nonblock", str(directory / "unpacked/.partial-1"), "true"], check=False).returncode == 0:
            pass
        small(world, world.new_directory("work"), f"--cache-dir={directory}").succeeded()
        expect((directory / "unpacked/.partial-1").exists(), "it was removed")
    finally:
        holder.kill()
        holder.wait()


@case("what a killed cairn-creds left beside a config.json is removed by the next")
def credentials(world):
    program = world.program.with_name("cairn-creds")
    folder, source = world.new_directory("docker"), world.new_directory("source")
    write_tree(source, {"config.json": '{"auths": {"r.example": {"auth": "YTpi"}}}'})
    write_tree(folder, {".config.json-0123456789abcdef": "half", ".config.json-held": "half", "other": "x"})
    holder = subprocess.Popen(["flock", str(folder / ".config.json-held"), "sleep", "60"])
    try:
        while subprocess.run(["flock", "--nonblock", str(folder / ".config.json-held"), "true"],
                             check=False).returncode == 0:
            pass
        done = subprocess.run([str(program), "inject", f"--from-dir={source}", f"--dir={folder}", "--allow-disk"],
                              capture_output=True, text=True, env=world.environment, check=False)
        expect_equal(done.returncode, 0, done.stderr)
        expect_equal(sorted(os.listdir(folder)), [".config.json-held", "config.json", "other"])
    finally:
        holder.kill()
        holder.wait()


if __name__ == "__main__":
    sys.exit(main())
