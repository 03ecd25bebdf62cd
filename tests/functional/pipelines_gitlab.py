#!/usr/bin/env python3
"""GitLab's component and include, run by gitlab-ci-local: what is pushed, and what the next job learns of it."""
import json
import os
import re
import subprocess
import sys

from support import ROOT, case, closed_registry, expect, expect_equal, main

from gitlab_support import DOCKERFILE, Pipeline
import tekton

NEXT_JOB = """
deploy:
  stage: deploy
  image: {name: alpine}
  needs: [%s]
  script:
    - echo "it got $CI_APPLICATION_REPOSITORY $CI_APPLICATION_TAG $CAIRN_IMAGE $CAIRN_IMAGE_URL $CAIRN_IMAGE_DIGEST"
"""
INCLUDE = ("stages: [build, deploy]\ninclude:\n"
           "  - local: workflows/gitlab/Kaniko.gitlab-ci.yml\n" + NEXT_JOB % "kaniko-build")


def component(**inputs) -> str:
    """A pipeline that includes the component as projects of the same server do."""
    text = "stages: [build, deploy]\ninclude:\n  - component: $CI_SERVER_FQDN/team/app/cairn@$CI_COMMIT_SHA\n"
    return text + f"    inputs: {json.dumps(inputs)}\n" + NEXT_JOB % inputs.get("job-name", "cairn-build")


def expect_dotenv(pipeline: Pipeline, said: str, tag: str) -> None:
    repository = f"{pipeline.world.host}/team/app"
    digest = pipeline.image(tag)
    wanted = f"it got {repository} {tag} {repository}@{digest} {repository}:{tag} {digest}"
    expect(wanted in said, f"no '{wanted}' in {said[-1500:]}")


@case("the include takes the place of GitLab's kaniko template, and the next job learns what was pushed")
def include(world):
    pipeline = Pipeline(world, INCLUDE)
    said = pipeline.succeeded()
    expect_dotenv(pipeline, said, "latest")


@case("variables of the kaniko template mean what they meant")
def kaniko_variables(world):
    pipeline = Pipeline(world, INCLUDE, "FROM scratch\n", files={
        "sub/build/Dockerfile.app": DOCKERFILE.replace("REGISTRY/", f"{world.host}/"), "sub/f": "other"})
    pipeline.succeeded(KANIKO_BUILD_CONTEXT="sub", DOCKERFILE_PATH="sub/build/Dockerfile.app",
                       KANIKO_ARGS="--build-arg GREETING=hello --label two=words", IMAGE_TAG="variables")
    expect_equal(pipeline.config("variables")["config"]["Labels"], {"greeting": "hello", "two": "words"})


@case("branches and tags of git become tags of the image")
def tag_names(world):
    pipeline = Pipeline(world, INCLUDE)
    pipeline.project.commit()
    pipeline.project.git("checkout", "--quiet", "-b", "feature/my_new.thing")
    said = pipeline.succeeded()
    expect_dotenv(pipeline, said, "branch-feature-mynewthing")
    script = re.search(r"^ +- \|\n(.*?\n +image=)", (ROOT / "templates/cairn.yml").read_text(), re.S | re.M)[1]
    for shell in (["bash", "-euc"], ["busybox", "sh", "-euc"]):
        for ref, git_tag, wanted in (("main", "", "latest"), ("feature/x", "", "branch-feature-x"),
                                     ("v1.0.0/beta2", "v1.0.0/beta2", "v1.0.0-beta2"), ("a//b", "", "branch-a-b"),
                                     ("v1_0+x", "v1_0+x", "v10x")):
            environment = {
                "PATH": os.environ["PATH"], "IMAGE_TAG": "", "CI_COMMIT_REF_NAME": ref, "CAIRN_REPOSITORY": "",
                "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_TAG": git_tag, "CI_REGISTRY_IMAGE": "r"
            }
            done = subprocess.run([*shell, f"{script}x; echo $tag"], env=environment, capture_output=True, text=True,
                                  check=True)
            expect_equal(done.stdout.strip(), wanted, f"{shell[0]}: {ref}")


@case("the component builds with its inputs, and the next job learns what was pushed")
def component_inputs(world):
    inputs = {
        "job-name": "container", "build-args": ["GREETING=two \"words\", it's $5", "UNUSED=1"],
        "labels": ["a=b c", "d=\\e"], "args": "--single-snapshot", "tag": "inputs"
    }
    pipeline = Pipeline(world, component(**inputs))
    said = pipeline.succeeded()
    expect_dotenv(pipeline, said, "inputs")
    expect_equal(
        pipeline.config("inputs")["config"]["Labels"], {"greeting": "two \"words\", it's $5", "a": "b c", "d": "\\e"})


@case("the component's defaults are enough")
def component_defaults(world):
    pipeline = Pipeline(world, component())
    expect_dotenv(pipeline, pipeline.succeeded(), "latest")


@case("an input that is not allowed is refused with the input's name")
def component_refuses(world):
    for name, value in (("isolation", "somewhere"), ("platforms", "linux/amd64;rm"), ("cache", "maybe")):
        pipeline = Pipeline(world, component(**{name: value}))
        said = pipeline.run("--list")
        expect(pipeline.status != 0 and name in said, f"{name}: {said[-600:]}")


@case("steps come from the cache beside the image in the second pipeline")
def cache(world):
    pipeline = Pipeline(world, component(tag="cached"))
    pipeline.succeeded()
    expect(world.tags("team/app/cache"), "no cache repository")
    before = len(world.registry.requests())
    pipeline.succeeded()
    sent = [line for line in world.registry.requests()[before:] if line.startswith("PATCH")]
    expect_equal([line for line in sent if "cache" in line], [])


@case("a build that fails fails the job, with the build's message")
def failure(world):
    for text in (INCLUDE, component()):
        pipeline = Pipeline(world, text, "FROM scratch\nCOPY missing /\n")
        said = pipeline.run()
        expect(pipeline.status != 0 and "Dockerfile:2: COPY missing" in said, said[-1500:])
        expect("it got" not in said, "the next job ran")


@case("credentials of the job open a registry that asks for them")
def credentials(world):
    with closed_registry(world, "gitlab-ci-token", "job \"token\" $1") as server:
        pipeline = Pipeline(world, component(), "FROM scratch\nCOPY f /f\n")
        said = pipeline.succeeded(CI_REGISTRY=server.host, CI_REGISTRY_USER="gitlab-ci-token",
                                  CI_REGISTRY_PASSWORD="job \"token\" $1")
        expect(f"{server.host}/team/app:latest" in said, said[-800:])
        expect('job "token"' not in said, "the password is in the log")


@case("several platforms become one index")
def platforms(world):
    pipeline = Pipeline(world, component(platforms="linux/amd64 linux/arm64", tag="multi"), "FROM scratch\nCOPY f /f\n")
    expect_dotenv(pipeline, pipeline.succeeded(), "multi")
    index = json.loads(world.manifest("team/app:multi"))
    expect_equal([each["platform"]["architecture"] for each in index["manifests"]], ["amd64", "arm64"])


@case("include and component run the same script")
def same_script(_world):
    include_job = tekton.load(ROOT / "workflows/gitlab/Kaniko.gitlab-ci.yml")[0]["kaniko-build"]
    _, component_job = tekton.load(ROOT / "templates/cairn.yml")
    job = next(iter(component_job.values()))
    for key in ("script", "artifacts", "retry"):
        expect_equal(job[key], include_job[key])


@case("every input says what it is for, and is used")
def inputs_described(_world):
    text = (ROOT / "templates/cairn.yml").read_text()
    header = tekton.load(ROOT / "templates/cairn.yml")[0]
    for name, entry in header["spec"]["inputs"].items():
        expect(entry.get("description"), f"{name}: no description")
        expect(f"$[[ inputs.{name} ]]" in text, f"{name}: not used")
        expect("default" in entry, f"{name}: no default")


if __name__ == "__main__":
    sys.exit(main())
