#!/usr/bin/env python3
"""RUN: the environment, the kernel's file systems, limits and flags, as the frontend gives them."""
import sys

from support import case, expect, expect_equal, main

import tar_layers

PATH = tar_layers.PATH.removeprefix("PATH=")


def output(world, instructions: str, *flags: str, base: str = "busybox", **how) -> list[str]:
    return world.build(f"FROM REGISTRY/{base}\n{instructions}\n", None, *flags, **how).succeeded().out.splitlines()


@case("PATH is the image's, the default one when it has none, and an empty one when it says so")
def path(world):
    world.push("pathless", config={"Env": ["A=1"]})
    world.push("empty_path", config={"Env": ["PATH="]})
    expect_equal(output(world, "RUN echo $PATH", base="pathless"), [PATH])
    expect_equal(output(world, 'RUN ["/bin/sh", "-c", "echo [$PATH]"]', base="empty_path"), ["[]"])
    expect_equal(output(world, "ARG PATH=/bin\nRUN echo $PATH"), ["/bin"])


@case("stdin is empty, the umask 022, no signal is blocked or ignored, and no terminal is there")
def process(world):
    lines = output(world,
                   "RUN cat | wc -c; umask; grep -E 'SigBlk|SigIgn|SigCgt' /proc/self/status; test -t 0 || echo none")
    expect_equal([line.split()[-1] for line in lines], ["0", "0022", "0" * 16, "0" * 16, "0" * 16, "none"])


@case("root has the capabilities of a container, another user none, and both may gain them")
def capabilities(world):
    lines = output(
        world,
        "RUN grep -E 'CapPrm|CapBnd|CapInh|NoNewPrivs' /proc/self/status\nUSER 5\n"
        "RUN grep -E 'CapEff|CapBnd' /proc/self/status"
    )
    values = [line.split() for line in lines]
    for name, value in values:
        if name in ("CapPrm:", "CapBnd:"):
            expect_equal(int(value, 16) & ~0xA80425FB, 0, f"{name} more than a container's")
    expect_equal({name: value for name, value in values if name in ("CapInh:", "NoNewPrivs:", "CapEff:")},
                 {"CapInh:": "0" * 16, "NoNewPrivs:": "0", "CapEff:": "0" * 16})


@case("/proc and /sys are read-only where they turn switches, /dev and /dev/shm are the command's own")
def kernel(world):
    lines = output(
        world,
        "RUN for f in /proc/sys/kernel/hostname /proc/sysrq-trigger /sys/x; do echo x 2>/dev/null > $f || echo "
        "refused; done\n"
        "RUN ls -d /dev/null /dev/full /dev/zero /dev/random /dev/urandom /dev/tty /dev/ptmx /dev/pts /dev/shm "
        "/dev/mqueue | wc -l; "
        "ls -l /dev/fd /dev/stdin | sed 's/.* -> //'; grep -c ' /dev/shm ' /proc/mounts; touch /dev/x /dev/shm/x && "
        "echo mine"
    )
    expect_equal(lines, ["refused"] * 3 + ["10", "/proc/self/fd", "/proc/self/fd/0", "1", "mine"])


@case("the hostname is buildkitsandbox, or --hostname's, and can be looked up")
def hostname(world):
    expect_equal(output(world, "RUN hostname; grep -c buildkitsandbox /etc/hosts"), ["buildkitsandbox", "1"])
    lines = output(world, "RUN hostname; grep -cE '(myhost|10.1.2.3.*other)$' /etc/hosts", "--hostname=myhost",
                   "--add-host=other:10.1.2.3")
    expect_equal(lines, ["myhost", "2"])


@case("RUN --network=none has no interface but loopback and reaches nothing, default and host are the machine's")
def network(world):
    lines = output(
        world, "RUN --network=none grep -c : /proc/net/dev; nc -w1 -z 1.1.1.1 53 2>&1 | grep -ci unreachable; true\n"
        "RUN --network=host grep -c : /proc/net/dev\nRUN --network=default grep -c : /proc/net/dev")
    expect_equal(lines[0], "1")
    expect_equal(lines[-2], lines[-1], "interfaces with host and with default")
    expect(int(lines[-1]) >= 1, f"interfaces: {lines}")


@case("what RUN cannot have is an error with its line: more privilege, devices, unknown networks")
def refused(world):
    for flag, said in (("--security=insecure", "RUN --security=insecure is not allowed"),
                       ("--device=vendor.com/gpu", "RUN --device is not supported"),
                       ("--network=bridge", "--network=bridge: must be one of default, none, host"),
                       ("--security=none", "--security=none")):
        world.refused(f"FROM scratch\nCOPY f /\nRUN {flag} true\n", {"f": ""},
                      texts=("Dockerfile:3: ", said, "> 3 | RUN "))
    expect_equal(output(world, "RUN --security=sandbox echo ok"), ["ok"])


@case("/etc/hosts and /etc/resolv.conf of a command are in no layer, whatever it does to them")
def private_files(world):
    build = world.build(
        "FROM REGISTRY/busybox\nRUN echo x >> /etc/hosts; echo y >> /etc/resolv.conf; touch /made\n"
        "RUN grep -c ^x /etc/hosts; true\n"
    )
    expect_equal(build.succeeded().out, "0\n")
    expect({"/etc/hosts", "/etc/resolv.conf"}.isdisjoint(build.image.files), "they are in the image")


@case("of the kernel's file systems the directories stay where the base has none, in the first command's layer")
def kernel_directories(world):
    text = "FROM REGISTRY/busybox AS b\nFROM scratch\nCOPY --from=b /bin /bin\nCOPY f /dev/f\nRUN true\nRUN true\n"
    image = world.build(text + "FROM scratch\nCOPY --from=1 / /x/\n", {"f": ""}).image
    expect({"/x/dev/f", "/x/proc", "/x/sys"} <= set(image.files), f"files are {sorted(image.files)[-5:]}")
    image = world.build(text, {"f": ""}).image
    expect_equal([[name for name in layer.names if name != "/"] for layer in image.layers[-2:]],
                 [["/proc", "/sys"], []])
    expect_equal([(oct(image.files[path].mode), image.files[path].owner) for path in ("/proc", "/sys")],
                 [("0o755", (0, 0))] * 2)


@case("what is changed in a volume after VOLUME is kept")
def volume(world):
    image = world.build(
        "FROM REGISTRY/busybox\nRUN mkdir /v && echo 1 > /v/a\nVOLUME /v\nRUN echo 2 > /v/b; rm /v/a\nCOPY f /v/c\n"
        "WORKDIR /v/d\n",
        {"f": ""}).image
    expect_equal(sorted(path for path in image.files if path.startswith("/v/")), ["/v/b", "/v/c", "/v/d"])


@case("a mount from nothing is the build context, one from scratch is empty")
def empty_mounts(world):
    build = world.build(
        "FROM REGISTRY/busybox\nRUN --mount=from=,target=/m ls /m\nRUN --mount=from=scratch,target=/m ls /m\n",
        {"f": ""})
    expect_equal(build.succeeded().out.split(), ["Dockerfile", "f"])


if __name__ == "__main__":
    sys.exit(main())
