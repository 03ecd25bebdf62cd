#!/usr/bin/env python3
"""The image with a shell, as GitLab's runner and Jenkins start it: scripts before, between and after builds in
place."""
import sys

from support import ROOT, case, closed_registry, expect, expect_equal, main

import container_support as containers
from gitlab_support import Job
import tar_layers
import tekton

# What kaniko's users have in their .gitlab-ci.yml.
KANIKO_SCRIPT = r"""
mkdir -p /kaniko/.docker
echo "{\"auths\":{\"${CI_REGISTRY}\":{\"auth\":\"$(printf "%s:%s" "${CI_REGISTRY_USER}" "${CI_REGISTRY_PASSWORD}" \
  | base64 | tr -d '\n')\"}}}" \
  > /kaniko/.docker/config.json
/kaniko/executor --context "${CI_PROJECT_DIR}" --dockerfile "${CI_PROJECT_DIR}/Dockerfile" \
  --destination "${CI_REGISTRY_IMAGE}:${CI_COMMIT_TAG}"
"""


def component_script() -> str:
    job = next(iter(tekton.load(ROOT / "templates/cairn.yml")[1].values()))
    return "\n".join(job["script"])


@case("the job that kaniko's users have works with only the image changed")
def kaniko_job(world):
    with closed_registry(world, "gitlab-ci-token", "job-token") as server:
        job = Job(world, KANIKO_SCRIPT + "\necho \"after: $(cat f)\"", {"CI_COMMIT_TAG": "v1"}, server.host).succeeded()
        expect("after: content" in job.said, job.said[-800:])
        expect("job-token" not in job.said, "the password is in the log")
        expect(f"Pushed {server.host}/team/app:v1@sha256:" in job.said, job.said[-800:])


@case("the component's script builds supervised and in namespaces, and its dotenv names what was pushed")
def component(world):
    for runtime_default, mode in ((True, "supervised"), (False, "namespace")):
        job = Job(world, component_script(),
                  {"KANIKO_BUILD_CONTEXT": ".", "CAIRN_LABELS": "a=b c", "CAIRN_CACHE": "false"},
                  runtime_default=runtime_default).succeeded()
        expect(f"Isolation: {mode}" in job.said, job.said[-1500:])
        digest = tar_layers.digest_of(world.manifest("team/app:latest"))
        repository = f"{world.host}/team/app"
        expect_equal(
            job.dotenv(), {
                "CI_APPLICATION_REPOSITORY": repository, "CI_APPLICATION_TAG": "latest",
                "CAIRN_IMAGE": f"{repository}@{digest}", "CAIRN_IMAGE_URL": f"{repository}:latest",
                "CAIRN_IMAGE_DIGEST": digest
            })
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
    job = Job(world,
              "echo | cat; /busybox/sh -c '/kaniko/executor --context . --destination $CI_REGISTRY_IMAGE:jenkins'")
    job.succeeded()
    expect_equal(containers.pulled(world, "team/app:jenkins").text("/f"), "content\n")


@case("it starts for any user, and copies are built without a privilege")
def any_user(world):
    security = {
        "runAsUser": 1000, "runAsNonRoot": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"}
    }
    Job(world, "executor --context . --destination $CI_REGISTRY_IMAGE:user",
        dockerfile="FROM {host}/busybox\nCOPY f /f\n", security=security).succeeded()
    expect_equal(containers.pulled(world, "team/app:user").text("/f"), "content\n")


if __name__ == "__main__":
    sys.exit(main())
