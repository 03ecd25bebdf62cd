#!/usr/bin/env python3
"""A real distribution: packages are installed, a program is compiled and copied into an empty image, which runs; and
the caches of apt and of the compiler are there for the next build, but in no image."""
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import bases  # noqa: E402
import built_image  # noqa: E402
import pod as pods  # noqa: E402
from registry import Registry  # noqa: E402

ROOT = pathlib.Path(os.environ["CAIRN_ROOT"])
EXECUTOR = pathlib.Path(os.environ["CAIRN_PROGRAMS"]) / "executor"
DOCKERFILE = """\
FROM {base} AS build
RUN echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' > /etc/apt/apt.conf.d/keep-cache
RUN --mount=type=cache,target=/var/cache/apt,sharing=locked --mount=type=cache,target=/var/lib/apt,sharing=locked \\
    echo "$(ls /var/cache/apt/archives/*.deb 2>/dev/null | wc -l) packages in the cache" && \\
    apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev ccache
ENV CCACHE_DIR=/ccache
COPY hello.c /src/
RUN --mount=type=cache,target=/ccache,id=compiler ccache -z > /dev/null && \\
    ccache gcc -O2 -c -o /hello.o /src/hello.c && gcc -static -o /hello /hello.o && \\
    ccache --print-stats | grep -w direct_cache_hit
FROM scratch
COPY --from=build /hello /hello
ENTRYPOINT ["/hello"]
"""
PROGRAM = '#include <stdio.h>\nint main(void) { puts("hello from a built image"); return 0; }\n'
SUDO = """\
FROM {base}
RUN apt-get update && apt-get install -y --no-install-recommends sudo && useradd jenkins && useradd other && \\
    echo 'jenkins ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/jenkins
RUN grep -c '^Log ended' /var/log/apt/term.log
COPY ids.pl /
RUN perl /ids.pl
USER jenkins
RUN whoami && sudo whoami && sudo apt-get install -y --no-install-recommends netbase > /tmp/apt.log 2>&1 && \\
    test -f /etc/services && sudo sh -c 'echo $(whoami) for $SUDO_USER' && sudo -u _apt whoami
USER other
RUN sudo -n whoami 2> /dev/null || echo not allowed
"""
IDS = """\
$) = 5; $> = 33;
print "$< $> $( $)\\n"; system("id", "-nu"); system("id", "-nru");
open F, ">", "/tmp/x"; print +(stat "/tmp/x")[4, 5], "\\n"; open G, "<", "/etc/shadow" or print "refused\\n";
open S, "<", "/proc/$$/status"; print grep /^[UG]id/, <S>;
$> = 0; open G, "<", "/etc/shadow" and print "$> again\\n"; print readlink("/proc/self/exe"), "\\n";
"""
failures = 0


def case(name: str, check) -> None:
    global failures
    try:
        why_not = check() or ""
    except Exception:  # noqa: BLE001 a test that breaks has failed
        why_not = traceback.format_exc()
    failures += bool(why_not)
    print(f"not ok {name}: {why_not}" if why_not else f"ok {name}", flush=True)


class World:
    def __init__(self, directory: pathlib.Path, layout: pathlib.Path):
        self.directory = directory
        self.registry = Registry(directory)
        self.base = f"{self.registry.host}/library/debian:12"
        subprocess.run(["skopeo", "copy", "--quiet", "--dest-tls-verify=false", f"oci:{layout}:12",
                        f"docker://{self.base}"], check=True)
        self.context = directory / "context"
        self.context.mkdir()
        (self.context / "Dockerfile").write_text(DOCKERFILE.format(base=self.base))
        (self.context / "hello.c").write_text(PROGRAM)

    def in_namespaces(self, *flags: str) -> subprocess.CompletedProcess:
        return subprocess.run([str(EXECUTOR), "--context", str(self.context), "--isolation=namespace",
                               "--kaniko-dir", str(self.directory / "kaniko"),
                               "--cache-dir", str(self.cache("namespaces")), *flags],
                              text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def in_pod(self, isolation: str, *flags: str) -> subprocess.CompletedProcess:
        """In a pod with the runtime's seccomp profile."""
        rootfs = self.directory / "cairn/rootfs"
        if not rootfs.exists():
            subprocess.run(["umoci", "unpack", "--image", f"{ROOT}/out/cairn:latest", str(rootfs.parent)],
                           check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with pods.Pod(rootfs, self.directory, pods.BASELINE) as pod:
            pod.bind(self.context, "/workspace")
            pod.bind(self.cache(isolation), "/cache")
            pod.empty("/kaniko/work")
            return pod.run(["/kaniko/executor", f"--isolation={isolation}", *flags], timeout=800)

    def cache(self, name: str) -> pathlib.Path:
        path = self.directory / f"cache-{name}"
        path.mkdir(exist_ok=True)
        return path

    def layers_of(self, name: str) -> list[built_image.Layer]:
        """What a pushed image has above its base."""
        layout = self.directory / f"{name}-layout"
        subprocess.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false",
                        f"docker://{self.registry.host}/{name}:1", f"oci:{layout}:1"], check=True)
        return built_image.Image(layout).layers[1:]

    def output_of(self, name: str) -> str:
        """What the pushed image prints when runc runs it."""
        layout, bundle = self.directory / f"{name}-layout", self.directory / f"{name}-bundle"
        subprocess.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false",
                        f"docker://{self.registry.host}/{name}:1", f"oci:{layout}:1"], check=True)
        subprocess.run(["umoci", "unpack", "--image", f"{layout}:1", str(bundle)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with pods.Pod(bundle / "rootfs", self.directory, pods.UNCONFINED) as pod:
            return pod.run(["/hello"], cwd="/").stdout


def builds_and_runs(world: World, build, name: str, mode: str) -> str:
    done = build("--destination", f"{world.registry.host}/{name}:1")
    if done.returncode != 0:
        return f"exit status {done.returncode}: {done.stderr[-1500:]}"
    if f"Isolation: {mode}" not in done.stderr:
        return f"not on the mode '{mode}': {done.stderr[:400]}"
    if "0 packages in the cache" not in done.stdout or "direct_cache_hit\t0" not in done.stdout:
        return f"there were caches already: {done.stdout[-1000:]}"
    printed = world.output_of(name)
    return "" if printed == "hello from a built image\n" else f"it printed {printed!r}"


def becomes_root(world: World) -> str:
    (world.context / "ids.pl").write_text("$| = 1;\n" + IDS)
    (world.context / "Dockerfile.sudo").write_text(SUDO.format(base=world.base))
    done = world.in_pod("supervised", "--no-push", "--dockerfile=Dockerfile.sudo")
    if done.returncode != 0:
        return f"exit status {done.returncode}: {done.stderr[-1500:]}"
    lines = done.stdout.splitlines()
    wanted = ["1", "0 33 0 0 5 0", "www-data", "root", "335", "refused", "Uid:\t0\t33\t0\t33", "Gid:\t0\t5\t0\t5",
              "0 again", "/usr/bin/perl", "jenkins", "root", "root for jenkins", "_apt", "not allowed"]
    return "" if lines[-len(wanted):] == wanted else f"it printed {lines[-len(wanted):]}"


def finds_its_caches(world: World, build, name: str) -> str:
    done = build("--destination", f"{world.registry.host}/{name}:1", "--target=build")
    if done.returncode != 0:
        return f"exit status {done.returncode}: {done.stderr[-1500:]}"
    if "\n0 packages in the cache" in f"\n{done.stdout}" or "direct_cache_hit\t1" not in done.stdout:
        return f"no packages, or nothing of the compiler: {done.stdout[-1500:]}"
    places = ("/ccache", "/var/cache/apt/", "/var/lib/apt/")
    traces = [path for layer in world.layers_of(name) for path in layer.names if path.startswith(places)]
    return f"in the image: {traces[:5]}" if traces else ""


def main() -> int:
    if os.geteuid() != 0 or not all(map(shutil.which, ("runc", "debootstrap", "umoci", "skopeo"))):
        print("skip debian: needs root, runc, debootstrap, umoci and skopeo")
        return 0
    if not (ROOT / "out/cairn/index.json").exists():
        print("skip debian: scripts/image has not made out/cairn")
        return 0
    with tempfile.TemporaryDirectory(prefix="cairn-debian-") as name:
        directory = pathlib.Path(name)
        try:
            layout = bases.debian()
        except bases.CannotMake as problem:
            print(f"skip debian: no base can be made here: {str(problem)!r}")
            return 0
        world = World(directory, layout)
        try:
            case("apt-get, gcc and a second stage work in namespaces, and the result runs",
                 lambda: builds_and_runs(world, world.in_namespaces, "namespaces", "namespace with overlay"))
            case(
                "the caches of apt and of the compiler are there for the next build in namespaces, and not in the "
                "image",
                lambda: finds_its_caches(world, world.in_namespaces, "cached-namespaces"))
            for isolation, mode in (("auto", "supervised"), ("inplace", "in place")):
                build = functools.partial(world.in_pod, isolation)
                case(f"apt-get, gcc and a second stage work {mode}, and the result runs",
                     lambda: builds_and_runs(world, build, isolation, mode))
                case(f"the caches of apt and of the compiler are there for the next build {mode}, and not in the image",
                     lambda: finds_its_caches(world, build, f"cached-{isolation}"))
            case("sudo works after USER, and root may assume ids, where commands are supervised",
                 lambda: becomes_root(world))
        finally:
            world.registry.close()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
