#!/usr/bin/env python3
"""The image with a shell, as GitLab's runner and Jenkins start it: scripts before, between and after builds in place."""
import contextlib
import shutil
import subprocess
import sys

from support import ROOT, case, expect, expect_equal, main, write_tree

import container_support as containers
import registry
import tar_layers
import tekton

# How the runner looks for a shell in an image, which then reads the job from its standard input.
DETECT = ("for shell in /usr/local/bin/bash /usr/bin/bash /bin/bash /usr/local/bin/sh /usr/bin/sh /bin/sh /busybox/sh; do\n"
          "  [ -x $shell ] && exec $shell\ndone\necho shell not found; exit 1\n")
DOCKERFILE = "FROM {host}/busybox\nRUN echo made > /made && rm -rf /usr\nCOPY f /f\n"
# What kaniko's users have in their .gitlab-ci.yml.
KANIKO_SCRIPT = r"""
mkdir -p /kaniko/.docker
echo "{\"auths\":{\"${CI_REGISTRY}\":{\"auth\":\"$(printf "%s:%s" "${CI_REGISTRY_USER}" "${CI_REGISTRY_PASSWORD}" | base64 | tr -d '\n')\"}}}" > /kaniko/.docker/config.json
/kaniko/executor --context "${CI_PROJECT_DIR}" --dockerfile "${CI_PROJECT_DIR}/Dockerfile" --destination "${CI_REGISTRY_IMAGE}:${CI_COMMIT_TAG}"
"""


class Job:
    """A job of GitLab's in the image with a shell."""

    def __init__(self, world, script: str, variables: dict | None = None, host: str | None = None,
                 dockerfile: str = DOCKERFILE, security: dict | None = None, **how):
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


@contextlib.contextmanager
def closed_registry(world):
    directory = world.new_directory("closed")
    line = subprocess.run(["htpasswd", "-nbB", "gitlab-ci-token", "job-token"], check=True, capture_output=True).stdout
    (directory / "htpasswd").write_bytes(line)
    auth = f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n"
    with contextlib.closing(registry.Registry(directory, auth=auth)) as server:
        yield server


def component_script() -> str:
    job = next(iter(tekton.load(ROOT / "templates/cairn.yml")[1].values()))
    return "\n".join(job["script"])


@case("the job that kaniko's users have works with only the image changed")
def kaniko_job(world):
    with closed_registry(world) as server:
        job = Job(world, KANIKO_SCRIPT + "\necho \"after: $(cat f)\"", {"CI_COMMIT_TAG": "v1"}, server.host).succeeded()
        expect("after: content" in job.said, job.said[-800:])
        expect("job-token" not in job.said, "the password is in the log")
        expect(f"Pushed {server.host}/team/app@sha256:" in job.said, job.said[-800:])


@case("the component's script builds in place and under namespaces, and its dotenv names what was pushed")
def component(world):
    for runtime_default, rung in ((True, "in place"), (False, "namespace")):
        job = Job(world, component_script(), {"KANIKO_BUILD_CONTEXT": ".", "CAIRN_LABELS": "a=b c", "CAIRN_CACHE": "false"},
                  runtime_default=runtime_default).succeeded()
        expect(f"Isolation: {rung}" in job.said, job.said[-1500:])
        digest = tar_layers.digest_of(world.manifest("team/app:latest"))
        repository = f"{world.host}/team/app"
        expect_equal(job.dotenv(), {
            "CI_APPLICATION_REPOSITORY": repository, "CI_APPLICATION_TAG": "latest", "CAIRN_IMAGE": f"{repository}@{digest}",
            "CAIRN_IMAGE_URL": f"{repository}:latest", "CAIRN_IMAGE_DIGEST": digest})
        image = containers.pulled(world, "team/app:latest")
        expect_equal((image.text("/made"), image.config["Labels"]), ("made\n", {"a": "b c"}))
        containers.expect_clean_layers(image)


@case("a build that fails ends the job with its status")
def failing(world):
    job = Job(world, component_script(), {"KANIKO_BUILD_CONTEXT": "."}, dockerfile="FROM {host}/busybox\nRUN exit 7\n")
    expect_equal(job.status, 7, job.said[-800:])
    expect("Dockerfile:2: RUN exit 7" in job.said, job.said[-800:])


@case("several builds in one container do not see each other's files, and the tools outlive them")
def several(world):
    build = "executor --context . --no-push --destination a:1 --oci-layout-path /builds/{0} --build-arg N={0}\n"
    text = "FROM {host}/busybox\nARG N\nRUN ls / > /listing && echo $N > /file-$N\n"
    job = Job(world, "".join(build.format(name) for name in "123") + "cat f && ls / > /builds/seen", dockerfile=text)
    job.succeeded()
    listing = containers.built_image.Image(job.builds / "3").text("/listing")
    expect(not {"file-1", "file-2"} & set(listing.split()), listing)


@case("Jenkins keeps the container with cat, and starts builds in it")
def jenkins(world):
    job = Job(world, "echo | cat; /busybox/sh -c '/kaniko/executor --context . --destination $CI_REGISTRY_IMAGE:jenkins'")
    job.succeeded()
    expect_equal(containers.pulled(world, "team/app:jenkins").text("/f"), "content\n")


@case("it starts for any user, and copies are built without a privilege")
def any_user(world):
    security = {"runAsUser": 1000, "runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
                "seccompProfile": {"type": "RuntimeDefault"}}
    Job(world, "executor --context . --destination $CI_REGISTRY_IMAGE:user", dockerfile="FROM {host}/busybox\nCOPY f /f\n",
        security=security).succeeded()
    expect_equal(containers.pulled(world, "team/app:user").text("/f"), "content\n")


if __name__ == "__main__":
    sys.exit(main())
