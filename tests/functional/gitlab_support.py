"""Pipelines of GitLab's, by gitlab-ci-local, and jobs in the image with a shell as its runner starts them."""
import functools
import json
import os
import shutil
import subprocess

from support import ROOT, Skip, expect, write_tree

import container_support as containers
import gitlab
import registry
import tar_layers
import tekton

DOCKERFILE = "FROM REGISTRY/busybox\nARG GREETING=none\nLABEL greeting=$GREETING\nCOPY f /f\n"
BUILT_IN_PLACE = "FROM {host}/busybox\nRUN echo made > /made && rm -rf /usr\nCOPY f /f\n"
# How the runner looks for a shell in an image, which then reads the job from its standard input.
DETECT = (
    "for shell in /usr/local/bin/bash /usr/bin/bash /bin/bash /usr/local/bin/sh /usr/bin/sh /bin/sh /busybox/sh; do\n"
    "  [ -x $shell ] && exec $shell\ndone\necho shell not found; exit 1\n")


@functools.lru_cache(maxsize=None)
def program() -> list[str]:
    if why := gitlab.why_not():
        raise Skip(why)
    try:
        return gitlab.install(ROOT / "build")
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        raise Skip(str(error)) from None


class Pipeline:
    """A project with Cairn's files, and its registry."""

    def __init__(self, world, configuration: str, dockerfile: str = DOCKERFILE, files: dict | None = None):
        self.world = world
        self.directory = world.new_directory("project") / "app"
        self.directory.mkdir()
        self.project = gitlab.Project(self.directory, program())
        for folder in ("templates", "workflows"):
            shutil.copytree(ROOT / folder, self.directory / folder)
        write_tree(self.directory, {"f": "content", "Dockerfile": dockerfile.replace("REGISTRY/", f"{world.host}/"),
                                    ".gitlab-ci.yml": configuration, **(files or {})})

    def run(self, *words: str, **variables: str) -> str:
        """Runs it; what was printed."""
        self.project.commit()
        # gitlab-ci-local says /builds/team/app for CI_PROJECT_DIR, where its shell is not.
        variables = {"CI_REGISTRY": self.world.host, "KANIKO_BUILD_CONTEXT": ".", **variables}
        done = self.project.run("--ignore-predefined-vars", "CI_REGISTRY", *words, variables=variables,
                                environment={"PATH": f"{self.world.program.parent}:{os.environ['PATH']}",
                                             "DOCKER_CONFIG": str(self.world.new_directory("docker"))})
        self.said, self.status = done.stdout + done.stderr, done.returncode
        return self.said

    def succeeded(self, *words: str, **variables: str) -> str:
        said = self.run(*words, **variables)
        expect(self.status == 0, said[-2500:])
        return said

    def image(self, tag: str, repository: str = "team/app") -> str:
        """The digest under a tag."""
        return tar_layers.digest_of(self.world.manifest(f"{repository}:{tag}"))

    def config(self, tag: str, repository: str = "team/app") -> dict:
        manifest = json.loads(self.world.manifest(f"{repository}:{tag}"))
        return json.loads(registry.get(self.world.host, f"/v2/{repository}/blobs/{manifest['config']['digest']}"))


class Job:
    """A job of GitLab's in the image with a shell."""

    def __init__(self, world, script: str, variables: dict | None = None, host: str | None = None,
                 dockerfile: str = BUILT_IN_PLACE, security: dict | None = None, **how):
        self.builds = world.new_directory("builds")
        self.builds.chmod(0o777)
        self.directory = "/builds/team/app"
        write_tree(self.builds / "team/app", {"Dockerfile": dockerfile.format(host=world.host), "f": "content\n"})
        host = host or world.host
        environment = {"PATH": "/usr/local/bin:/kaniko:/busybox", "CI_PROJECT_DIR": self.directory, "CI_REGISTRY": host,
                       "CI_REGISTRY_IMAGE": f"{host}/team/app", "CI_REGISTRY_USER": "gitlab-ci-token",
                       "CI_REGISTRY_PASSWORD": "job-token", "CI_COMMIT_REF_NAME": "main", "CI_DEFAULT_BRANCH": "main",
                       "CI_COMMIT_TAG": "", "GITLAB_CI": "true", **(variables or {})}
        # A runtime makes a volume of /busybox, with what the image has there.
        tools = world.new_directory("tools") / "busybox"
        shutil.copytree(containers.root_file_system(world.directory, "cairn-debug") / "busybox", tools, symlinks=True)
        mounts = [tekton.Mount("/builds", self.builds), tekton.Mount("/busybox", tools)]
        text = f"set -eo pipefail\ncd {self.directory}\n{script}\n"
        done = containers.run(world, ["sh", "-c", DETECT], image="cairn-debug", security=security or {"runAsUser": 0},
                              environment=environment, directory="/", mounts=mounts, volumes=containers.Volumes(world),
                              stdin=text.encode(), **how)
        self.status, self.said = done.returncode, done.stdout + done.stderr

    def succeeded(self) -> "Job":
        expect(self.status == 0, f"exit status {self.status}: {self.said[-2500:]}")
        return self

    def dotenv(self) -> dict[str, str]:
        text = (self.builds / "team/app/cairn.env").read_text()
        return dict(line.split("=", 1) for line in text.splitlines())
