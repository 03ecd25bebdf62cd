"""What Tekton, Argo and drivers add to the containers of a pod."""
import json
import pathlib

from pod import Mount

BUSYBOX = pathlib.Path("/bin/busybox")
DRIVER_FILES = ("/lib/firmware/nvidia/570.86.15/gsp_ga10x.bin", "/lib/firmware/nvidia/570.86.15/gsp_tu10x.bin",
                "/usr/lib/x86_64-linux-gnu/libcuda.so.570.86.15", "/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.570.86.15",
                "/usr/bin/nvidia-smi", "/usr/bin/nvidia-persistenced")


def _folders(directory: pathlib.Path, *names: str, mode: int = 0o777) -> None:
    for name in names:
        (directory / name).mkdir(parents=True)
        (directory / name).chmod(mode)


def _program(path: pathlib.Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(BUSYBOX.read_bytes())
    path.chmod(0o755)


class Tekton:
    """The volumes that each TaskRun's pod has, for steps by their NAMES, in a new directory."""

    TERMINATION_LOG = "/tekton/termination"

    def __init__(self, directory: pathlib.Path, names: list[str], credentials: dict | None = None):
        self.directory, self.names = directory, names
        _folders(directory, "workspace", "bin", "home", "results", "artifacts", "creds", "steps", "downward")
        _program(directory / "bin/busybox")
        (directory / "downward/ready").write_text("READY")
        for index, name in enumerate(names):
            _folders(directory, f"run/{index}", f"run/{index}/status", f"run/{index}/status/results")
            for link in (str(index), f"step-{name}"):
                (directory / "steps" / link).symlink_to(f"/tekton/run/{index}/status")
        if credentials:
            (directory / "creds/.docker").mkdir()
            (directory / "creds/.docker/config.json").write_text(json.dumps(credentials))

    def mounts(self, index: int = 0) -> list[Mount]:
        """Those of a step. Only the first sees the downward API."""
        own = [Mount("/workspace", self.directory / "workspace")]
        own += [Mount(f"/tekton/{name}", self.directory / name) for name in ("home", "results", "artifacts", "creds")]
        own += [Mount(f"/tekton/{name}", self.directory / name, True) for name in ("bin", "steps")]
        own += [Mount(f"/tekton/run/{number}", self.directory / f"run/{number}", number != index)
                for number in range(len(self.names))]
        return own + ([Mount("/tekton/downward", self.directory / "downward", True)] if index == 0 else [])

    def wrapped(self, words: list[str], index: int = 0) -> list[str]:
        """The command of a container: Tekton's entrypoint starts the step, and writes a file when it has ended."""
        script = f'"$@"; status=$?; : > /tekton/run/{index}/out; exit $status'
        return ["/tekton/bin/busybox", "sh", "-c", script, "step", *words]


class Argo:
    """The volumes of a template's main container, in a new directory. argoexec is copied there by the init
    container."""

    def __init__(self, directory: pathlib.Path):
        self.own = directory / "var-run-argo"
        self.directory = directory
        _folders(directory, "var-run-argo", "staging", mode=0o755)
        _folders(directory, "var-run-argo/ctr/main", "inputs")
        _program(self.own / "busybox")
        (self.own / "template").write_text("{}")
        (directory / "staging/script").write_text("true\n")

    def mounts(self) -> list[Mount]:
        return [Mount("/var/run/argo", self.own), Mount("/argo/staging", self.directory / "staging"),
                Mount("/argo/inputs/artifacts", self.directory / "inputs")]

    @staticmethod
    def wrapped(words: list[str]) -> list[str]:
        """The command of the container: that program starts the template's, and writes how that ended."""
        script = '"$@"; status=$?; : > /var/run/argo/ctr/main/exitcode; exit $status'
        return ["/var/run/argo/busybox", "sh", "-c", script, "main", *words]


def driver_files(directory: pathlib.Path) -> list[Mount]:
    """What a GPU's runtime mounts: single files of the node, read-only, in directories of the image."""
    mounts = []
    for number, target in enumerate(DRIVER_FILES):
        (directory / f"driver{number}").write_text(target)
        mounts.append(Mount(target, directory / f"driver{number}", True))
    return mounts
