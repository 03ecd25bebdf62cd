#!/usr/bin/env python3
"""The examples in the documents: manifests are held against their schemas and run, commands name what there is."""
import contextlib
import json
import pathlib
import re
import shlex
import sys

from support import ROOT, case, expect, expect_equal, main

import argo
import argo_support
import certificates
import container_support as containers
import gitlab_support
import kubernetes_support
import manifest_examples
import manifest_pods
import manifest_schemas
import manifests
import tekton
import tekton_support

LINK = re.compile(r"\]\(([^)#]+?)(#[^)]*)?\)")


def of_kind(*kinds: str) -> list[tuple[str, dict]]:
    found = [(page, document) for page, document in manifest_examples.examples() if document.get("kind") in kinds]
    expect(found, f"no example of {kinds}")
    return found


def on(world, document: dict) -> dict:
    """An example with the tests' registry in place of the one that it names."""
    return json.loads(json.dumps(document).replace("registry.example.com", world.host))


@case("manifests in the documents are what their schemas say")
def schemas(_world):
    found = [f"{page}: {problem}" for page, document in manifest_examples.examples() if "kind" in document
             for problem in manifest_schemas.problems(document)]
    expect(not found, "; ".join(found[:5]))


@case(
    "pods that the documents make fit their Pod Security level, have no token, and their source where no Dockerfile "
    "works"
)
def pod_rules(_world):
    found = []
    for page, document in manifest_examples.examples():
        if document.get("kind") not in ("Pod", "Job", "Workflow", "TaskRun", "PipelineRun"):
            continue
        expect(document["metadata"].get("generateName") or is_kanikos(document), f"{page}: no generateName")
        name = document["metadata"].get("generateName", page)
        for pod in manifest_pods.pods(document):
            found += [f"{page}: {problem}" for problem in manifest_pods.above_level(name, pod)]
            if not is_kanikos(document):
                found += [f"{page}: a token in {name}" for name in manifest_pods.tokens_seen(pod)]
                found += [f"{page}: {problem}" for problem in manifest_pods.misplaced(pod)]
    expect_equal(found, [])


def is_kanikos(document: dict) -> bool:
    """A pod that was written for kaniko: what it has stays."""
    return document["metadata"].get("name") == "kaniko"


@case("the Job that the page shows is the one in the manifests")
def job_is_the_same(_world):
    [shown] = [document for page, document in of_kind("Job") if page == "docs/kubernetes.md"]
    expect_equal(shown, tekton.load(ROOT / "workflows/kubernetes/job.yaml")[0])


@case("parts of manifests in the documents would be valid in a whole one")
def fragments(_world):
    for page, document in manifest_examples.examples():
        if set(document) == {"spec"}:
            run = {"apiVersion": "tekton.dev/v1", "kind": "TaskRun", "metadata": {"name": "x"}, **document}
            expect_equal(manifest_schemas.problems(run), [], page)
            steps = tekton.names(manifests.tasks()["cairn"]["spec"]["steps"])
            expect_equal([each["name"] for each in document["spec"]["stepSpecs"] if each["name"] not in steps], [])


@case("links in the documents lead to files, and commands name files that are there")
def links(_world):
    others = [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), ROOT / "workflows/README.md", ROOT / "tests/README.md"]
    for page in sorted({*manifest_examples.pages(), *others}):
        text = page.read_text()
        wrong = [link for link, _ in LINK.findall(text) if "://" not in link and not (page.parent / link).exists()]
        expect_equal(wrong, [], f"links of {page.relative_to(ROOT)}")
        for block in manifest_examples.blocks(page, "sh"):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                wrong = [
                    word for word in words
                    if re.match(r"(tasks|stepactions|pipelines|workflows|templates|scripts)/", word)
                    and not (ROOT / word).exists()
                ]
                expect_equal(wrong, [], f"files in {page.relative_to(ROOT)}: {line}")


def authority(world) -> str:
    return certificates.Authority(world.new_directory("authority")).certificate.read_text()


def bound(world, spec: dict) -> dict[str, pathlib.Path]:
    """Directories for the workspaces of a run: claims hold a source, or are empty for a cache."""
    secrets = {"auths": {world.host: {"username": "u", "password": "p"}}}
    made = {}
    for workspace in spec["workspaces"]:
        if workspace["name"] == "secrets":
            made["secrets"] = containers.secret(world.new_directory("secret"), {"npm-token": "very-secret"})
        elif "secret" in workspace:
            made[workspace["name"]] = containers.secret(world.new_directory("secret"),
                                                        {".dockerconfigjson": json.dumps(secrets)})
        elif "configMap" in workspace:
            made[workspace["name"]] = containers.secret(world.new_directory("map"), {"ca.pem": authority(world)})
        elif workspace["name"] == "source":
            made["source"] = containers.source(world, containers.DOCKERFILE)
        else:
            made[workspace["name"]] = containers.Volumes(world).get("cache")
    return made


@case("runs of Tekton's Tasks in the documents build and push")
def task_runs(world):
    for page, document in of_kind("TaskRun"):
        spec = on(world, document)["spec"]
        name = manifest_pods.reference_name(spec["taskRef"])
        params = {each["name"]: each["value"] for each in spec["params"]}
        with contextlib.ExitStack() as stack:
            if "://" in params.get("CONTEXT", ""):
                files = {"Dockerfile": containers.DOCKERFILE.format(host=world.host), "f": "content\n"}
                url = stack.enter_context(tekton_support.repository(world, files))
                params["CONTEXT"] = f"{url}#{params['CONTEXT'].partition('#')[2]}"
            run = tekton_support.TaskRun(world, name, params, bound(world, spec)).succeeded()
        expect_equal(run.results()["IMAGE_URL"], params["IMAGE"], page)


@case("runs of Tekton's pipelines in the documents give what these take")
def pipeline_runs(_world):
    for page, document in of_kind("PipelineRun"):
        target = manifests.catalog("Pipeline")[document["spec"]["pipelineRef"]["name"]]["spec"]
        for part in ("params", "workspaces"):
            wrong = set(tekton.names(document["spec"][part])) - set(tekton.names(target[part]))
            expect_equal(wrong, set(), f"{page}: {part}")


@case("Argo's workflows in the documents use the templates as these want it, and build")
def workflows(world):
    library = argo_support.templates()
    for page, document in of_kind("Workflow"):
        spec = on(world, document)["spec"]
        own = {template["name"]: template for template in spec.get("templates", [])}
        for template in own.values():
            expect_equal(argo.check_template(template, own, library, set()), [], page)
        steps = [step for template in own.values() for step in argo.inner_steps(template) if "templateRef" in step]
        calls = [(step["templateRef"]["template"], step["arguments"]) for step in steps]
        if "workflowTemplateRef" in spec:
            calls.append((spec.get("entrypoint", "build"), spec["arguments"]))
        for name, arguments in calls:
            given = {each["name"]: each["value"] for each in arguments["parameters"]}
            sources = {"source": containers.source(world, containers.DOCKERFILE), "cache": world.new_directory("cache")}
            pod = argo_support.Pod(world, name, given, sources, workflow=spec).succeeded()
            expect_equal(pod.outputs()["url"], given["image"], page)


@case("pods and Jobs in the documents build and push")
def pods(world):
    for page, document in of_kind("Pod", "Job"):
        name = document["metadata"].get("name") or document["metadata"]["generateName"]
        restricted = "restricted" in name
        folder = containers.source(world, containers.COPIES if restricted else containers.DOCKERFILE)
        secret = containers.secret(world.new_directory("secret"), {".dockerconfigjson": "{}"})
        volumes = {"source": folder, "registry": secret, "docker-config": secret, "cache": world.new_directory("cache")}
        started = kubernetes_support.Started(world, document, volumes)
        expect(started.status == 0, f"{page}: {name}: {started.said[-1500:]}")


def gitlab_examples() -> list[tuple[str, dict]]:
    return [(page, document) for page, document in manifest_examples.examples()
            if "include" in document or any(isinstance(job, dict) and "script" in job for job in document.values())]


@case("GitLab's includes in the documents build, push and hand on what was pushed")
def gitlab_includes(world):
    here = {"component": "$CI_SERVER_FQDN/team/app/cairn@$CI_COMMIT_SHA"}
    found = 0
    for page, document in gitlab_examples():
        if "include" not in document:
            continue
        for include in document["include"]:
            if "component" in include:
                include.update(here)
                # What the example names in its own project.
                include.setdefault("inputs", {}).update({
                    "dockerfile": "", "target": ""} if "dockerfile" in include.get("inputs", {}) else {})
            else:
                include["local"] = include.pop("file")
                include.pop("project")
        document.setdefault("stages", ["build", "deploy"])
        pipeline = gitlab_support.Pipeline(world, json.dumps(document))
        said = pipeline.succeeded(CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX=world.host)
        expect(f"Pushed {world.host}/team/app:latest" in said, f"{page}: {said[-800:]}")
        if "deploy" in document:
            expect(f"deploying {world.host}/team/app@{pipeline.image('latest')}" in said, said[-800:])
        found += 1
    expect(found >= 4, f"only {found}")


@case("GitLab's jobs in the documents run in the image with a shell")
def gitlab_jobs(world):
    found = 0
    for page, document in gitlab_examples():
        if "include" in document:
            continue
        for name, job in document.items():
            script = "\n".join(job["script"])
            run = gitlab_support.Job(world, script, {"CI_COMMIT_SHORT_SHA": "abc1234"})
            expect(run.status == 0, f"{page}: {name}: {run.said[-1500:]}")
            expect("abc1234" in world.tags("team/app"), f"{page}: {name} pushed nothing")
            found += 1
    expect(found >= 1, "no job")


@case("inputs and variables that the documents list are those of the component")
def gitlab_inputs(_world):
    header = tekton.load(ROOT / "templates/cairn.yml")[0]
    text = (ROOT / "docs/gitlab.md").read_text()
    table = text[text.index("| input |"):].split("\n\n")[0]
    expect_equal(re.findall(r"^\| `([a-z-]+)`", table, re.M), list(header["spec"]["inputs"]))
    script = (ROOT / "workflows/gitlab/Kaniko.gitlab-ci.yml").read_text()
    for name in set(re.findall(r"\$\{?((?:CAIRN|KANIKO|DOCKERFILE|IMAGE)_[A-Z_]+)", script)):
        expect(f"`{name}`" in text, f"docs/gitlab.md is silent about {name}")


@case("flags in the tables for those who come from elsewhere are the executor's")
def migrating(_world):
    text = (ROOT / "docs/migrating.md").read_text()
    known = set(re.findall(r"^\| `--([a-z-]+)`|^\| `--([A-Za-z-]+)`", (ROOT / "docs/flags.md").read_text(), re.M))
    known = {name for pair in known for name in pair if name}
    wrong = []
    for line in text.splitlines():
        cells = [cell for cell in re.split(r"(?<!\\)\|", line) if cell.strip()]
        if line.startswith("| ") and len(cells) >= 2 and not cells[-1].strip() in ("the same", "Cairn"):
            wrong += [
                name for name in re.findall(r"`(?:EXTRA_ARGS: \[\")?--([A-Za-z-]+)", cells[-1]) if name not in known
            ]
    expect_equal(wrong, [])


if __name__ == "__main__":
    sys.exit(main())
