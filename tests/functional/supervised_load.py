#!/usr/bin/env python3
"""Supervised commands in crowds: many stages, many processes, no process left to start; and their ends by signals."""
import subprocess
import sys

from support import case, expect, expect_equal, main

import pod
import supervised_support as supervised

MIB = 1 << 20
CROWDED = "FROM REGISTRY/busybox\nCOPY crowd /crowd\nRUN [\"/crowd\", \"{}\"]\n"
STAGES = 8
BUSY = ("FROM REGISTRY/busybox\nRUN touch /ready; while :; do cat /proc/self/comm; cd /proc; cd /; done > /dev/null\n")


def full_pod() -> pod.Profile:
    """A node lets a pod have few processes."""
    return pod.Profile("few processes", capabilities=pod.DEFAULT_CAPABILITIES, seccomp=True, most_processes=200)


def crowd(world) -> dict:
    return {"crowd": supervised.program(world, "crowd.c")}


@case("eight stages that do not wait for each other, each with a crowd of processes, give one image")
def stages(world):
    lines = [f"FROM REGISTRY/busybox AS s{number}\nCOPY crowd /crowd\n"
             f"RUN /crowd 100{number} > /made && cat /proc/self/comm >> /made\nRUN cat /made /proc/self/comm > /again\n"
             for number in range(STAGES)]
    lines += ["FROM REGISTRY/busybox\n"] + [f"COPY --from=s{number} /again /{number}\n" for number in range(STAGES)]
    lines += ["RUN cat " + " ".join(f"/{number}" for number in range(STAGES)) + "\n"]
    done = supervised.build(world, "".join(lines), crowd(world)).succeeded()
    expect_equal(done.results, {f"100{number} processes": "0-wrong" for number in range(STAGES)})
    expect_equal(sum(line in ("cat", "busybox") for line in done.said.splitlines()), 2 * STAGES, done.said[-2000:])


@case("ten thousand short processes with threads are answered, and take no more memory than a hundred")
def processes(world):
    peaks = {}
    for count in (100, 10_000):
        done = supervised.build(world, CROWDED.format(count), crowd(world)).succeeded()
        expect_equal(done.results, {f"{count} processes": "0-wrong"})
        peaks[count] = done.peak
    print(f"most memory: {', '.join(f'{peak / MIB:.1f} MiB for {count}' for count, peak in peaks.items())}")
    expect(0 < peaks[10_000] < peaks[100] + 4 * MIB, f"{peaks}")


@case("where no process can be started any more /proc is still what it is")
def no_process_left(world):
    done = supervised.build(world, CROWDED.format("until-none"), crowd(world), profile=full_pod()).succeeded()
    expect_equal(done.results, {"all processes": "EAGAIN-many-0-wrong"})


@case("a command that starts processes without end is ended with all of them")
def bomb(world):
    text = ("FROM REGISTRY/busybox\nRUN f() { cat /proc/self/comm; f | f & }; f > /dev/null 2>&1; sleep 1\n"
            "RUN echo after\n")
    done = supervised.build(world, text, {}, profile=full_pod(), timeout=120)
    expect_equal(done.left, [], done.said[-1000:])
    expect(done.status == 0 or "error: " in done.said, done.said[-1000:])


def signalled(world, name: str) -> supervised.Done:
    def send(container):
        subprocess.run(["runc", "kill", container.name, name], check=True)
    done = supervised.build(world, BUSY, {}, at_ready=send)
    expect_equal(world.tags(done.name), [], "pushed")
    return done


@case("SIGTERM ends a build whose command is looking into /proc, with nothing pushed and nothing left")
def terminated(world):
    done = signalled(world, "TERM")
    expect_equal((done.status, done.left), (143, []), done.said[-1000:])


@case("SIGKILL of the executor ends its commands, with nothing pushed")
def killed(world):
    expect_equal(signalled(world, "KILL").status, 137)


if __name__ == "__main__":
    sys.exit(main())
