"""Runs of one workload: all runners in turn, again and again, so that what disturbs the machine disturbs all."""
import collections
import dataclasses
import pathlib
import statistics
import subprocess
import tempfile

import memory
from runners import BuildFailed, Runner, Spent, Task
from station import Site
from traffic import Traffic
from workloads import Workload


@dataclasses.dataclass(frozen=True)
class Run:
    """One build that was timed. Runs of one round followed each other."""

    workload: str
    runner: str
    round: int
    spent: Spent
    traffic: Traffic


@dataclasses.dataclass
class Measured:
    """All that is known of one workload."""

    workload: Workload
    runs: list[Run] = dataclasses.field(default_factory=list)
    peaks: dict[str, int] = dataclasses.field(default_factory=dict)     # bytes of memory by runner
    failures: dict[str, str] = dataclasses.field(default_factory=dict)  # by runner

    def of(self, runner: str) -> list[Run]:
        return [run for run in self.runs if run.runner == runner]

    def ratios(self, runner: str, reference: str, value) -> list[float]:
        """What VALUE gives for RUNNER against what it gives for REFERENCE, in each round that has both."""
        others = {run.round: run for run in self.of(reference)}
        return [value(run.spent) / value(others[run.round].spent) for run in self.of(runner) if run.round in others]


def median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


class Measuring:
    """Of one workload. A build before those that count warms the machine up and tells its memory."""

    def __init__(self, site: Site, workload: Workload, runners: list[Runner], say):
        self._site, self._runners, self._say = site, list(runners), say
        self._found = Measured(workload)
        self._numbers = collections.Counter()

    def measure(self, rounds: int) -> Measured:
        workload = self._found.workload
        with tempfile.TemporaryDirectory(prefix="workload-", dir=self._site.directory) as name:
            place = pathlib.Path(name)
            place.chmod(0o755)
            workload.write(place / "context", self._site.host)
            tasks = {runner: self._task(place, number) for number, runner in enumerate(self._runners)}
            tasks = {runner: task for runner, task in tasks.items() if runner.can(task)}
            for round_number in range(rounds + 1):
                order = list(tasks)
                first = round_number % max(1, len(order))
                for runner in order[first:] + order[:first]:
                    if runner.name not in self._found.failures:
                        self._run(runner, tasks[runner], round_number, rounds)
        self._site.forget_built()
        return self._found

    def _task(self, place: pathlib.Path, number: int) -> Task:
        workload = self._found.workload
        cached = place / f"cache{number}"
        cached.mkdir(mode=0o755)
        return Task(place / "context", "", workload.cache, cached, self._site.new_repository())

    def _run(self, runner: Runner, task: Task, number: int, rounds: int) -> None:
        """Round 0 is not timed; where steps are cached it has a build before it that fills the cache."""
        workload = self._found.workload.name
        try:
            if number == 0 and task.cache:
                self._build(runner, task)
            if number == 0:
                with memory.Peak() as peak:
                    self._build(runner, task)
                self._found.peaks[runner.name] = peak.bytes
                self._say(f"{workload:<20} memory  {runner.name:<24} {peak.bytes / 1e6:8.0f} MB")
                return
            spent = self._build(runner, task)
        except (BuildFailed, subprocess.TimeoutExpired) as failure:
            self._found.failures[runner.name] = str(failure)
            self._say(f"{workload:<20} failed  {failure}")
            return
        self._found.runs.append(Run(workload, runner.name, number, spent, self._site.meter.read()))
        self._say(f"{workload:<20} {number:>3}/{rounds:<3} {runner.name:<24} {spent.wall:8.3f} s {spent.cpu:8.3f} s "
                  "of CPU")

    def _build(self, runner: Runner, task: Task) -> Spent:
        if not task.cache:
            self._site.forget_built()
        self._site.meter.read()
        return runner.build(dataclasses.replace(task, destination=self._site.new_repository()))
