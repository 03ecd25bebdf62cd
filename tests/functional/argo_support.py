"""Pods of Argo's templates."""
from support import expect, expect_equal

import argo
import container_support as containers
import manifests
import pod_layouts


def templates() -> dict[str, dict]:
    return {each["name"]: each for each in manifests.catalog("WorkflowTemplate")["cairn"]["spec"]["templates"]}


class Pod:
    """The main container of a template, started by Argo's executor, and what came out of it."""

    def __init__(self, world, name: str, parameters: dict, sources: dict, runtime_default: bool = True,
                 workflow: dict | None = None):
        """WORKFLOW: the specification of the one that the pod belongs to."""
        self.container = argo.render(templates()[name], parameters, sources, workflow)
        own = world.new_directory("argo")
        own.chmod(0o755)
        layout = pod_layouts.Argo(own)
        before = containers.fingerprint(own)
        self.volumes = containers.Volumes(world)
        done = containers.run(
            world, layout.wrapped(self.container.words), security=self.container.security,
            environment=self.container.environment, directory=self.container.directory,
            mounts=[*layout.mounts(), *self.container.mounts], volumes=self.volumes, runtime_default=runtime_default)
        self.status, self.said = done.returncode, done.stdout + done.stderr
        (layout.own / "ctr/main/exitcode").unlink()
        expect_equal(containers.fingerprint(own), before, "Argo's own files")

    def succeeded(self) -> "Pod":
        expect(self.status == 0, f"exit status {self.status}: {self.said[-2500:]}")
        return self

    def outputs(self) -> dict[str, str]:
        found = {}
        for name, path in self.container.outputs.items():
            file = self.volumes.get("outputs") / path.removeprefix("/kaniko/outputs/")
            found[name] = file.read_text() if file.exists() else ""
        return found
