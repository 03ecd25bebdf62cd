"""Where a benchmark works: in memory when there is room, on a disk otherwise; gone when it ends."""
import contextlib
import pathlib
import shutil
import subprocess
import tempfile

MEMORY = pathlib.Path("/dev/shm")
DISKS = (pathlib.Path(tempfile.gettempdir()), pathlib.Path("/var/tmp"))
SPARE = 2 << 30  # bytes of memory that programs need besides the files


class NoRoom(Exception):
    """What is missing, and where."""


def available_memory() -> int:
    """Bytes that processes can still get."""
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def free(directory: pathlib.Path) -> int:
    """Bytes that files in DIRECTORY may take; 0 when there is no such directory."""
    if not directory.is_dir():
        return 0
    left = shutil.disk_usage(directory).free
    return max(0, min(left, available_memory() - SPARE)) if directory == MEMORY else left


def choose(need: int) -> pathlib.Path:
    """The first directory with room for NEED bytes. @raises NoRoom"""
    candidates = (MEMORY, *DISKS)
    for directory in candidates:
        if free(directory) >= need:
            return directory
    found = ", ".join(f"{free(directory) / 1e9:.1f} GB in {directory}" for directory in dict.fromkeys(candidates))
    raise NoRoom(f"the workloads need {need / 1e9:.1f} GB of memory or disk, and there are {found}; "
                 "--only takes fewer of them, TMPDIR names another disk")


def file_system(directory: pathlib.Path) -> str:
    """The type of the file system that DIRECTORY is on: tmpfs, ext4."""
    done = subprocess.run(["stat", "--file-system", "--format=%T", str(directory)], check=True, capture_output=True,
                          text=True)
    return done.stdout.strip()


def remove(directory: pathlib.Path) -> None:
    """Removes a directory in which something may be mounted still."""
    for line in reversed(pathlib.Path("/proc/self/mountinfo").read_text().splitlines()):
        mounted = line.split()[4].replace("\\040", " ")
        if mounted.startswith(f"{directory}/"):
            subprocess.run(["umount", "-l", mounted], check=False)
    shutil.rmtree(directory, ignore_errors=True)


@contextlib.contextmanager
def directory_in(parent: pathlib.Path):
    """A directory of the benchmark's own, open to all as a node's are, until the end."""
    made = pathlib.Path(tempfile.mkdtemp(prefix="cairn-bench-", dir=parent))
    made.chmod(0o711)
    try:
        yield made
    finally:
        remove(made)
