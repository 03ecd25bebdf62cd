"""What a build on a base image has to do at least, each step alone on one thread, by the program micro/floor.cpp."""
import statistics
import subprocess
import tempfile

import bases
from base_images import Base
from station import Site

PROGRAM = bases.ROOT / "build/image/tests/bench/micro/floor"
STEPS = {
    "read": "reading the compressed layer",
    "hash_blob": "SHA-256 of it",
    "decompress": "decompressing it",
    "hash_archive": "SHA-256 of what comes out",
    "write_files": "writing the files",
}


def measure(site: Site, base: Base, rounds: int) -> dict[str, float]:
    """Seconds of a processor that each step takes for the only layer of BASE, which the registry holds."""
    found: dict[str, list[float]] = {}
    blob = site.largest_blob(base)
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="floor-", dir=site.directory) as place:
            done = subprocess.run([str(PROGRAM), str(blob), place], check=True, text=True, stdout=subprocess.PIPE)
        for line in done.stdout.splitlines():
            name, _, cpu = line.split()
            found.setdefault(STEPS[name], []).append(float(cpu))
    return {name: statistics.median(values) for name, values in found.items()}


def is_there() -> bool:
    return PROGRAM.exists()
