#!/usr/bin/env python3
"""Runs every suite and adds up the cases: the last line is "N passed, N failed, N skipped".

usage: run.py [--unit BUILD_DIR]... [--functional DIR --programs DIR [--isolation MODE]] [--only TEXT] [--jobs N]

--unit takes every test that a Meson build directory registers; --functional every executable in
DIR, by the protocol that tests/README.md describes. Checks of the sources run once, in the first build.
--isolation runs the commands of those builds that take namespaces otherwise in MODE. Cases that
DIR/differences.json lists for it have to fail there, all others to pass.
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import pathlib
import re
import select
import signal
import subprocess
import sys
import time

DOCTEST_SUMMARY = re.compile(r"\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed\s*\|")
DOCTEST_SKIP = re.compile(r"^.*MESSAGE: (skip\b.*)$|^(skip: .*)$", re.M)
CASE = re.compile(r"^(ok|not ok|skip) (.+)$", re.M)
# Of a test: it has builds that take the place for commands that a machine has.
BUILDS = re.compile(r"\b(world\.build|world\.refused|build_in_namespaces|builder\.build)\(")
ALONE = re.compile(r"^# Runs alone: \S", re.M)
SLOWEST = 10
TIDY_SECONDS = 20  # for a test that has been interrupted
CPUS = os.cpu_count() or 1
ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass
class Outcome:
    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    cases: list[tuple[float, str]] = dataclasses.field(default_factory=list)  # the seconds of each
    notes: list[str] = dataclasses.field(default_factory=list)
    output: str = ""


@dataclasses.dataclass
class Job:
    name: str
    command: list[str]
    environment: dict[str, str]
    directory: str
    timeout: float
    kind: str  # "doctest", "cases" or "script"
    alone: bool = False  # nothing may run at the same time
    differences: dict[str, str] = dataclasses.field(default_factory=dict)  # why cases fail that have to, by name


def run(job: Job) -> Outcome:
    outcome, printed, started = Outcome(job.name), bytearray(), time.monotonic()
    with subprocess.Popen(job.command, cwd=job.directory, env={**os.environ, **job.environment},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        if not read(process, started + job.timeout, printed, outcome.cases):
            outcome.notes.append(f"not finished after {job.timeout:.0f} seconds")
            process.send_signal(signal.SIGINT)  # so that it ends its servers
            if not read(process, time.monotonic() + TIDY_SECONDS, printed, outcome.cases):
                process.kill()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    outcome.output = printed.decode(errors="replace")
    outcome.seconds = time.monotonic() - started
    outcome.cpu_seconds = usage.ru_utime + usage.ru_stime
    {"doctest": count_doctest, "cases": count_cases, "script": count_script}[job.kind](outcome, process.returncode)
    differs = compare(outcome, job.differences)
    if process.returncode != 0 and outcome.failed == 0 and not (differs and process.returncode == 1):
        outcome.failed = 1
        outcome.notes.append(f"exit status {process.returncode}")
    return outcome


def read(process: subprocess.Popen, deadline: float, printed: bytearray, cases: list[tuple[float, str]]) -> bool:
    """Adds to what PROCESS has printed, and to the cases in it: each took as long as it is since the one before. False
    when the output does not come to an end until DEADLINE."""
    line, before = b"", time.monotonic()
    while select.select([process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
        chunk = os.read(process.stdout.fileno(), 1 << 16)
        if not chunk:
            return True
        printed += chunk
        *lines, line = (line + chunk).split(b"\n")
        for _, text in CASE.findall(b"\n".join(lines).decode(errors="replace")):
            now = time.monotonic()
            cases.append((now - before, text))
            before = now
    return False


def count_doctest(outcome: Outcome, status: int) -> None:
    summary = DOCTEST_SUMMARY.search(outcome.output)
    if summary is None:
        count_script(outcome, status if status != 0 else 1)
        return
    outcome.passed, outcome.failed = int(summary[2]), int(summary[3])
    skips = [first or second for first, second in DOCTEST_SKIP.findall(outcome.output)]
    outcome.skipped = min(len(skips), outcome.passed)
    outcome.passed -= outcome.skipped
    outcome.notes += skips


def count_cases(outcome: Outcome, _status: int) -> None:
    for verdict, text in CASE.findall(outcome.output):
        if verdict == "ok":
            outcome.passed += 1
        elif verdict == "skip":
            outcome.skipped += 1
            outcome.notes.append(f"skip {text}")
        else:
            outcome.failed += 1
            outcome.notes.append(f"not ok {text}")
    if outcome.passed + outcome.failed + outcome.skipped == 0:
        outcome.failed = 1
        outcome.notes.append("reported no case")


def compare(outcome: Outcome, differences: dict[str, str]) -> bool:
    """Takes cases that fail as DIFFERENCES say for skipped, and for failed those that do not. Whether any did."""
    failing = [text for verdict, text in CASE.findall(outcome.output) if verdict == "not ok"]
    differing = [name for name in differences if any(text.startswith(f"{name}: ") for text in failing)]
    outcome.notes = [note for note in outcome.notes
                     if not any(note.startswith(f"not ok {name}: ") for name in differing)]
    outcome.notes += [f"differs {name}: {differences[name]}" for name in differing]
    missing = [name for name in differences if name not in differing]
    outcome.notes += [f"differs no more: {name}" for name in missing]
    outcome.skipped += len(differing)
    outcome.failed += len(missing) - len(differing)
    return bool(differing)


def count_script(outcome: Outcome, status: int) -> None:
    outcome.passed, outcome.failed = (1, 0) if status == 0 else (0, 1)


def unit_jobs(build: pathlib.Path) -> list[Job]:
    listed = subprocess.run(["meson", "introspect", "--tests", str(build)], check=True, stdout=subprocess.PIPE)
    jobs = []
    for test in json.loads(listed.stdout):
        doctest = any(suite.split(":")[-1] == "unit" for suite in test["suite"])
        jobs.append(Job(
            name=f"{build.name}/{test['name']}", command=test["cmd"], environment=test["env"],
            directory=test["workdir"] or str(build), timeout=max(test["timeout"], 30) * 4,
            kind="doctest" if doctest else "script"))
    return jobs


def functional_jobs(directory: pathlib.Path, programs: pathlib.Path, isolation: str | None) -> list[Job]:
    environment = {"CAIRN_PROGRAMS": str(programs.resolve()), "CAIRN_ROOT": str(ROOT)}
    tests = [path for path in sorted(directory.iterdir()) if path.is_file() and os.access(path, os.X_OK)]
    differences: dict[str, dict[str, str]] = {}
    if isolation:
        environment["CAIRN_ISOLATION"] = isolation
        tests = [path for path in tests if BUILDS.search(path.read_text())]
        differences = json.loads((directory / "differences.json").read_text())[isolation]
    unknown = differences.keys() - {path.name for path in tests}
    if unknown:
        raise SystemExit(f"differences.json: no tests are {', '.join(sorted(unknown))}")
    return [
        Job(f"functional/{path.name}", [str(path.resolve())], environment, str(ROOT), 900, "cases",
            alone=ALONE.search(path.read_text()) is not None, differences=differences.get(path.name, {}))
        for path in tests
    ]


def report(outcome: Outcome) -> None:
    counts = f"{outcome.passed} passed, {outcome.failed} failed, {outcome.skipped} skipped"
    print(f"{outcome.name:<32} {counts}  ({outcome.seconds:.1f} s, {outcome.cpu_seconds:.1f} s of CPU)", flush=True)
    for note in outcome.notes:
        print(f"    {note}")
    if outcome.failed:
        print("".join(f"    | {line}\n" for line in outcome.output.splitlines()[-200:]), end="", flush=True)


def report_slowest(outcomes: list[Outcome]) -> None:
    tests = [(outcome.seconds, outcome.name) for outcome in outcomes]
    cases = [(seconds, f"{outcome.name}: {name}") for outcome in outcomes for seconds, name in outcome.cases]
    for what, times in (("tests", tests), ("cases", cases)):
        print(f"slowest {what}:")
        for seconds, name in sorted(times, reverse=True)[:SLOWEST]:
            print(f"{seconds:8.1f} s  {name[:120]}")


def run_all(jobs: list[Job], workers: int):
    """Yields outcomes as they come: of those that stand others first, of those that run alone one after another."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run, job) for job in jobs if not job.alone]):
            yield done.result()
    yield from (run(job) for job in jobs if job.alone)


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs every suite and adds up the cases.")
    parser.add_argument("--unit", type=pathlib.Path, action="append", default=[], metavar="BUILD_DIR")
    parser.add_argument("--functional", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--programs", type=pathlib.Path, metavar="DIR", help="where executor and the others lie")
    parser.add_argument("--isolation", metavar="MODE", help="where commands run that have namespaces otherwise")
    parser.add_argument("--only", default="", metavar="TEXT", help="only tests whose name contains TEXT")
    parser.add_argument("--jobs", type=int, metavar="N",
                        help="how many at once; unit tests one for each CPU, functional tests, which wait a lot, two")
    args = parser.parse_args()
    if args.functional and not args.programs:
        parser.error("--functional needs --programs")
    if args.isolation and not args.functional:
        parser.error("--isolation needs --functional")

    unit = [job for build in args.unit for job in unit_jobs(build)]
    unit = [job for job in unit if job.kind == "doctest" or job.name.startswith(f"{args.unit[0].name}/")]
    functional = functional_jobs(args.functional, args.programs, args.isolation) if args.functional else []
    outcomes = []
    for jobs, workers in ((unit, args.jobs or CPUS), (functional, args.jobs or 2 * CPUS)):
        for outcome in run_all([job for job in jobs if args.only in job.name], workers):
            report(outcome)
            outcomes.append(outcome)

    report_slowest(outcomes)
    failed = sum(outcome.failed for outcome in outcomes)
    print(f"{sum(outcome.passed for outcome in outcomes)} passed, {failed} failed, "
          f"{sum(outcome.skipped for outcome in outcomes)} skipped")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
