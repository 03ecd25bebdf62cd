#!/usr/bin/env python3
"""What a supervised command hears that tries to change a secret: what it would hear of a file that is mounted
read-only."""
import sys

from support import case, expect, expect_equal, main

import pod
import supervised_support as supervised

SECRET = "correct-horse-battery-staple"
MOUNT = "RUN --mount=type=secret,id=k,target=/own/secret"
BEGIN = ("FROM REGISTRY/busybox\nCOPY change /change\n"
         "RUN mkdir -m 1777 /others && echo 'ann:x:1001:1001::/:/bin/sh' >> /etc/passwd\n")


# What is said by a descriptor alone of a file that was opened to be read is lost with the file (docs/security.md).
BY_DESCRIPTOR = {"fchmod", "futimens", "fsetxattr", "fremovexattr", "fchown"}


def changed(world, text: str, **how) -> dict[str, str]:
    """What each way to change the secret came to, in a build that ends with TEXT."""
    change = supervised.program(world, "change.c")
    done = supervised.build(world, BEGIN + text, {"change": change, "file": f"{SECRET}\n"},
                            "--secret=id=k,env=TOKEN", environment={"TOKEN": SECRET}, **how).succeeded()
    return done.results


def expect_as_mounted(world, text: str, unless: set[str] = BY_DESCRIPTOR) -> None:
    mounted = changed(world, text, profile=pod.UNCONFINED, isolation="namespace")
    found = changed(world, text)
    expect(len(mounted) > 100, f"not all was tried: {mounted}")
    expect_equal((mounted["all in all"], mounted["content"]), ("unchanged", SECRET))
    # The profile of a pod gives ENOSYS for calls that are newer than itself.
    wrong = [f"{way}: {found.get(way)}, not {result}" for way, result in mounted.items()
             if found.get(way) not in (result, "ENOSYS") and way not in unless]
    expect_equal(wrong, [], "not as where it is mounted")


@case("root changes a secret by no way, and hears of each what it hears where secrets are mounted")
def root(world):
    expect_as_mounted(world, f"{MOUNT} [\"/change\", \"/own/secret\", \"/others\", \"move it\"]\n")


@case("nor does a user whose secret it is, with rights to write to it")
def owner(world):
    expect_as_mounted(world, f"USER ann\n{MOUNT},uid=1001,mode=0600 [\"/change\", \"/own/secret\", \"/others\"]\n")


@case("nor one who may only read it")
def reader(world):
    expect_as_mounted(world, f"USER ann\n{MOUNT},mode=0444 [\"/change\", \"/own/secret\", \"/others\"]\n")


@case("a file that is bound read-only is guarded like a secret")
def bound(world):
    text = "RUN --mount=source=file,target=/own/file [\"/change\", \"/own/file\", \"/others\", \"move it\"]\n"
    expect_as_mounted(world, text)


@case("a secret beside a directory that is bound read-only is guarded, too")
def beside(world):
    text = "RUN --mount=target=/context --mount=type=secret,id=k,target=/own/secret "
    expect_as_mounted(world, text + "[\"/change\", \"/own/secret\", \"/others\", \"move it\"]\n", set())


if __name__ == "__main__":
    sys.exit(main())
