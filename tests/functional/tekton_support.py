"""Runs of Tekton's Tasks."""
import contextlib
import json

from support import Skip, expect, expect_equal

import container_support as containers
import git_servers
import manifests
import pod_layouts
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
        self.out.chmod(0o755)
        self.layout = pod_layouts.Tekton(self.out, tekton.names(self.task.spec["steps"]), credentials)

    def run(self) -> "TaskRun":
        fixed = {name: containers.fingerprint(self.out / name) for name in ("bin", "downward", "creds", "steps")}
        for index, step in enumerate(self.task.steps()):
            done = containers.run(self.world, self.layout.wrapped(step.words, index), security=step.security,
                                  environment=step.environment, directory=step.directory,
                                  mounts=[*self.layout.mounts(index), *step.mounts], volumes=self.volumes,
                                  runtime_default=self.runtime_default, termination_log=self.layout.TERMINATION_LOG)
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
        found = {f"/tekton/results/{path.name}": path for path in (self.out / "results").iterdir()}
        for index, name in enumerate(self.layout.names):
            results = self.out / f"run/{index}/status/results"
            found |= {f"/tekton/steps/step-{name}/results/{path.name}": path for path in results.iterdir()}
        return {name: path.read_text() for name, path in found.items()}

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
