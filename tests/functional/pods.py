#!/usr/bin/env python3
"""Cairn's image under runc as pods run it: which mode it takes, and what a RUN can see."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import pod as pods  # noqa: E402
from registry import Registry  # noqa: E402

ROOT = pathlib.Path(os.environ["CAIRN_ROOT"])
PROGRAMS = pathlib.Path(os.environ["CAIRN_PROGRAMS"])
failures = 0

READ_ONLY = pods.Profile("a root that is read-only", capabilities=pods.DEFAULT_CAPABILITIES, seccomp=True,
                         read_only=True)
COPIES = "FROM {base}\nWORKDIR /app\nCOPY . .\nCOPY --chown=5:6 --chmod=600 a.txt /owned/\nENV A=b\n"


def case(name: str, check) -> None:
    global failures
    try:
        why_not = check() or ""
    except Exception:  # noqa: BLE001 a test that breaks has failed
        why_not = traceback.format_exc()
    failures += bool(why_not)
    print(f"not ok {name}: {why_not}" if why_not else f"ok {name}", flush=True)


class World:
    """The registry, the base image and Cairn's own unpacked image that all cases share."""

    def __init__(self, directory: pathlib.Path):
        self.directory = directory
        self.registry = Registry(directory)
        self.base = f"{self.registry.host}/library/busybox:latest"
        subprocess.run([str(ROOT / "scripts/busybox-base"), str(directory / "busybox")], check=True,
                       stdout=subprocess.DEVNULL)
        subprocess.run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{directory}/busybox",
                        f"docker://{self.base}"], check=True)
        self.rootfs = directory / "image/rootfs"
        subprocess.run(["umoci", "unpack", "--image", f"{ROOT}/out/cairn:latest", str(directory / "image")],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def build(self, profile: pods.Profile, dockerfile: str, *flags: str, volume: bool = True):
        """The finished process and the digest it reported."""
        name = f"context-{len(list(self.directory.glob('context-*')))}"
        context = self.directory / name
        (context / "sub").mkdir(parents=True)
        (context / "a.txt").write_text("a\n")
        (context / "sub/b.txt").write_text("b\n")
        (context / "Dockerfile").write_text(dockerfile.format(base=self.base))
        out = self.directory / f"{name}-out"
        work = self.directory / f"{name}-work"
        for made in (out, work):
            made.mkdir()
            os.chmod(made, 0o777)
        with pods.Pod(self.rootfs, self.directory, profile) as pod:
            pod.bind(context, "/workspace")
            pod.bind(out, "/kaniko/outputs")
            if volume:
                pod.bind(work, "/kaniko/work")
            done = pod.run(["/kaniko/executor", "--insecure", "--destination", f"{self.registry.host}/{name}:1",
                            "--digest-file", "/kaniko/outputs/digest", *flags])
        report = out / "digest"
        digest = report.read_text() if report.exists() else ""
        leftovers = list(work.iterdir())
        shutil.rmtree(work)
        if leftovers:
            raise AssertionError(f"left in the work directory: {leftovers}")
        return done, digest

    def close(self) -> None:
        self.registry.close()


def succeeded(done: subprocess.CompletedProcess) -> str:
    return "" if done.returncode == 0 else f"exit status {done.returncode}: {done.stderr[-1500:]}"


def takes(world: World, profile: pods.Profile, mode: str, volume: bool = True, flags: tuple[str, ...] = ()) -> str:
    done, _ = world.build(profile, "FROM {base}\nRUN echo hello\n", *flags, volume=volume)
    line = next((line for line in done.stderr.splitlines() if "Isolation:" in line), "")
    return succeeded(done) or ("" if f"Isolation: {mode}" in line else f"it says {line!r}")


def short_log(world: World) -> str:
    done, digest = world.build(pods.BASELINE, "FROM {base}\nRUN true\nRUN true\n")
    lines = [line for line in done.stderr.splitlines() if "solation" in line or "amespace" in line]
    if len(lines) != 1 or not re.fullmatch(r"INFO\[\d{4}\] Isolation: supervised", lines[0]) or "\x1b" in done.stderr:
        return f"it says {lines}"
    pushed = next((line for line in done.stderr.splitlines() if "Pushed" in line), "")
    if not re.fullmatch(rf".* Pushed {world.registry.host}/context-\d+:1@{digest}", pushed):
        return f"it says {pushed!r}"
    done, _ = world.build(pods.BASELINE, "FROM {base}\nRUN true\n", "--verbosity=debug")
    reasons = [
        line for line in done.stderr.splitlines() if "Not namespace with " in line and "create namespaces" in line
    ]
    return "" if len(reasons) == 2 else f"for debug it says {reasons}"


def read_only_root(world: World) -> str:
    done, _ = world.build(READ_ONLY, "FROM {base}\nRUN true\n", "--isolation=inplace")
    hint = "hint: set readOnlyRootFilesystem: false"
    if done.returncode != 1 or hint not in done.stderr or "Dockerfile:2" not in done.stderr:
        return f"exit status {done.returncode}: {done.stderr[-800:]}"
    return ""


def restricted_copy(world: World) -> str:
    done, digest = world.build(pods.RESTRICTED, COPIES, "--reproducible")
    reference, expected = world.build(pods.UNCONFINED, COPIES, "--reproducible")
    return (succeeded(done) or succeeded(reference)
            or ("" if digest == expected else f"digest {digest}, with more privilege {expected}"))


def restricted_run(world: World) -> str:
    done, digest = world.build(pods.RESTRICTED, "FROM {base}\nRUN echo hello\n")
    if done.returncode != 1 or digest:
        return f"exit status {done.returncode}, digest {digest!r}"
    return "" if "Dockerfile:2" in done.stderr and "root" in done.stderr else f"it says {done.stderr[-800:]}"


def hidden_credentials(world: World) -> str:
    dockerfile = (
        "FROM {base}\nRUN env && cat /proc/*/environ /kaniko/.docker/config.json 2>/dev/null | tr '\\0' '\\n'; "
        "true\n")
    for profile in (pods.UNCONFINED, pods.BASELINE):
        with pods.Pod(world.rootfs, world.directory, profile) as pod:
            context = world.directory / f"secret-{profile.seccomp}"
            context.mkdir()
            (context / "Dockerfile").write_text(dockerfile.format(base=world.base))
            pod.bind(context, "/workspace")
            done = pod.run(["/kaniko/executor", "--no-push"], environment={"CLOUD_KEY": "very-secret-value"})
        if problem := succeeded(done):
            return problem
        if "very-secret-value" in done.stdout + done.stderr:
            return f"{profile.name}: the executor's environment was readable"
    return ""


def few_processes(world: World, profile: pods.Profile) -> str:
    """Each build ends well, or with an error that says what is lacking; World.build() sees that nothing is left."""
    dockerfile = ("FROM {base} AS a\nRUN echo 1 > /one\nFROM {base}\nRUN echo 2 | cat > /two\n"
                  "COPY --from=a /one /one\nCOPY a.txt /\n")
    ends = {}
    for limit in (1, 2, 3, 4, 5, 6, 8, 12, 24):
        limited = pods.Profile(profile.name, capabilities=profile.capabilities, seccomp=profile.seccomp,
                               most_processes=limit)
        done, digest = world.build(limited, dockerfile)
        why = done.stderr[done.stderr.find("error: "):] if "error: " in done.stderr else ""
        # A shell that cannot fork ends with its own status.
        says = "Dockerfile:4: RUN " if done.returncode == 2 else "Resource temporarily unavailable"
        if done.returncode not in (0, 1, 2, 75) or (done.returncode and (digest or says not in why)):
            return f"with {limit} processes: exit status {done.returncode}, {digest!r}: {done.stderr[-800:]}"
        ends[limit] = done.returncode
    return "" if (ends[1], ends[24]) == (1, 0) else f"exit statuses by limit: {ends}"


def main() -> int:
    if os.geteuid() != 0 or shutil.which("runc") is None:
        print("skip pods: needs root and runc")
        return 0
    if not (ROOT / "out/cairn/index.json").exists():
        print("skip pods: scripts/image has not made out/cairn")
        return 0
    with tempfile.TemporaryDirectory(prefix="cairn-pods-") as name:
        world = World(pathlib.Path(name))
        try:
            case("without seccomp and with a volume a pod takes the overlay",
                 lambda: takes(world, pods.UNCONFINED, "namespace with overlay"))
            case("without a volume it takes a directory in a namespace",
                 lambda: takes(world, pods.UNCONFINED, "namespace with directory", volume=False))
            case("with the runtime's seccomp profile commands are supervised",
                 lambda: takes(world, pods.BASELINE, "supervised"))
            case("so they are without a volume",
                 lambda: takes(world, pods.BASELINE, "supervised", volume=False))
            case("and under namespaces' own profile when that is asked for, or in place",
                 lambda: takes(world, pods.UNCONFINED, "supervised", flags=("--isolation=supervised",))
                 or takes(world, pods.BASELINE, "in place", flags=("--isolation=inplace",)))
            case("the log has a short line on the isolation, names tags and uses no colours; reasons are for debug",
                 lambda: short_log(world))
            case("where the root is read-only, commands are supervised on the volume",
                 lambda: takes(world, READ_ONLY, "supervised"))
            case("and a RUN in place is refused with a hint that names the setting", lambda: read_only_root(world))
            case("a restricted pod builds from copies", lambda: restricted_copy(world))
            case("a restricted pod refuses a RUN and names its line", lambda: restricted_run(world))
            for where, profile in (("supervised", pods.BASELINE), ("in namespaces", pods.UNCONFINED)):
                case(f"a pod that may have few processes builds {where} with fewer threads, or the error says so",
                     lambda profile=profile: few_processes(world, profile))
            case("a RUN cannot read the executor's environment", lambda: hidden_credentials(world))
        finally:
            world.close()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
