"""What the tests of the executor share: cases, a registry with a base image, builds and what came of them."""
import concurrent.futures
import contextlib
import dataclasses
import functools
import itertools
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(os.environ.get("CAIRN_ROOT", pathlib.Path(__file__).resolve().parents[2]))
# The mode of commands that have a root of their own, for cases that do not care how it is made.
ROOTED = os.environ.get("CAIRN_ISOLATION", "namespace")
sys.path.insert(0, str(ROOT / "tests/support"))

import built_image  # noqa: E402
import pod  # noqa: E402
import registry  # noqa: E402
import tar_layers  # noqa: E402

BASE = "REGISTRY/busybox"  # in Dockerfiles: the base image, wherever the registry is
CASES = []


class Skip(Exception):
    """This machine lacks what a case needs."""


def case(name: str):
    """Registers a function as the case NAME, a sentence. It takes the World and raises when it fails."""
    def register(function):
        CASES.append((name, function))
        return function
    return register


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def expect_equal(found, wanted, what: str = "") -> None:
    if found != wanted:
        raise AssertionError(f"{what + ': ' if what else ''}expected {wanted!r}, found {found!r}")


@dataclasses.dataclass
class File:
    """A file of a context that is more than its content."""

    content: str | bytes = ""
    mode: int = 0o644
    mtime: float | None = None


@dataclasses.dataclass
class Link:
    target: str


def write_tree(directory: pathlib.Path, files: dict) -> None:
    """Writes {path: text, bytes, File or Link}; a path that ends with "/" is an empty directory."""
    for name, content in files.items():
        path = directory / name
        if name.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
            continue
        file = content if isinstance(content, File) else File(content)
        path.write_bytes(file.content.encode() if isinstance(file.content, str) else file.content)
        path.chmod(file.mode)
        if file.mtime is not None:
            os.utime(path, (file.mtime, file.mtime))


def left_in(work: pathlib.Path) -> list[str]:
    """What a build left in its --kaniko-dir: nothing but the folder for builds should be there."""
    return sorted(str(path.relative_to(work)) for path in work.rglob("*") if path != work / "work")


def at_once(count: int, function) -> list:
    """What FUNCTION returns, called in COUNT threads at the same time."""
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(function) for _ in range(count)]]


def processes(*words: str) -> list[int]:
    """The processes whose command line is exactly WORDS."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_bytes() == b"".join(word.encode() + b"\0" for word in words):
                found.append(int(path.parent.name))
    return found


@dataclasses.dataclass
class Build:
    """What one run of the executor did."""

    status: int
    out: str
    err: str
    layout: pathlib.Path
    work: pathlib.Path  # the executor's --kaniko-dir
    peak: int = 0       # bytes of memory at most, where that was measured

    @functools.cached_property
    def image(self) -> built_image.Image:
        self.succeeded()
        return built_image.Image(self.layout)

    @property
    def said(self) -> str:
        return f"exit status {self.status}: {(self.out + self.err).strip()[-1500:]}"

    @property
    def error(self) -> str:
        """The error with its detail: all that follows the log."""
        return self.err[self.err.find("error: "):] if "error: " in self.err else ""

    def succeeded(self) -> "Build":
        expect(self.status == 0, self.said)
        return self

    def failed(self, *texts: str, status: int = 1) -> "Build":
        """Failed with STATUS, a message that holds all TEXTS and fits on a screen, and left nothing behind."""
        expect(self.status == status, f"expected exit status {status}, got {self.said}")
        for text in texts:
            expect(text in self.error, f"the error does not hold {text!r}: {self.said}")
        lines = (self.out + self.err).splitlines()
        expect(len(lines) <= 30, f"{len(lines)} lines of output: {self.said}")
        expect(not (self.layout / "index.json").exists(), f"the layout has an index: {self.said}")
        expect_equal(left_in(self.work), [], "left in the work directory")
        return self


class World:
    """One test program's temporary directory, registry and way to the executor."""

    def __init__(self, directory: pathlib.Path, server: registry.Registry):
        self.directory, self.registry, self.host = directory, server, server.host
        self._numbers = itertools.count(1)
        self.is_root = os.geteuid() == 0
        self.program = pathlib.Path(os.environ["CAIRN_PROGRAMS"]) / "executor"
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.new_directory("home"))}

    @functools.cached_property
    def _why_no_namespaces(self) -> str:
        words = ["unshare", "--mount", "--pid", "--fork", *([] if self.is_root else ["--map-root-user"]), "true"]
        return subprocess.run(words, capture_output=True, text=True, check=False).stderr.strip()

    def need_namespaces(self) -> None:
        if self._why_no_namespaces:
            raise Skip(f"no namespaces here: {self._why_no_namespaces}")

    def new_name(self, name: str) -> str:
        """A name for a repository or a file that nobody has used."""
        return f"{name}{next(self._numbers)}"

    def new_directory(self, name: str = "d") -> pathlib.Path:
        return pathlib.Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.directory))

    def push(self, name: str, *layers: list, **how) -> str:
        """Puts an image with busybox and LAYERS, lists of entries, into the registry; its manifest's digest."""
        tars = [tar_layers.busybox(), *(tar_layers.tar(layer) for layer in layers)]
        return tar_layers.push(self.host, name, tar_layers.Image(tars, **how))

    def context(self, dockerfile: str | None, files: dict | None = None) -> pathlib.Path:
        directory = self.new_directory("context")
        if dockerfile is not None:
            write_tree(directory, {"Dockerfile": dockerfile.replace("REGISTRY/", f"{self.host}/")})
        write_tree(directory, files or {})
        return directory

    def build(self, dockerfile: str | None, files: dict | None = None, *flags: str,
              context: pathlib.Path | str | None = None, work: pathlib.Path | None = None,
              isolation: str = ROOTED, outputs: tuple[str, ...] | None = None, **how) -> Build:
        """Builds a Dockerfile in a context of FILES into an OCI layout, or to OUTPUTS, flags that say where to."""
        if isolation == "namespace":
            self.need_namespaces()
        context = context or self.context(dockerfile, files)
        layout, work = self.new_directory("out") / "layout", work or self.new_directory("work")
        if outputs is None:
            outputs = ("--no-push", f"--oci-layout-path={layout}")
        words = [f"--context={context}", f"--kaniko-dir={work}", f"--isolation={isolation}", *outputs, *flags]
        status, out, err, peak = self.execute(words, **how)
        return Build(status, out, err, layout, work, peak)

    def build_in_place(self, dockerfile: str, files: dict | None = None, *flags: str, **how) -> Build:
        return self.build_in_pod("inplace", dockerfile, files, *flags, **how)

    def build_in_pod(self, isolation: str, dockerfile: str, files: dict | None = None, *flags: str,
                     binds: dict[str, pathlib.Path] | None = None, environment: dict | None = None) -> Build:
        """The same in a pod that refuses namespaces; BINDS are further volumes of the pod."""
        outputs, work = self.new_directory("out"), self.new_directory("work")
        work.chmod(0o777)  # as an emptyDir is
        with pod.Pod(self._cairn, self.directory, pod.BASELINE) as container:
            container.bind(self.context(dockerfile, files), "/workspace")
            container.bind(outputs, "/kaniko/outputs")
            container.bind(work, "/kaniko/work")
            for target, source in (binds or {}).items():
                container.bind(source, target)
            done = container.run(["/kaniko/executor", f"--isolation={isolation}", "--no-push",
                                  "--oci-layout-path=/kaniko/outputs/layout", *flags], environment=environment or {})
        return Build(done.returncode, done.stdout, done.stderr, outputs / "layout", work)

    @functools.cached_property
    def _cairn(self) -> pathlib.Path:
        """The root file system of Cairn's own image."""
        if not self.is_root or shutil.which("runc") is None:
            raise Skip("needs root and runc")
        if not (ROOT / "out/cairn/index.json").exists():
            raise Skip("scripts/image has not made out/cairn")
        bundle = self.directory / "cairn"
        subprocess.run(["umoci", "unpack", "--image", f"{ROOT}/out/cairn:latest", str(bundle)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return bundle / "rootfs"

    def files_only(self, dockerfile: str, files: dict | None = None, *flags: str, **how) -> Build:
        """A build of which nothing may need a place to run commands in."""
        return self.build(dockerfile, files, *flags, isolation="none", **how)

    def refused(self, dockerfile: str | None, files: dict | None = None, *flags: str, texts: tuple[str, ...] = (),
                status: int = 1, isolation: str = "none", **how) -> Build:
        """A build that must fail as Build.failed() says, and push no tag and write no digest file."""
        repository = self.new_name("never")
        digest_file = self.directory / f"{repository}.digest"
        layout = self.directory / f"{repository}.layout"
        outputs = (f"--destination={self.host}/{repository}:1", f"--digest-file={digest_file}",
                   f"--oci-layout-path={layout}")
        build = self.build(dockerfile, files, *flags, outputs=outputs, isolation=isolation, **how)
        dataclasses.replace(build, layout=layout).failed(*texts, status=status)
        expect(not digest_file.exists(), f"a digest file was written: {build.said}")
        expect_equal(self.tags(repository), [], "tags that were pushed")
        return build

    def start(self, words: list, environment: dict | None = None, before: list | None = None,
              **how) -> subprocess.Popen:
        """The executor as a process; BEFORE are words of a command that starts it."""
        command = [*map(str, before or []), str(self.program), *map(str, words)]
        return subprocess.Popen(command, env={**self.environment, **(environment or {})}, cwd=self.directory,
                                **how)

    def execute(self, words: list, environment: dict | None = None, timeout: float = 180, measure: bool = False,
                **how) -> tuple[int, str, str, int]:
        """Runs the executor: exit status, stdout, stderr, and with MEASURE the peak of its memory."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.start(words, environment, stdout=out, stderr=err, **{"stdin": subprocess.DEVNULL, **how})
            peak = watch_memory(process, timeout) if measure else 0
            if not ends(process, timeout):
                process.kill()
                process.wait()
                raise AssertionError(f"not finished after {timeout:.0f} seconds: {words}")
            process.wait()
            texts = []
            for stream in (out, err):
                stream.seek(0)
                texts.append(stream.read().decode(errors="replace"))
        return process.returncode, *texts, peak

    def credentials(self, host: str, user: str, password: str) -> dict[str, str]:
        """The environment with a config.json that holds a credential."""
        folder = self.new_directory("docker")
        write_tree(folder, {"config.json": json.dumps({"auths": {host: {"username": user, "password": password}}})})
        return {"DOCKER_CONFIG": str(folder)}

    def tags(self, repository: str, host: str | None = None) -> list[str]:
        """The tags of a repository, none when it does not exist."""
        try:
            return json.loads(registry.get(host or self.host, f"/v2/{repository}/tags/list"))["tags"] or []
        except RuntimeError:
            return []

    def manifest(self, name: str, host: str | None = None) -> bytes:
        repository, _, tag = name.partition(":")
        return registry.get(host or self.host, f"/v2/{repository}/manifests/{tag}")


def ends(process: subprocess.Popen, timeout: float) -> bool:
    """Whether a process ends within TIMEOUT seconds: it is told at once, which subprocess looks for now and then."""
    descriptor = os.pidfd_open(process.pid)
    try:
        return bool(select.select([descriptor], [], [], timeout)[0])
    finally:
        os.close(descriptor)


def watch_memory(process: subprocess.Popen, timeout: float) -> int:
    """The high water mark of a process's memory in bytes, looked at until it ends."""
    peak, end = 0, time.monotonic() + timeout
    while not ends(process, 0.005) and time.monotonic() < end:
        with contextlib.suppress(OSError, IndexError):
            status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
            peak = max(peak, int(status.split("VmHWM:")[1].split()[0]) * 1024)
    return peak


@contextlib.contextmanager
def closed_registry(world: World, user: str, password: str, **how):
    """A registry that wants a password; HOW is of registry.Registry."""
    directory = world.new_directory("closed")
    passwords = subprocess.run(["htpasswd", "-Bbn", user, password], check=True, capture_output=True).stdout
    (directory / "htpasswd").write_bytes(passwords)
    auth = f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n"
    with contextlib.closing(registry.Registry(directory, auth=auth, **how)) as server:
        yield server


@contextlib.contextmanager
def make_world():
    with tempfile.TemporaryDirectory(prefix="cairn-test-") as name, contextlib.ExitStack() as stack:
        directory = pathlib.Path(name)
        server = stack.enter_context(contextlib.closing(registry.Registry(directory)))
        world = World(directory, server)
        world.push("busybox")
        yield world


def run_case(name: str, function, world: World) -> bool:
    try:
        function(world)
        print(f"ok {name}", flush=True)
        return True
    except Skip as skip:
        print(f"skip {name}: {skip}", flush=True)
        return True
    except Exception as error:  # pylint: disable=broad-except
        why = str(error).replace("\n", " | ") or type(error).__name__
        print(f"not ok {name}: {why}", flush=True)
        if not isinstance(error, AssertionError):
            traceback.print_exc(file=sys.stdout)
        return False


def main() -> int:
    """Runs the cases whose names hold the program's argument, all without one."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    cases = [(name, function) for name, function in CASES if wanted in name]
    if registry.PROGRAM is None or not tar_layers.BUSYBOX.exists():
        for name, _ in cases:
            print(f"skip {name}: docker-registry or busybox-static is not installed")
        return 0
    with make_world() as world:
        results = [run_case(name, function, world) for name, function in cases]
    return 0 if all(results) else 1
