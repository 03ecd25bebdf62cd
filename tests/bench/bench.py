#!/usr/bin/env python3
"""Measures builds: Cairn in each isolation mode, other builds of Cairn, and peers, against one registry.

Writes results.json, results.md and charts. tests/bench/README.md says what is in this folder, docs/performance.md what
the figures mean.
"""
import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))

import bases  # noqa: E402
import charts  # noqa: E402
import floor  # noqa: E402
import machine  # noqa: E402
import measuring  # noqa: E402
import place  # noqa: E402
import registry  # noqa: E402
import runners  # noqa: E402
import series  # noqa: E402
import station  # noqa: E402
import tables  # noqa: E402
import workloads  # noqa: E402

OVERHEAD = 1.3  # of file systems, over the bytes that are in files
NEEDED = ("cc", "docker-registry", "gzip", "runc", "skopeo", "tar", "umoci")
PROGRAMS = station.ROOTFS / "kaniko"


class CannotMeasure(Exception):
    """What is missing, or wrong in what was asked for."""


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="tiny inputs, one round: whether it works at all")
    parser.add_argument("--list", action="store_true", help="print the workloads and end")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="workloads, or groups of them")
    parser.add_argument("--modes", type=lambda text: text.split(","), default=list(runners.MODES),
                        metavar="MODE,...", help=f"default: {','.join(runners.MODES)}; the first is the reference")
    parser.add_argument("--against", nargs="+", default=[], metavar="[LABEL=]DIR",
                        help="folders with other executors, measured in the same rounds")
    parser.add_argument("--peer", choices=["buildah"], action="append", default=[], help="another builder")
    parser.add_argument("--runs", type=int, metavar="N", help="rounds that count; default 5, of --quick 1")
    parser.add_argument("--programs", type=pathlib.Path, default=PROGRAMS, metavar="DIR",
                        help="the folder with the executor; default: what scripts/image makes")
    parser.add_argument("--output", type=pathlib.Path, default=bases.ROOT / "out/bench", metavar="DIR",
                        help="where results are written; default: out/bench")
    args = parser.parse_args()
    args.runs = args.runs or (1 if args.quick else 5)
    unknown = set(args.modes) - set(runners.MODES)
    if unknown or args.runs < 1:
        parser.error(f"--modes: there is no {', '.join(unknown)}" if unknown else "--runs: at least 1")
    return args


def chosen(scale: workloads.Scale, only: list[str]) -> list[workloads.Workload]:
    """The workloads whose name or group is in ONLY, all without it. @raises CannotMeasure"""
    known = [*workloads.plain(scale), *workloads.cached(scale), *series.growing(scale)]
    names = {name for workload in known for name in (workload.name, workload.group)}
    unknown = [name for name in only if name not in names]
    if unknown:
        raise CannotMeasure(f"--only: no workload or group {', '.join(unknown)}; --list shows them")
    return [workload for workload in known if not only or {workload.name, workload.group} & set(only)]


def need(wanted: list[workloads.Workload]) -> int:
    """Bytes that the largest of them takes, its bases in the registry among them."""
    return int(max(workload.room + sum(base.room for base in workload.recipe.bases) for workload in wanted) * OVERHEAD)


def other_programs(words: list[str]) -> dict[str, pathlib.Path]:
    """The folders of --against by label. @raises CannotMeasure"""
    found = {}
    for number, word in enumerate(words, 1):
        label, _, directory = word.rpartition("=")
        found[label or f"other{number}"] = pathlib.Path(directory)
    return found


def check_machine(programs: dict[str, pathlib.Path]) -> None:
    """@raises CannotMeasure"""
    if os.geteuid() != 0:
        raise CannotMeasure("pods are made by hand, which takes root")
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing or registry.PROGRAM is None:
        raise CannotMeasure(f"{', '.join(missing)} not installed; scripts/bench installs what is missing")
    for directory in programs.values():
        if not (directory / "executor").is_file():
            raise CannotMeasure(f"{directory}: there is no executor; scripts/image makes one")
    if not station.ROOTFS.is_dir():
        raise CannotMeasure(f"{station.ROOTFS} is not there; scripts/image makes it")


def make_runners(args: argparse.Namespace, site: station.Site, others: dict[str, pathlib.Path]) -> list:
    found = [runners.Cairn(site, args.programs, mode) for mode in args.modes]
    found += [runners.Cairn(site, directory, mode, label) for label, directory in others.items()
              for mode in args.modes]
    return found + [runners.Buildah(site) for _ in args.peer[:1]]


def say(line: str) -> None:
    print(line, flush=True)


def measure_all(args: argparse.Namespace, wanted: list[workloads.Workload], others: dict[str, pathlib.Path]) -> None:
    """Results are written after each workload, so that an interrupt loses one of them only."""
    parent = place.choose(need(wanted))
    with place.directory_in(parent) as directory, station.opened(directory) as site:
        builders = make_runners(args, site, others)
        described = machine.describe(place.file_system(parent), {"": args.programs} | others)
        results = tables.Results(described, [runner.name for runner in builders], args.runs,
                                 "quick" if args.quick else "full")
        for workload in wanted:
            site.hold(list(workload.recipe.bases))
            results.measured.append(measuring.Measuring(site, workload, builders, say).measure(args.runs))
            if workload.name == tables.ON_THE_FLOOR and floor.is_there():
                results.floor = floor.measure(site, workload.recipe.bases[0], args.runs)
            write(results, args.output)


def write(results: tables.Results, directory: pathlib.Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "results.json").write_text(results.json())
    (directory / "results.md").write_text(results.markdown())
    charts.write(results, directory)


def main() -> int:
    args = arguments()
    try:
        wanted = chosen(workloads.QUICK if args.quick else workloads.FULL, args.only)
        if args.list:
            print("\n".join(f"{each.group:<10} {each.name:<20} {each.shows}" for each in wanted))
            return 0
        others = other_programs(args.against)
        check_machine({"": args.programs} | others)
        measure_all(args, wanted, others)
    except (CannotMeasure, place.NoRoom, bases.CannotMake) as problem:
        print(f"scripts/bench: {problem}", file=sys.stderr)
        return 1
    print(f"results are in {args.output}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that everything is removed
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
    print("interrupted", file=sys.stderr)
    sys.exit(128 + signal.SIGINT)
