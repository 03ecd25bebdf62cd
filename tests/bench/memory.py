"""How much memory all processes of a build take together."""
import contextlib
import os
import pathlib
import threading

PERIOD = 0.02  # seconds between two looks
STOPWATCH = "stopwatch"


def _parents() -> dict[int, tuple[int, str]]:
    """All processes: the parent of each, and its name."""
    found = {}
    for place in os.scandir("/proc"):
        if place.name.isdigit():
            with contextlib.suppress(OSError):
                text = pathlib.Path(place.path, "stat").read_text(errors="replace")
                name, _, rest = text.partition("(")[2].rpartition(")")
                found[int(place.name)] = (int(rest.split()[1]), name)
    return found


def measured() -> list[int]:
    """The processes that a stopwatch of this program's has started, and theirs."""
    parents, verdicts = _parents(), {os.getpid(): "ours", 0: "none", 1: "none"}

    def verdict(pid: int) -> str:
        if pid not in verdicts:
            parent, _ = parents.get(pid, (0, ""))
            above = verdict(parent)
            started = above == "ours" and parents.get(parent, (0, ""))[1] == STOPWATCH
            verdicts[pid] = "measured" if started or above == "measured" else above
        return verdicts[pid]

    return [pid for pid in parents if verdict(pid) == "measured"]


def proportional(pid: int) -> int:
    """Bytes of a process, what it shares with others divided among them; 0 when it has ended."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) << 10
    return 0


class Peak(threading.Thread):
    """Looks at a build for as long as it runs: `bytes` is the most that its processes took together."""

    def __init__(self):
        super().__init__(daemon=True)
        self.bytes, self._ends = 0, threading.Event()

    def run(self) -> None:
        while not self._ends.wait(PERIOD):
            self.bytes = max(self.bytes, sum(proportional(pid) for pid in measured()))

    def __enter__(self) -> "Peak":
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self._ends.set()
        self.join()
