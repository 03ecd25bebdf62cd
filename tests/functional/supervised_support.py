"""Builds in a pod whose commands are supervised, of programs that the tests compile."""
import contextlib
import dataclasses
import functools
import json
import pathlib
import re
import shutil
import subprocess
import threading
import time

from support import File, Skip, expect, expect_equal

import container_support as containers
import pod


@functools.lru_cache(maxsize=None)
def compiled(world, source: pathlib.Path) -> bytes:
    """A C program that needs no libraries."""
    if shutil.which("cc") is None:
        raise Skip("a C compiler")
    out = world.new_directory("compiled") / "program"
    done = subprocess.run(["cc", "-static", "-O1", "-pthread", "-o", str(out), str(source)], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr)
    return out.read_bytes()


def program(world, name: str) -> File:
    """One of tests/support/programs."""
    return File(compiled(world, pathlib.Path(__file__).parents[1] / "support/programs" / name), mode=0o755)


class Watch(threading.Thread):
    """Looks at the executor in a pod as long as it runs: how much memory it takes at most."""

    def __init__(self, container: pod.Pod):
        super().__init__()
        self.peak, self._name, self._ends = 0, container.name, threading.Event()

    def run(self) -> None:
        while not self._ends.wait(0.1):
            state = subprocess.run(["runc", "state", self._name], capture_output=True, text=True, check=False)
            with contextlib.suppress(OSError, ValueError, KeyError, IndexError):
                status = pathlib.Path(f"/proc/{json.loads(state.stdout)['pid']}/status").read_text()
                self.peak = max(self.peak, int(status.split("VmHWM:")[1].split()[0]) * 1024)

    def end(self) -> None:
        self._ends.set()
        self.join()


@dataclasses.dataclass
class Done:
    """How a build in a pod ended."""

    name: str  # of its repository
    status: int
    said: str
    left: list[str]  # in the volume for work
    peak: int        # bytes of memory
    isolation: str = "supervised"

    def succeeded(self) -> "Done":
        expect_equal(self.status, 0, self.said[-3000:])
        expect(f"Isolation: {self.isolation}" in self.said, self.said[:600])
        expect_equal(self.left, [], f"left in the volume for work: {self.said[-1000:]}")
        return self

    @property
    def results(self) -> dict[str, str]:
        """The lines "= NAME: RESULT" of a program."""
        return dict(re.findall(r"^(?:\[[^]]*\] ?)?= (.*): (\S+)$", self.said, re.MULTILINE))


def build(world, dockerfile: str, files: dict, *arguments: str, profile: pod.Profile = pod.BASELINE,
          environment: dict[str, str] = {}, timeout: int = 600, at_ready=None, isolation: str = "supervised") -> Done:
    """A build in a pod of PROFILE, pushed. AT_READY is called with the container once a command has made /ready."""
    name = world.new_name("supervised")
    context = world.context(dockerfile, files)
    looked_at = containers.fingerprint(context)
    with pod.Pod(containers.root_file_system(world.directory, "cairn"), world.directory, profile) as container:
        container.bind(context, "/workspace")
        work = container.empty("/kaniko/work")
        watch = Watch(container)
        watch.start()
        other = threading.Thread(target=wait_for_ready, args=(work, container, at_ready)) if at_ready else None
        if other:
            other.start()
        try:
            done = container.run(["/kaniko/executor", "--context=/workspace", f"--destination={world.host}/{name}",
                                  f"--isolation={isolation}", *arguments], environment=environment, timeout=timeout)
        finally:
            watch.end()
            if other:
                other.join()
        left = [path.name for path in work.iterdir()]
    expect_equal(containers.fingerprint(context), looked_at, "the user's files")
    return Done(name, done.returncode, done.stdout + done.stderr, left, watch.peak, isolation)


def wait_for_ready(work: pathlib.Path, container: pod.Pod, at_ready) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and not list(work.glob("**/ready")):
        time.sleep(0.05)
    at_ready(container)
