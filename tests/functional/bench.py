#!/usr/bin/env python3
"""scripts/bench measures what it says it does, and leaves nothing behind. How long anything takes is not looked at."""
import functools
import json
import os
import pathlib
import shutil
import subprocess
import sys

from support import ROOT, Skip, case, expect, expect_equal, main

NEEDED = ("cc", "docker-registry", "runc", "skopeo", "umoci")
MODES = "overlay,inplace"


@functools.lru_cache(maxsize=None)
def measured(world) -> pathlib.Path:
    """Where the results of two tiny workloads are."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if os.geteuid() != 0 or missing:
        raise Skip(f"needs root and {', '.join(missing or NEEDED)}")
    world.need_namespaces()
    output = world.new_directory("measured")
    bench(world, "--only", "copy", "runs-repository", f"--output={output}", f"--against=other={world.program.parent}")
    return output


def bench(world, *words: str, status: int = 0) -> str:
    command = [str(ROOT / "scripts/bench"), "--quick", f"--modes={MODES}", f"--programs={world.program.parent}", *words]
    place = world.new_directory("place")
    done = subprocess.run(command, env={**os.environ, "CAIRN_ROOT": str(ROOT), "TMPDIR": str(place)}, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    expect_equal(done.returncode, status, done.stdout[-1500:])
    expect_equal(list(place.iterdir()), [], "left in the place for temporary files")
    return done.stdout


def results(world) -> dict:
    return json.loads((measured(world) / "results.json").read_text())


@case("every builder has built every workload once, and took time, a processor and memory")
def builders(world):
    found = results(world)
    expect_equal(found["runners"], ["overlay", "inplace", "other: overlay", "other: inplace"])
    expect_equal([workload["name"] for workload in found["workloads"]], ["copy", "runs-repository"])
    for workload in found["workloads"]:
        expect_equal(workload["failures"], {})
        expect_equal(sorted(run["runner"] for run in workload["runs"]), sorted(found["runners"]))
        expect_equal(sorted(workload["peaks"]), sorted(found["runners"]))
        for run in workload["runs"]:
            spent = run["spent"]
            expect(spent["wall"] > 0 and spent["user"] + spent["system"] > 0, f"took nothing: {run}")


@case("what goes over the wire is counted: the base once, the new layers once, nothing of a build that is cached")
def traffic(world):
    copied, again = (workload["runs"] for workload in results(world)["workloads"])
    for run in copied:
        seen = run["traffic"]
        expect_equal((seen["blob_gets"], seen["most_gets_of_a_blob"]), (2, 1), "the base's configuration and layer")
        expect(seen["sent"] > 100_000 and 1000 < seen["received"] < 1_000_000, f"other bytes: {seen}")
    for run in again:
        expect(run["traffic"]["received"] < 20_000, f"a cached build sent layers: {run['traffic']}")


@case("the table has a row for each workload, and the chart a bar for each builder")
def shown(world):
    place = measured(world)
    table = (place / "results.md").read_text()
    expect("| copy | 50 files COPY, one RUN | 1 |" in table, table[:1500])
    chart = (place / "plain.svg").read_text()
    expect_equal(chart.count('stroke="none"'), 2 * len(results(world)["runners"]), "bars and their legend")
    expect("prefers-color-scheme: dark" in chart, "no colours for a dark ground")


@case("a workload that does not exist is an error that says where the names are")
def unknown(world):
    expect("--only: no workload or group nothing; --list shows them" in bench(world, "--only", "nothing", status=1),
           "another message")


if __name__ == "__main__":
    sys.exit(main())
