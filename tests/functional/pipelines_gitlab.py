#!/usr/bin/env python3
"""GitLab's component and include, run by gitlab-ci-local: what is pushed, and what the next job learns of it."""
import functools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from support import ROOT, Skip, case, expect, expect_equal, main, write_tree

import gitlab
import registry
import tar_layers
import tekton

NEXT_JOB = """
deploy:
  stage: deploy
  image: {name: alpine}
  needs: [%s]
  script:
    - echo "it got $CI_APPLICATION_REPOSITORY $CI_APPLICATION_TAG $CAIRN_IMAGE $CAIRN_IMAGE_URL $CAIRN_IMAGE_DIGEST"
"""
INCLUDE = "stages: [build, deploy]\ninclude:\n  - local: workflows/gitlab/Kaniko.gitlab-ci.yml\n" + NEXT_JOB % "kaniko-build"
DOCKERFILE = "FROM REGISTRY/busybox\nARG GREETING=none\nLABEL greeting=$GREETING\nCOPY f /f\n"


@functools.lru_cache(maxsize=None)
def program() -> list[str]:
    if why := gitlab.why_not():
        raise Skip(why)
    try:
        return gitlab.install(ROOT / "build")
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        raise Skip(str(error)) from None


def component(**inputs) -> str:
    """A pipeline that includes the component as projects of the same server do."""
    text = "stages: [build, deploy]\ninclude:\n  - component: $CI_SERVER_FQDN/team/app/cairn@$CI_COMMIT_SHA\n"
    return text + f"    inputs: {json.dumps(inputs)}\n" + NEXT_JOB % inputs.get("job-name", "cairn-build")


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
            environment = {"PATH": os.environ["PATH"], "IMAGE_TAG": "", "CI_COMMIT_REF_NAME": ref, "CAIRN_REPOSITORY": "",
                           "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_TAG": git_tag, "CI_REGISTRY_IMAGE": "r"}
            done = subprocess.run([*shell, f"{script}x; echo $tag"], env=environment, capture_output=True, text=True,
                                  check=True)
            expect_equal(done.stdout.strip(), wanted, f"{shell[0]}: {ref}")


@case("the component builds with its inputs, and the next job learns what was pushed")
def component_inputs(world):
    inputs = {"job-name": "container", "build-args": "GREETING=two words\nUNUSED=1", "labels": "a=b c\nd=e",
              "args": "--single-snapshot", "tag": "inputs"}
    pipeline = Pipeline(world, component(**inputs))
    said = pipeline.succeeded()
    expect_dotenv(pipeline, said, "inputs")
    expect_equal(pipeline.config("inputs")["config"]["Labels"], {"greeting": "two words", "a": "b c", "d": "e"})


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
    directory = world.new_directory("auth")
    hashed = subprocess.run(["htpasswd", "-nbB", "gitlab-ci-token", "job \"token\" $1"], check=True, capture_output=True).stdout
    (directory / "htpasswd").write_bytes(hashed)
    server = registry.Registry(directory, auth=f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}\n")
    try:
        pipeline = Pipeline(world, component(), "FROM scratch\nCOPY f /f\n")
        said = pipeline.succeeded(CI_REGISTRY=server.host, CI_REGISTRY_USER="gitlab-ci-token",
                                  CI_REGISTRY_PASSWORD="job \"token\" $1")
        expect(f"{server.host}/team/app:latest" in said, said[-800:])
        expect('job "token"' not in said, "the password is in the log")
    finally:
        server.close()


@case("several platforms become one index")
def platforms(world):
    if "executor index" not in subprocess.run([world.program, "help"], capture_output=True, text=True, check=True).stdout:
        raise Skip("this executor has no command index yet")
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
