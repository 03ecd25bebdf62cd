#!/usr/bin/env python3
"""RUN: what a command sees, what becomes of its status and of what it leaves behind."""
import concurrent.futures
import pathlib
import re
import signal
import subprocess
import sys
import time

from support import ROOTED, File, case, expect, expect_equal, left_in, main, processes

import registry
import tar_layers

DEFAULT_CAPABILITIES = 0xA80425FB  # those of a container without flags, docs.docker.com/engine/security


def output_of(world, instructions: str, *flags: str, **how) -> list[str]:
    """What the commands of a build on the base image print, line by line."""
    return world.build(f"FROM REGISTRY/busybox\n{instructions}\n", None, *flags, **how).succeeded().out.splitlines()


@case("ENV, ARG and WORKDIR are what a command sees")
def environment(world):
    lines = output_of(
        world, 'ENV A=1 B="two words" P=$PATH\nARG C=3\nARG D\nARG E=5\nENV E=6\nWORKDIR /w/x\nWORKDIR y\n'
        'RUN pwd; echo "$A|$B|$C|$D|$E|$P|$HOME"', "--build-arg=D=4", "--build-arg=E=7", "--build-arg=UNUSED=8")
    expect_equal(lines, ["/w/x/y", f"1|two words|3|4|6|{tar_layers.PATH.removeprefix('PATH=')}|/root"])


@case("nothing of the executor's environment, process or files reaches a command")
def nothing_leaks(world):
    lines = output_of(world,
                      'ENV A=1\nRUN ["/bin/env"]\nRUN cat /proc/*/environ /proc/*/cmdline | tr "\\0" "\\n"; ls /',
                      environment={"CAIRN_TEST_TOKEN": "xyzzy"})
    expect_equal(sorted(lines[:3]), ["A=1", "HOME=/root", tar_layers.PATH])
    for leak in ("xyzzy", "--kaniko-dir"):
        expect(not any(leak in line for line in lines),
               f"{leak} can be read: {[line for line in lines if leak in line]}")
    expect_equal(lines[-10:], ["bin", "dev", "etc", "home", "proc", "root", "sys", "tmp", "usr", "var"])


@case("USER sets user, groups and home directory")
def user(world):
    say = 'RUN echo "$(id -u) $(id -g) $(id -G) $HOME"'
    lines = output_of(world,
                      f"{say}\nUSER ann\n{say}\nUSER 1001\n{say}\nUSER ann:staff\nRUN id -u; id -g\nUSER 7:8\n{say}")
    expect_equal(lines, ["0 0 0 /root", "1001 1002 1002 50 /home/ann", "1001 1002 1002 50 /home/ann", "1001", "50",
                         "7 8 8 /"])


@case("files that a command makes belong to its user, under umask 022")
def ownership(world):
    build = world.build("FROM REGISTRY/busybox\nUSER ann\nRUN umask; mkdir /tmp/d; echo x > /tmp/d/f\n")
    files = build.image.files
    expect_equal([(files[path].owner, oct(files[path].mode)) for path in ("/tmp/d", "/tmp/d/f")],
                 [((1001, 1002), "0o755"), ((1001, 1002), "0o644")])
    expect_equal(build.out, "0022\n")


@case("a user that the stage itself adds can be used at once")
def new_user(world):
    lines = output_of(world, "COPY --from=REGISTRY/busybox /bin/sh /unused\n"
                      "RUN echo bob:x:77:88::/home/bob:/bin/sh >> /etc/passwd\nUSER bob\nRUN id -u; id -g; echo $HOME")
    expect_equal(lines, ["77", "88", "/home/bob"])


@case("SHELL and exec form decide what is run")
def shells(world):
    lines = output_of(world, 'SHELL ["/bin/busybox", "echo", "shell:"]\nRUN two  words $HOME\n'
                      'RUN ["/bin/busybox", "echo", "exec", "$HOME"]')
    expect_equal(lines, ["shell: two  words $HOME", "exec $HOME"])


@case("here-documents are scripts, with an interpreter of their own if they name one")
def heredocs(world):
    lines = output_of(world, 'ENV X=out\nRUN <<EOF\ncd /tmp\necho "$X $PWD"\nEOF\n'
                      'RUN <<"END"\n#!/bin/awk -f\nBEGIN { print "awk" }\nEND\n'
                      "RUN cat <<A && cat <<B\n$X a\nA\n$X b\nB\nRUN <<FAILS\nset -e\necho before\ntrue\nFAILS")
    expect_equal(lines, ["out /tmp", "awk", "out a", "out b", "before"])


@case("a command has a hostname, an empty stdin and the capabilities of a container")
def surroundings(world):
    lines = output_of(world, "RUN hostname; cat; grep CapEff /proc/self/status; id -u")
    expect_equal(lines[0], "buildkitsandbox")
    capabilities = int(lines[1].split()[1], 16)
    expect(capabilities & ~DEFAULT_CAPABILITIES == 0, f"more than a container's capabilities: {capabilities:x}")


@case("/proc, /sys and /dev are there and are in no layer")
def kernel_filesystems(world):
    build = world.build(
        "FROM REGISTRY/busybox\nRUN test -e /proc/self/status && test -d /sys/kernel && echo x > /dev/null"
        " && echo y > /dev/shm/y && test -c /dev/urandom && test -e /dev/stdout && touch /dev/made\n")
    names = [name for name in build.image.layers[-1].names if name.startswith(("/proc/", "/sys/", "/dev/"))]
    expect_equal(names, [])


@case("a command can neither turn the kernel's switches nor open devices that it makes")
def kernel_switches(world):
    lines = output_of(world, "RUN echo 1 > /proc/sys/vm/drop_caches || echo refused; touch /sys/x || echo refused; "
                      "mknod /n c 1 5; head -c 1 /n > /dev/null || echo refused")
    expect_equal(lines, ["refused"] * 3)


@case("names can be resolved, and the files for that are in no layer")
def name_service(world):
    world.push("hosts", [tar_layers.entry("etc/resolv.conf", "of the base")])
    for base in ("busybox", "hosts"):
        build = world.build(
            f"FROM REGISTRY/{base}\nRUN cat /etc/resolv.conf; grep -q localhost /etc/hosts && touch /x\n")
        expect_equal(build.succeeded().out, pathlib.Path("/etc/resolv.conf").read_text())
        files = build.image.files
        found = files["/etc/resolv.conf"].text if "/etc/resolv.conf" in files else None
        expect_equal(found, "of the base" if base == "hosts" else None)
        changed = {name for name in build.image.layers[-1].names if name not in ("/", "/etc")}
        expect_equal(changed, {"/x"}, "what is in the layer")


@case("RUN --network=none has the loopback interface alone")
def no_network(world):
    lines = output_of(world, "RUN --network=none cut -d: -f1 -s /proc/net/dev")
    expect_equal([line.strip() for line in lines if "|" not in line], ["lo"])


@case("stdout and stderr of commands are the executor's, the log is on stderr")
def streams(world):
    build = world.build("FROM REGISTRY/busybox\nRUN echo to stdout; echo to stderr >&2\n").succeeded()
    expect_equal(build.out, "to stdout\n")
    expect("\nto stderr\n" in build.err, f"stderr is {build.err}")


@case("the exit status of a command is the executor's")
def exit_status(world):
    for command, status, text in (("exit 42", 42, "exit status 42"), ("kill -9 $$", 137, "signal 9"), ("false", 1, "")):
        build = world.build(f"FROM REGISTRY/busybox\nENV A=b\nRUN {command}\n")
        build.failed(f"Dockerfile:3: RUN {command}: ", text, "> 3 | RUN ", status=status)


@case("a command that does not exist is named")
def no_such_command(world):
    build = world.build('FROM REGISTRY/busybox\nRUN ["/no/such", "thing"]\n')
    build.failed("Dockerfile:2: ", "/no/such", status=127)
    world.build("FROM REGISTRY/busybox\nRUN nosuchthing\n").failed("Dockerfile:2: ", status=127)


@case("a pipe of the shell fails as its SHELL says")
def pipefail(world):
    world.build("FROM REGISTRY/busybox\nRUN false | true\n").succeeded()
    world.build('FROM REGISTRY/busybox\nSHELL ["/bin/sh", "-o", "pipefail", "-c"]\nRUN exit 3 | true\n').failed(
        status=3)


@case("processes left in the background end with their command")
def background(world):
    begin = time.monotonic()
    build = world.build("FROM REGISTRY/busybox\nRUN sleep 4711 & setsid sleep 4711 & echo started > /o\n")
    expect_equal(build.image.text("/o"), "started\n")
    expect(time.monotonic() - begin < 8, "the build waited for them")
    expect_equal(processes("sleep", "4711"), [])


def interrupted(world, command: str, number: signal.Signals, sign: tuple[str, ...]) -> tuple[int, float, str]:
    """Sends a signal to a build whose COMMAND runs; the status, the seconds until it ended, and stderr."""
    world.need_namespaces()
    repository = world.new_name("interrupted")
    digest_file, work, log = (world.directory / f"{repository}.{end}" for end in ("digest", "work", "log"))
    context = world.context(f"FROM REGISTRY/busybox\nRUN {command}\n")
    words = [f"--context={context}", f"--kaniko-dir={work}", f"--isolation={ROOTED}", f"--digest-file={digest_file}",
             f"--destination={world.host}/{repository}"]
    with log.open("wb") as stream:
        process = world.start(words, stdout=stream, stderr=stream, stdin=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not processes(*sign) and process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    expect(bool(processes(*sign)), f"the command does not run: {log.read_text()}")
    begin = time.monotonic()
    process.send_signal(number)
    status = process.wait(30)
    took = time.monotonic() - begin
    expect_equal(processes(*sign), [], "processes that are left")
    expect(not digest_file.exists(), "a digest file was written")
    expect_equal(world.tags(repository), [], "tags")
    expect_equal(left_in(work), [], "left in the work directory")
    return status, took, log.read_text()


@case("SIGTERM and SIGINT end a build at once and leave nothing")
def signals(world):
    for number in (signal.SIGTERM, signal.SIGINT):
        status, took, log = interrupted(world, "sleep 4712", number, ("sleep", "4712"))
        expect_equal(status, 128 + number, log)
        expect(took < 2.5, f"it took {took:.1f} s: {log}")
        expect(len(log.splitlines()) <= 30, f"more than a screen: {log}")


@case("a command can tidy up on SIGTERM")
def trapped_signal(world):
    status, took, log = interrupted(world, "trap 'echo tidied; exit 9' TERM; sleep 4713 & wait", signal.SIGTERM,
                                    ("sleep", "4713"))
    expect_equal(status, 143, log)
    expect("tidied" in log and took < 2.5, f"it took {took:.1f} s: {log}")


@case("SIGTERM ends a build while a layer is written, and nothing is")
def signal_while_writing(world):
    context, layout = world.context("FROM scratch\nCOPY large /\n"), world.new_directory("out") / "layout"
    with (context / "large").open("wb") as file:
        file.truncate(6 << 30)
    words = [f"--context={context}", f"--kaniko-dir={world.new_directory('work')}", "--no-push",
             f"--oci-layout-path={layout}"]
    process = world.start(words, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    time.sleep(1)
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    expect_equal((process.wait(60), (layout / "index.json").exists()), (143, False))
    expect(time.monotonic() - begin < 3, f"it took {time.monotonic() - begin:.1f} s")


@case("stages that do not need each other are built at the same time")
def parallel_stages(world):
    port = registry.free_port()
    build = world.build("FROM REGISTRY/busybox AS one\n"
                        f"RUN echo hello | timeout 20 nc -l -p {port}; touch /one\n"
                        "FROM REGISTRY/busybox AS two\n"
                        f"RUN for i in $(seq 100); do nc 127.0.0.1 {port} > /two && grep -q hello /two && exit 0; "
                        "sleep 0.1; done; exit 1\n"
                        "FROM scratch\nCOPY --from=one /one /\nCOPY --from=two /two /\n")
    expect_equal(build.image.text("/two"), "hello\n")


@case("a stage that fails ends the others")
def failing_stage(world):
    begin = time.monotonic()
    build = world.build(
        "FROM REGISTRY/busybox AS one\nRUN sleep 4714\nFROM REGISTRY/busybox AS two\nRUN sleep 1; exit 5\n"
        "FROM scratch\nCOPY --from=one / /\nCOPY --from=two / /\n")
    build.failed("Dockerfile:4: RUN sleep 1; exit 5", status=5)
    expect(time.monotonic() - begin < 6, "it waited for the other stage")
    expect_equal(processes("sleep", "4714"), [])


@case("a stage that nobody needs is not built")
def unneeded_stage(world):
    build = world.build("FROM REGISTRY/busybox AS unneeded\nRUN exit 1\nFROM REGISTRY/busybox\nRUN echo built\n")
    expect_equal(build.succeeded().out, "built\n")


@case("scripts that were copied with their mode can be run, by later stages too")
def copied_programs(world):
    build = world.build("FROM REGISTRY/busybox AS one\nCOPY tool /bin/tool\nRUN tool one > /o\n"
                        "FROM one\nRUN tool two >> /o\nFROM REGISTRY/busybox\nCOPY --from=1 /o /o\nRUN cat /o\n",
                        {"tool": File("#!/bin/sh\necho made by $1\n", 0o755)})
    expect_equal(build.succeeded().out, "made by one\nmade by two\n")


@case("several builds at once in one directory do not disturb each other")
def concurrent_builds(world):
    work = world.new_directory("work")
    text = "FROM REGISTRY/busybox\nARG number\nRUN echo $number > /o; sleep 0.3\nRUN cat /o\n"
    with concurrent.futures.ThreadPoolExecutor() as pool:
        builds = list(
            pool.map(lambda number: world.build(text, None, f"--build-arg=number={number}", work=work), range(4)))
    expect_equal([build.succeeded().out for build in builds], [f"{number}\n" for number in range(4)])
    expect_equal(left_in(work), [], "left in the work directory")


@case("a Dockerfile may have the line ends of Windows")
def carriage_returns(world):
    build = world.build("FROM REGISTRY/busybox\r\nENV A=b\r\nRUN echo one \\\r\n  $A\r\n")
    expect_equal(build.succeeded().out, "one b\n")


@case("the log can be JSON")
def json_log(world):
    build = world.build("FROM REGISTRY/busybox\nRUN true\n", None, "--log-format=json").succeeded()
    expect(all(re.match(r'\{.*"msg":.*\}$', line) for line in build.err.splitlines()), f"stderr is {build.err}")


if __name__ == "__main__":
    sys.exit(main())
