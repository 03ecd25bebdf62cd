"""Who builds: Cairn in each of its isolation modes, in a container as a pod has it, and others on the machine."""
import contextlib
import dataclasses
import pathlib
import shutil
import subprocess
import tempfile
import typing

import pod
from station import Site

TIMEOUT = 3600  # seconds for one build


class BuildFailed(Exception):
    """With the end of what the builder said."""


@dataclasses.dataclass(frozen=True)
class Task:
    """One build: what of, where to, and what it may find of an earlier one."""

    context: pathlib.Path
    destination: str
    cache: str             # "", "directory" or "repository"
    cached: pathlib.Path   # the directory; for each runner another one
    cache_repository: str


@dataclasses.dataclass(frozen=True)
class Spent:
    """What a build took, in seconds."""

    wall: float
    user: float
    system: float

    @property
    def cpu(self) -> float:
        return self.user + self.system


class Runner(typing.Protocol):
    name: str

    def can(self, task: Task) -> bool:
        """Whether it has such a cache."""

    def build(self, task: Task) -> Spent:
        """@raises BuildFailed"""


def _spent(figures: pathlib.Path) -> Spent:
    wall, user, system = (int(word) for word in figures.read_text().split())
    return Spent(wall / 1e9, user / 1e6, system / 1e6)


@dataclasses.dataclass(frozen=True)
class Mode:
    """A kind of pod in which an isolation mode is the best there is."""

    profile: pod.Profile
    flag: str
    said: str
    volume: bool = True  # at /kaniko/work


MODES = {
    "overlay": Mode(pod.UNCONFINED, "namespace", "namespace with overlay"),
    "directory": Mode(pod.UNCONFINED, "namespace", "namespace with directory", volume=False),
    "supervised": Mode(pod.BASELINE, "supervised", "supervised"),
    "inplace": Mode(pod.BASELINE, "inplace", "in place"),
}


class Cairn:
    """An executor in a pod. Its time is its own: that of starting the container is not in it."""

    def __init__(self, site: Site, programs: pathlib.Path, mode: str, label: str = ""):
        self.name = f"{label}: {mode}" if label else mode
        self.mode, self.label = mode, label
        self._site, self._how = site, MODES[mode]
        self._rootfs = site.rootfs(label or "own", programs)

    def can(self, task: Task) -> bool:
        return True

    def build(self, task: Task) -> Spent:
        flags = [f"--isolation={self._how.flag}", "--context=dir:///workspace", f"--destination={task.destination}"]
        if task.cache:
            flags.append("--cache")
        if task.cache == "repository":
            flags.append(f"--cache-repo={task.cache_repository}")
        with tempfile.TemporaryDirectory(dir=self._site.directory) as name:
            place = pathlib.Path(name)
            with pod.Pod(self._rootfs, place, self._how.profile) as container:
                container.bind(task.context, "/workspace", read_only=True)
                if task.cache == "directory":
                    container.bind(task.cached, "/cache")
                if self._how.volume:
                    container.empty("/kaniko/work")
                measured = container.empty("/kaniko/measured")
                shutil.copy(self._site.stopwatch, measured)
                done = container.run(["/kaniko/measured/stopwatch", "/kaniko/measured/figures", "/kaniko/executor",
                                      *flags], timeout=TIMEOUT)
                self._check(done)
                return _spent(measured / "figures")

    def _check(self, done: subprocess.CompletedProcess) -> None:
        said = done.stdout + done.stderr
        if done.returncode != 0:
            raise BuildFailed(f"{self.name}: exit status {done.returncode}: {said[-1500:]}")
        if "Isolation: " in said and f"Isolation: {self._how.said}" not in said:
            raise BuildFailed(f"{self.name}: another isolation mode: {said[:800]}")


class Buildah:
    """Debian's, as root on the machine itself, without a layer for each step unless they are to be cached."""

    name = "buildah"

    def __init__(self, site: Site):
        self._site = site
        self._driver = "overlay" if self._overlay_works() else "vfs"

    def can(self, task: Task) -> bool:
        return task.cache != "repository"

    def _overlay_works(self) -> bool:
        with tempfile.TemporaryDirectory(dir=self._site.directory) as name:
            place = pathlib.Path(name)
            words = self._words(place, "overlay")
            works = subprocess.run([*words, "info"], capture_output=True, check=False).returncode == 0
            self._clean(place)
        return works

    @staticmethod
    def _words(place: pathlib.Path, driver: str) -> list[str]:
        return ["/usr/bin/buildah", f"--root={place}/root", f"--runroot={place}/run", f"--storage-driver={driver}"]

    @staticmethod
    def _clean(place: pathlib.Path) -> None:
        subprocess.run(["umount", "-l", str(place / "root/overlay")], stderr=subprocess.DEVNULL, check=False)

    @contextlib.contextmanager
    def _storage(self, task: Task):
        """Of this build alone, unless steps are to be found in it."""
        if task.cache:
            yield task.cached
            self._clean(task.cached)
            return
        with tempfile.TemporaryDirectory(dir=self._site.directory) as name:
            try:
                yield pathlib.Path(name)
            finally:
                self._clean(pathlib.Path(name))

    def build(self, task: Task) -> Spent:
        with self._storage(task) as place:
            buildah = " ".join(self._words(place, self._driver))
            layers = "true" if task.cache else "false"
            script = (f"{buildah} bud --isolation=chroot --network=host --layers={layers} --tls-verify=false "
                      f"--tag=built {task.context} && "
                      f"{buildah} push --tls-verify=false built docker://{task.destination}")
            figures = place / "figures"
            done = subprocess.run([self._site.stopwatch, figures, "/bin/sh", "-c", script], text=True,
                                  errors="replace", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=TIMEOUT, check=False)
            if done.returncode != 0:
                raise BuildFailed(f"buildah: exit status {done.returncode}: {done.stdout[-1500:]}")
            return _spent(figures)
