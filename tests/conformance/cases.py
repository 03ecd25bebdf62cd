"""Builds that have a known result: what one case asks for, how Cairn is started for it, and what came out."""
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import pod as pods  # noqa: E402

MODES = ("namespace", "supervised", "inplace")
IN_PODS = MODES[1:]
TIMEOUT = 180  # seconds for one build
IN_POD = pathlib.PurePath("/workspace")


@dataclasses.dataclass
class Result:
    """What came of one case or row: RESULT is "passed", "failed" or "skipped"."""

    name: str
    mode: str
    result: str
    detail: str = ""


@dataclasses.dataclass
class Builder:
    """What every case needs: the executor, the root that it has in a pod, the layouts of base images by name."""

    program: pathlib.Path
    rootfs: pathlib.Path | None
    bases: dict[str, pathlib.Path]
    registry: str  # where pods find the bases
    compare: pathlib.Path
    directory: pathlib.Path

    def in_namespaces(self, place: pathlib.Path, flags: list[str]) -> subprocess.CompletedProcess:
        environment = {"PATH": os.environ["PATH"], "HOME": str(place)}
        words = [str(self.program), "--isolation=namespace", f"--kaniko-dir={place}/kaniko", *flags]
        return subprocess.run(words, cwd=place, env=environment, text=True, errors="replace", timeout=TIMEOUT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)

    def in_pod(self, mode: str, place: pathlib.Path, flags: list[str]) -> subprocess.CompletedProcess:
        """One container each: in place the base is unpacked over the container's own root."""
        with pods.Pod(self.rootfs, self.directory, pods.BASELINE) as pod:
            pod.bind(place, str(IN_POD))
            pod.empty("/kaniko/work")
            return pod.run(["/kaniko/executor", f"--isolation={mode}", *flags], timeout=TIMEOUT)

    def base_in(self, mode: str, name: str) -> str:
        """What stands for a base image in --build-context."""
        return f"docker-image://{self.registry}/{name}" if mode in IN_PODS else f"oci-layout://{self.bases[name]}"


class Case:
    """A folder of cases/: README.md of the data says what its files mean."""

    def __init__(self, folder: pathlib.Path):
        self.folder, self.name = folder, folder.name
        self.spec = json.loads((folder / "case.json").read_text())
        self.fails = self.spec["expect"] != "ok"

    def _context(self, target: pathlib.Path) -> None:
        target.mkdir()
        if (self.folder / "context.tar").exists():
            unpack(self.folder / "context.tar", target)
        elif (self.folder / "context").is_dir():
            copy_writable(self.folder / "context", target)

    def _named_context(self, place: pathlib.Path, name: str, how: str | dict) -> str:
        """What follows NAME= in --build-context, below PLACE when it is a directory."""
        if isinstance(how, str):
            if "://" in how:
                return how
            how = {"type": "local", "path": how}
        if how["type"] == "image":
            return f"docker-image://{how['ref']}"
        source, target = self.folder / how["path"], place / f"contexts/{name.replace('/', '_')}"
        target.mkdir(parents=True)
        if source.is_dir():
            copy_writable(source, target)
        else:
            unpack(source, target)
        return f"PLACE/{target.relative_to(place)}"

    def prepare(self, place: pathlib.Path, bases: dict[str, str]) -> list[str]:
        """Writes what the build reads to PLACE; the flags, with "PLACE/" in paths. BASES: where each base image is.
        @raises ValueError for what no flag can say"""
        spec = self.spec
        self._context(place / "context")
        dockerfile = f"PLACE/context/{spec['dockerfile']}"
        if not spec["dockerfile_in_context"]:
            shutil.copy(self.folder / spec["dockerfile"], place / "Dockerfile")
            dockerfile = "PLACE/Dockerfile"
        flags = ["--context=PLACE/context", f"--dockerfile={dockerfile}", "--no-push", "--log-format=text",
                 "--oci-layout-path=PLACE/out/layout"]
        flags += [f"--build-arg={name}={value}" for name, value in (spec.get("build_args") or {}).items()]
        flags += [f"--label={name}={value}" for name, value in (spec.get("labels") or {}).items()]
        if spec.get("target"):
            flags.append(f"--target={spec['target']}")
        if spec.get("platform"):
            flags.append(f"--custom-platform={spec['platform']}")
        contexts = {name: self._named_context(place, name, how)
                    for name, how in (spec.get("build_contexts") or {}).items()}
        for name, where in bases.items():
            repository = name.partition(":")[0]
            same = [other for other in spec.get("bases") or [] if other.partition(":")[0] == repository]
            contexts = {spelling: where for base in (name, *same) for spelling in spellings(base)} | contexts
        flags += [f"--build-context={name}={source}" for name, source in contexts.items()]
        return [*flags, *self._secrets(place), *option_flags(spec.get("options") or {})]

    def _secrets(self, place: pathlib.Path) -> list[str]:
        flags = []
        for number, (name, value) in enumerate((self.spec.get("secrets") or {}).items()):
            path = place / f"secrets/{number}"
            path.parent.mkdir(exist_ok=True)
            path.write_text(value)
            flags.append(f"--secret=id={name},src=PLACE/secrets/{number}")
        return flags


def spellings(base: str) -> list[str]:
    """How Dockerfiles may name an image of Docker Hub; the recorded results are those of one base whatever its tag."""
    repository, _, tag = base.partition(":")
    names = [base, f"library/{base}", f"docker.io/{base}", f"docker.io/library/{base}"]
    return names + [name.rpartition(":")[0] for name in names if tag == "latest"]


def option_flags(options: dict[str, str]) -> list[str]:
    """Options of BuildKit's frontend as Cairn's flags."""
    flags = []
    for name, value in options.items():
        if name == "hostname":
            flags.append(f"--hostname={value}")
        elif name == "add-hosts":  # "one=10.0.0.1,two=10.0.0.2"
            flags += [f"--add-host={host.replace('=', ':', 1)}" for host in value.split(",")]
        else:
            raise ValueError(f"no flag for the option {name}={value}")
    return flags


def unpack(archive: pathlib.Path, target: pathlib.Path) -> None:
    subprocess.run(["tar", "--xattrs", "--xattrs-include=*", "-xpf", str(archive), "-C", str(target)], check=True,
                   stderr=subprocess.DEVNULL)


def copy_writable(source: pathlib.Path, target: pathlib.Path) -> None:
    """The data may be read-only; modes other than 0644 and 0755 come as archives."""
    shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)
    subprocess.run(["chmod", "-R", "u+w", str(target)], check=True)


def last_error(done: subprocess.CompletedProcess) -> str:
    lines = done.stderr.strip().splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    return (errors or lines or [""])[-1]


def differences(builder: Builder, case: Case, layout: pathlib.Path) -> str:
    words = [sys.executable, str(builder.compare), str(case.folder), str(layout), "--strict",
             "--cache", str(builder.directory / "compared")]
    for name, base in builder.bases.items():
        words += ["--base", f"{name}={base}"]
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return "" if done.returncode == 0 else (done.stdout + done.stderr).strip() or f"exit status {done.returncode}"


def run(builder: Builder, case: Case, mode: str) -> Result:
    result = Result(case.name, mode, "failed")
    with tempfile.TemporaryDirectory(prefix=f"{mode}-", dir=builder.directory) as name:
        place = pathlib.Path(name)
        place.chmod(0o755)
        try:
            flags = case.prepare(place, {base: builder.base_in(mode, base) for base in builder.bases})
            if mode in IN_PODS:
                done = builder.in_pod(mode, place, [flag.replace("PLACE/", f"{IN_POD}/") for flag in flags])
            else:
                done = builder.in_namespaces(place, [flag.replace("PLACE/", f"{place}/") for flag in flags])
        except (ValueError, OSError, subprocess.SubprocessError) as problem:
            result.detail = f"{type(problem).__name__}: {problem}"[:500]
            return result
        said = last_error(done).replace(f"{place}/", "").replace(f"{IN_POD}/", "")
        if case.fails:
            # A crash is no refusal: an error has a message.
            refused = done.returncode > 0 and said.startswith("error: ")
            result.result, result.detail = ("passed" if refused else "failed"), said
            if done.returncode == 0:
                expected = json.loads((case.folder / "expected.json").read_text())
                result.detail = f"built, where BuildKit said: {expected.get('error')}"
        elif done.returncode != 0:
            result.detail = f"exit status {done.returncode}: {said}"
        else:
            result.detail = differences(builder, case, place / "out/layout")
            result.result = "failed" if result.detail else "passed"
    return result
