"""Figures as Markdown for people and JSON for programs. Ratios come first: seconds are those of one machine."""
import dataclasses
import json

from measuring import Measured, median

ON_THE_FLOOR = "bigbase"  # the workload whose least work is measured as well

METHOD = """\
Each ratio is the median over all rounds ({rounds}) of what a builder took against what the reference, {reference}, took
in the same round; in brackets are the smallest and the largest. Builders ran one after the other in each round, each
round beginning with another one, after a build of each that does not count. Every build began without anything of an
earlier one, but for those that are to find their steps in a cache. CPU is user and system time of all processes of a
build. Memory is the largest sum of the proportional set sizes (PSS) of all its processes, looked at every 20 ms, in the
build that does not count; what lies in tmpfs is not in it. Bytes and requests are the registry's.
"""


def _range(values: list[float]) -> str:
    if not values:
        return "–"
    middle = f"{median(values):.2f}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.2f}–{max(values):.2f})"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


class Results:
    """What all workloads gave."""

    def __init__(self, machine: dict[str, str], runners: list[str], rounds: int, scale: str):
        self.machine, self.runners, self.rounds, self.scale = machine, runners, rounds, scale
        self.measured: list[Measured] = []
        self.floor: dict[str, float] = {}  # seconds of a processor by step of ON_THE_FLOOR

    @property
    def reference(self) -> str:
        return self.runners[0]

    def pairs(self) -> list[tuple[str, str]]:
        """Another Cairn and this one, in the same isolation mode."""
        return [(runner, runner.partition(": ")[2]) for runner in self.runners if ": " in runner]

    def json(self) -> str:
        workloads = [{
            "name": found.workload.name, "group": found.workload.group, "size": found.workload.size,
            "shows": found.workload.shows, "peaks": found.peaks, "failures": found.failures,
            "runs": [dataclasses.asdict(run) for run in found.runs]
        } for found in self.measured]
        return json.dumps({"machine": self.machine, "scale": self.scale, "rounds": self.rounds,
                           "runners": self.runners, "floor": self.floor, "workloads": workloads}, indent=1) + "\n"

    def markdown(self) -> str:
        lines = ["# Figures", "", METHOD.format(rounds=self.rounds, reference=self.reference)]
        lines += ["## Time by the clock", "", *self._ratios(lambda spent: spent.wall)]
        lines += ["## CPU", "", *self._ratios(lambda spent: spent.cpu)]
        lines += self._pairs() + self._floor()
        lines += ["## Memory, MB", "", *self._memory(), "## What went over the wire", "", *self._traffic()]
        lines += ["## Machine", "", *_table(["", ""], [[key, value] for key, value in self.machine.items()])]
        lines += self._seconds() + self._failures()
        return "\n".join(lines)

    def _ratios(self, value) -> list[str]:
        rows = [[found.workload.name, found.workload.shows,
                 *("1" if runner == self.reference else _range(found.ratios(runner, self.reference, value))
                   for runner in self.runners)] for found in self.measured]
        return _table(["workload", "what", *self.runners], rows)

    def _pairs(self) -> list[str]:
        """How another build of Cairn compares with this one: more than 1 means that this one is faster."""
        pairs = self.pairs()
        if not pairs:
            return []
        rows = [[found.workload.name,
                 *(_range(found.ratios(other, own, lambda spent: spent.wall)) for other, own in pairs),
                 *(_range(found.ratios(other, own, lambda spent: spent.cpu)) for other, own in pairs)]
                for found in self.measured]
        head = [f"{other}, {what}" for what in ("clock", "CPU") for other, _ in pairs]
        return ["## Other builds of Cairn against this one, in the same isolation mode", "",
                "More than 1: this one takes less.", "", *_table(["workload", *head], rows)]

    def _floor(self) -> list[str]:
        """What has to be done at least, as shares of what the reference took."""
        whole = next((median([run.spent.cpu for run in found.of(self.reference)]) for found in self.measured
                      if found.workload.name == ON_THE_FLOOR), None)
        if not self.floor or not whole:
            return []
        rows = [[name, f"{seconds / whole:.2f}"] for name, seconds in self.floor.items()]
        rows.append(["all of them", f"{sum(self.floor.values()) / whole:.2f}"])
        return [f"## What {ON_THE_FLOOR} takes at least", "",
                f"The CPU of each step alone, as a share of what {self.reference} took for the whole build.", "",
                *_table(["step", "share"], rows)]

    def _memory(self) -> list[str]:
        rows = [[found.workload.name, *(f"{found.peaks[name] / 1e6:.0f}" if name in found.peaks else "–"
                                        for name in self.runners)] for found in self.measured]
        return _table(["workload", *self.runners], rows)

    def _traffic(self) -> list[str]:
        """Of the last run of each: they are alike."""
        rows = []
        for found in self.measured:
            for runner in self.runners:
                if runs := found.of(runner):
                    seen = runs[-1].traffic
                    rows.append([found.workload.name, runner, str(seen.requests), str(seen.blob_gets),
                                 str(seen.most_gets_of_a_blob), f"{seen.sent / 1e6:.2f}", f"{seen.received / 1e6:.2f}"])
        return _table(["workload", "builder", "requests", "GETs of blobs", "most of one blob", "MB from the registry",
                       "MB of blobs to it"], rows)

    def _seconds(self) -> list[str]:
        cells = [[found.workload.name,
                  *(_range([run.spent.wall for run in found.of(runner)]) for runner in self.runners)]
                 for found in self.measured]
        return ["On this machine, in seconds:", "", *_table(["workload", *self.runners], cells)]

    def _failures(self) -> list[str]:
        failed = [(found.workload.name, runner, said) for found in self.measured
                  for runner, said in found.failures.items()]
        lines = [f"- {workload}, {runner}: {' '.join(said.split())[:300]}" for workload, runner, said in failed]
        return ["## Builds that failed", "", *lines, ""] if lines else []
