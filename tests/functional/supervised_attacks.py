#!/usr/bin/env python3
"""What a supervised command, root in a chroot of a pod, tries to reach outside its root: it gets the errors that it
would get if nobody were there."""
import functools
import platform
import sys

from support import Skip, case, expect, expect_equal, main

import supervised_support as supervised

SECRET = "secret-of-the-executor"
DOCKERFILE = ("FROM REGISTRY/busybox\nCOPY attack /attack\n"
              "RUN mkdir /links && ln -s /proc/1/root /links/root && ln -s /proc/1/environ /links/environ\n"
              f"RUN [\"/attack\", \"{SECRET}\"]\nRUN rm /attack\n")
NOBODY_THERE = {"ENOENT"}
# Calls that name a process by its number: there is one, but it is not theirs.
NOT_THEIRS = {"EPERM", "ESRCH", "EACCES", "EBADF"}
# Beyond the chroot, where Landlock says what root may do.
FORBIDDEN = {"EACCES", "EPERM", "EXDEV", "ENOENT"}
RULES = {
    "executor seized": NOT_THEIRS, "executor attached": NOT_THEIRS, "executor read": NOT_THEIRS,
    "executor written": NOT_THEIRS, "executor robbed of a descriptor": NOT_THEIRS,
    "executor moved in with": NOT_THEIRS, "parent seized": NOT_THEIRS, "parent attached": NOT_THEIRS,
    "parent read": NOT_THEIRS, "parent written": NOT_THEIRS, "parent robbed of a descriptor": NOT_THEIRS,
    "parent moved in with": NOT_THEIRS, "executed from a descriptor": FORBIDDEN, "made a directory above": FORBIDDEN,
    "made a link above": FORBIDDEN, "removed above": FORBIDDEN, "moved above": FORBIDDEN
}
# What /proc shows of a process to everybody, which a chroot that is left does not hide.
SHOWN_TO_ALL = {f"after chroot {name}" for name in ("fd", "comm", "stat", "cmdline", "mountinfo")}
WITH_LANDLOCK = ("chroot", "up from there", "in the executor's root")


@functools.lru_cache(maxsize=None)
def attacked(world) -> dict[str, str]:
    """What each way outside came to."""
    done = supervised.build(world, DOCKERFILE, {"attack": supervised.program(world, "attack.c")},
                            environment={"SECRET": SECRET}).succeeded()
    return done.results


def has_landlock() -> bool:
    release = platform.release().split(".")
    return (int(release[0]), int(release[1].partition("-")[0])) >= (5, 19)


def expect_unreached(found: dict[str, str]) -> None:
    expect(found, "nothing was tried")
    wrong = [f"{name}: {result}" for name, result in found.items() if result not in RULES.get(name, NOBODY_THERE)]
    expect_equal(wrong, [], "reached, or another error")


def of_chroot(name: str) -> bool:
    return any(part in name for part in WITH_LANDLOCK)


@case("no path leads to the executor or out of the root, from wherever it begins")
def by_path(world):
    expect_unreached({name: result for name, result in attacked(world).items()
                      if not of_chroot(name) and "change" not in name and "moved" not in name})


@case("paths that others change while they are looked at lead to nothing outside")
def by_race(world):
    found = {name: result for name, result in attacked(world).items() if "change" in name or "moved" in name}
    expect("paths up that change" in found and "while directories are moved" in found, f"not all ran: {found}")
    if not has_landlock():
        found = {name: result for name, result in found.items() if "/proc" not in name and "up" not in name}
    expect_unreached(found)


@case("a command that leaves its chroot opens, makes and executes nothing out there, but what /proc shows to everybody")
def by_chroot(world):
    if not has_landlock():
        raise Skip("Landlock as of Linux 5.19")
    found = {name: result for name, result in attacked(world).items() if of_chroot(name)}
    expect(len(found) > 15, f"not all ran: {found}")
    wrong = [f"{name}: {result}" for name, result in found.items()
             if result not in FORBIDDEN and name not in SHOWN_TO_ALL]
    expect_equal(wrong, [], "reached")


if __name__ == "__main__":
    sys.exit(main())
