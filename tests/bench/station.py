"""What builds are measured with: a registry that holds the bases, the stopwatch, the pods' root."""
import contextlib
import pathlib
import shutil
import subprocess

import base_images
import bases
import registry
import traffic

HERE = pathlib.Path(__file__).resolve().parent
ROOTFS = bases.ROOT / "build/image/context/rootfs"  # that of Cairn's image
BUILT = "built"  # the repositories of what is built begin with it


class Site:
    """A registry, tools and room in DIRECTORY, until close()."""

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        self.stopwatch = directory / "tools/stopwatch"
        self.stopwatch.parent.mkdir()
        subprocess.run(["cc", "-static", "-O2", "-o", str(self.stopwatch), str(HERE / "stopwatch.c")], check=True)
        self.registry = registry.Registry(directory)
        self.host = self.registry.host
        self.meter = traffic.Meter(self.registry)
        self._repositories = self.registry.storage / "docker/registry/v2/repositories"
        self._blobs = self.registry.storage / "docker/registry/v2/blobs/sha256"
        self._kept: dict[str, set[str]] = {}  # the blobs of each base that is there
        self._built = 0

    def close(self) -> None:
        self.meter.close()
        self.registry.close()

    def hold(self, wanted: list[base_images.Base]) -> None:
        """Has the registry hold exactly these bases. @raises bases.CannotMake"""
        names = {base.name for base in wanted}
        for name in self._kept.keys() - names:
            shutil.rmtree(self._repositories / name.partition(":")[0] / "_manifests/tags" / name.partition(":")[2])
            del self._kept[name]
        self.forget_built()
        for base in wanted:
            if base.name not in self._kept:
                layout = base_images.layout_of(base)
                subprocess.run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{layout}:bench",
                                f"docker://{self.host}/{base.name}"], check=True)
                self._kept[base.name] = {path.name for path in (layout / "blobs/sha256").iterdir()}
        self.meter.read()

    def new_repository(self) -> str:
        """A place for an image in which no layer is yet."""
        self._built += 1
        return f"{self.host}/{BUILT}/{self._built}"

    def forget_built(self) -> None:
        """Removes from the registry what builds pushed to it; what they sent is counted before, or not at all."""
        self.meter.read()
        shutil.rmtree(self._repositories / BUILT, ignore_errors=True)
        kept = set().union(*self._kept.values())
        for digest in self._all_blobs() - kept:
            shutil.rmtree(self._blobs / digest[:2] / digest)

    def _all_blobs(self) -> set[str]:
        return {path.name for path in self._blobs.glob("*/*")}

    def largest_blob(self, base: base_images.Base) -> pathlib.Path:
        """Where the registry keeps the largest layer of a base that it holds."""
        blobs = [self._blobs / digest[:2] / digest / "data" for digest in self._kept[base.name]]
        return max(blobs, key=lambda blob: blob.stat().st_size)

    def rootfs(self, name: str, programs: pathlib.Path) -> pathlib.Path:
        """The root of a container with the executor that is in PROGRAMS; each NAME is another one."""
        place = self.directory / f"rootfs-{name}"
        if not place.exists():
            shutil.copytree(ROOTFS, place, symlinks=True)
            shutil.copy(programs / "executor", place / "kaniko/executor")
        return place


@contextlib.contextmanager
def opened(directory: pathlib.Path):
    with contextlib.closing(Site(directory)) as site:
        yield site
