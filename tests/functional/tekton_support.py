"""Runs of Tekton's Tasks."""
import contextlib
import json

from support import Skip, expect, expect_equal, write_tree

import container_support as containers
import git_servers
import manifests
import tar_layers
import tekton


class TaskRun:
    """A pod of Tekton's: what its entrypoint, its volumes and its credentials look like to the steps."""

    def __init__(self, world, task: str | dict, params: dict | None = None, workspaces: dict | None = None,
                 credentials: dict | None = None, runtime_default: bool = True):
        self.world, self.runtime_default = world, runtime_default
        document = manifests.tasks()[task] if isinstance(task, str) else task
        self.task = tekton.Rendered(document, params, workspaces, manifests.step_actions())
        self.volumes = containers.Volumes(world)
        self.statuses: list[int] = []
        self.said = ""
        self.out = world.new_directory("tekton")
        folders = ("bin/", "run/0/", "results/", "steps/", "home/", "creds/")
        write_tree(self.out, {**dict.fromkeys(folders), "downward/ready": "READY"})
        for name in ("run", "run/0", "results", "steps", "home", "creds"):
            (self.out / name).chmod(0o777)
        (self.out / "bin/busybox").write_bytes(tar_layers.BUSYBOX.read_bytes())
        (self.out / "bin/busybox").chmod(0o755)
        if credentials:
            write_tree(self.out, {"creds/.docker/config.json": json.dumps(credentials)})

    def run(self) -> "TaskRun":
        fixed = {name: containers.fingerprint(self.out / name) for name in ("bin", "downward", "creds")}
        for step in self.task.steps():
            folder = self.out / f"steps/step-{step.name}/results"
            folder.mkdir(parents=True)
            folder.chmod(0o777)
            mounts = [tekton.Mount(f"/tekton/{path.name}", path, path.name in ("bin", "downward")) for path in
                      sorted(self.out.iterdir())] + step.mounts
            # Tekton's entrypoint starts the step, and writes a file when it has ended.
            script = '"$@"; status=$?; : > /tekton/run/0/out; exit $status'
            done = containers.run(self.world, ["/tekton/bin/busybox", "sh", "-c", script, "step", *step.words],
                                  security=step.security, environment=step.environment, directory=step.directory,
                                  mounts=mounts, volumes=self.volumes, runtime_default=self.runtime_default)
            self.statuses.append(done.returncode)
            self.said += done.stdout + done.stderr
            if done.returncode != 0:
                break
        expect_equal({name: containers.fingerprint(self.out / name) for name in fixed}, fixed, "Tekton's own files")
        expect((self.out / "run/0/out").exists(), f"the entrypoint could not go on: {self.said[-1500:]}")
        return self

    def succeeded(self) -> "TaskRun":
        self.run()
        expect(self.statuses[-1] == 0, f"exit status {self.statuses[-1]}: {self.said[-2500:]}")
        return self

    @property
    def files(self) -> dict[str, str]:
        return {f"/tekton/{path.relative_to(self.out)}": path.read_text() for folder in ("results", "steps")
                for path in (self.out / folder).rglob("*") if path.is_file()}

    def results(self) -> dict[str, str]:
        found = {name: self.task.result(name, self.files) for name in tekton.names(self.task.spec["results"])}
        tekton.termination_message(found)
        expect(not any("\n" in value for value in found.values()), f"a newline in {found}")
        return found


def build(world, dockerfile: str, params: dict | None = None, task: str = "cairn", workspaces: dict | None = None,
          **how) -> TaskRun:
    """A TaskRun that builds to a repository of its own, params["IMAGE"] unless it is given."""
    params = {"IMAGE": f"{world.host}/{world.new_name('app')}:1", **(params or {})}
    return TaskRun(world, task, params, {"source": containers.source(world, dockerfile), **(workspaces or {})}, **how)


def name_of(run: TaskRun) -> str:
    return run.task.values.texts["params.IMAGE"].split("/", 1)[1]


def expect_results(world, run: TaskRun) -> None:
    name = name_of(run)
    digest = tar_layers.digest_of(world.manifest(name))
    base = tar_layers.digest_of(world.manifest("busybox:latest"))
    expect_equal(run.results(), {"IMAGE_URL": f"{world.host}/{name}", "IMAGE_DIGEST": digest,
                                 "IMAGES": f"{world.host}/{name}@{digest}",
                                 "BASE_IMAGES": f"{world.host}/busybox@{base}"})


@contextlib.contextmanager
def repository(world, files: dict, **how):
    """The URL of a git repository that holds FILES, on a server of its own."""
    if not git_servers.BACKEND.exists():
        raise Skip("git http-backend is not installed")
    directory = world.new_directory("repositories")
    git_servers.Repository(directory / "app.git").commit(files)
    with contextlib.closing(git_servers.HttpServer(directory, **how)) as server:
        yield f"{server.url}/app.git"
