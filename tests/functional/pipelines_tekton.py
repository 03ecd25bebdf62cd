#!/usr/bin/env python3
"""Tekton's Tasks and StepActions as its controller renders them, in containers as a kubelet makes them."""
import contextlib
import json
import subprocess
import sys

from support import ROOT, case, closed_registry, expect, expect_equal, main

import certificates
import container_support as containers
from container_support import COPIES, DOCKERFILE, config_json, source
import manifests
import registry
import tar_layers
import tekton
from git_servers import basic
from tekton_support import TaskRun, build, expect_results, name_of, repository


@case(
    "under Pod Security baseline with the runtime's seccomp profile the Task is supervised, and leaves Tekton alone")
def baseline(world):
    run = build(world, DOCKERFILE, {"BUILD_ARGS": ["MESSAGE=two words"]})
    before = containers.fingerprint(run.task.bound["source"])
    run.succeeded()
    expect("Isolation: supervised" in run.said, run.said[-1500:])
    expect_results(world, run)
    image = containers.pulled(world, name_of(run))
    expect_equal(image.text("/both"), "two words\ncontent\n")
    expect(not {"tekton", "kaniko", "workspace"} & set(image.text("/listing").split()), image.text("/listing"))
    containers.expect_clean_layers(image)
    expect_equal(containers.fingerprint(run.task.bound["source"]), before, "the source")


@case("without a seccomp profile RUN has namespaces and an overlay, and sees nothing of the pod")
def default_cluster(world):
    run = build(world, DOCKERFILE, {"BUILD_ARGS": ["MESSAGE=x"]}, runtime_default=False).succeeded()
    expect("Isolation: namespace with overlay" in run.said, run.said[-1500:])
    expect_results(world, run)
    image = containers.pulled(world, name_of(run))
    containers.expect_clean_layers(image)
    expect(not {"tekton", "kaniko", "workspace"} & set(image.text("/listing").split()), image.text("/listing"))


@case("the restricted Task builds from copies, and says which line cannot be run")
def restricted(world):
    run = build(world, COPIES, task="cairn-restricted").succeeded()
    expect_results(world, run)
    containers.expect_clean_layers(containers.pulled(world, name_of(run)))
    run = build(world, DOCKERFILE, task="cairn-restricted").run()
    expect_equal(run.statuses, [1])
    expect("Dockerfile:3: RUN mkdir /made" in run.said, run.said[-1500:])
    expect_equal({name: value for name, value in run.files.items() if value}, {})


@case("the restricted Task builds a Dockerfile with RUN when its steps are in the cache")
def restricted_cached(world):
    cache = world.new_directory("cache")
    cache.chmod(0o777)
    for task in ("cairn", "cairn-restricted"):
        subprocess.run(["chmod", "-R", "a+rwX", str(cache)], check=True)
        run = build(world, DOCKERFILE, {"CACHE": "true", "BUILD_ARGS": ["MESSAGE=kept"],
                                        "CACHE_REPO": f"{world.host}/steps"}, task=task, workspaces={"cache": cache})
        run.succeeded()
        expect_results(world, run)
        expect_equal(containers.pulled(world, name_of(run)).text("/both"), "kept\ncontent\n")
    expect((cache / "steps").is_dir(), "the workspace was not used")


@case("parameters reach the image: destinations, labels, target, platform, a subdirectory, further flags")
def parameters(world):
    text = "FROM scratch AS first\nCOPY f /first\nFROM scratch\nCOPY f /second\n"
    folder = source(world, "FROM scratch\n", {"sub/f": "sub", "sub/docker/Dockerfile.app": text})
    image, more = f"{world.host}/{world.new_name('many')}:1", [f"{world.host}/more/a:2", f"{world.host}/more/b:3"]
    run = TaskRun(
        world, "cairn", {
            "IMAGE": image, "DOCKERFILE": "docker/Dockerfile.app", "CONTEXT": "sub", "DESTINATIONS": more,
            "TARGET": "first", "PLATFORM": "linux/arm64", "LABELS": ["a=b c", "d=e=f"], "ISOLATION": "none",
            "EXTRA_ARGS": ["--image-format=docker", "--label", "g=h"]
        }, {"source": folder}).succeeded()
    built = containers.pulled(world, name_of(run))
    expect_equal(built.text("/first"), "sub")
    config = json.loads(registry.get(world.host, f"/v2/{name_of(run).split(':')[0]}/blobs/" + json.loads(
        world.manifest(name_of(run)))["config"]["digest"]))
    expect_equal((config["architecture"], config["config"]["Labels"]), ("arm64", {"a": "b c", "d": "e=f", "g": "h"}))
    digest = tar_layers.digest_of(world.manifest(name_of(run)))
    expect_equal(run.results()["IMAGES"], ",".join(f"{name}@{digest}" for name in [image, *more]))
    expect_equal(run.results()["BASE_IMAGES"], "")
    expect_equal(world.manifest("more/b:3"), world.manifest(name_of(run)))


@case("a CONTEXT that begins with a slash is a directory of the source workspace, as with kaniko's Task")
def slash(world):
    folder = source(world, "FROM scratch\nCOPY f /whole\n",
                    {"sub/f": "sub", "sub/Dockerfile": "FROM scratch\nCOPY f /sub\n"})
    for context, dockerfile, name, content in (("/sub", "sub/Dockerfile", "/sub", "sub"),
                                               ("/", "./Dockerfile", "/whole", "content\n")):
        run = TaskRun(world, "cairn", {"IMAGE": f"{world.host}/{world.new_name('slash')}:1", "CONTEXT": context,
                                       "DOCKERFILE": dockerfile}, {"source": folder}).succeeded()
        expect_equal(containers.pulled(world, name_of(run)).text(name), content)


@case("a repository as CONTEXT is built without a source workspace, a private one with a token, as in the sample")
def git_context(world):
    [sample] = [each["spec"] for path, each in manifests.of_kind("TaskRun") if path.endswith("taskrun-git.yaml")]
    expect_equal({each["name"] for each in sample["workspaces"]}, {"dockerconfig", "secrets"})
    params = {each["name"]: each["value"] for each in sample["params"]}
    folder = containers.secret(world.new_directory("secret"), {"token": "token-word"})
    with repository(world, {"Dockerfile": COPIES.format(host=world.host), "f": "content\n"},
                    authorization=basic("x-access-token", "token-word")) as url:
        for task in ("cairn", "cairn-restricted"):
            run = TaskRun(world, task, {**params, "IMAGE": f"{world.host}/{world.new_name('git')}:1",
                                        "CONTEXT": f"{url}#main"}, {"secrets": folder}).succeeded()
            expect_results(world, run)
            expect("token-word" not in run.said, "the token is in the log")
            expect_equal(containers.pulled(world, name_of(run)).text("/f"), "content\n")


@case("without a source workspace and a repository the step ends with what is missing")
def no_context(world):
    run = TaskRun(world, "cairn", {"IMAGE": f"{world.host}/app:1"}).run()
    expect(run.statuses == [1] and "Dockerfile" in run.said, run.said[-800:])


@case("results that a termination message cannot hold are left empty with a warning, and the step succeeds")
def large_results(world):
    more = [f"{world.host}/{'long-name-' * 4}{number}/app:release-candidate" for number in range(25)]
    for params, wanted in (({}, {"IMAGES": "", "BASE_IMAGES": f"{world.host}/busybox@"}),
                           ({"EXTRA_ARGS": ["--results-limit=150"]}, {"IMAGES": "", "BASE_IMAGES": ""})):
        run = build(world, COPIES, {"DESTINATIONS": more, **params}).succeeded()
        found = run.results()
        expect_equal(found["IMAGE_DIGEST"], tar_layers.digest_of(world.manifest(name_of(run))))
        expect_equal(found["IMAGE_URL"], f"{world.host}/{name_of(run)}")
        for name, begin in wanted.items():
            expect(found[name].startswith(begin) and bool(found[name]) == bool(begin), f"{name}: {found[name]}")
        expect("--images-file is left empty" in run.said, run.said[-1500:])
    # What does fit is as large as it may be.
    edge = {"IMAGE_URL": "u" * 200, "IMAGE_DIGEST": "d" * 71, "IMAGES": "i" * 3000, "BASE_IMAGES": "b" * (3584 - 3271)}
    tekton.termination_message(edge)


@case("what kaniko's Task was given works when only the name of the Task changes")
def like_kaniko(world):
    params = {"IMAGE": f"{world.host}/{world.new_name('swap')}:1", "DOCKERFILE": "./Dockerfile", "CONTEXT": "./",
              "EXTRA_ARGS": ["--skip-tls-verify", "--cache=true", "--snapshotMode=redo", "--use-new-run"]}
    run = TaskRun(world, "cairn", params, {"source": source(world, DOCKERFILE)}).succeeded()
    expect(world.tags(f"{name_of(run).split(':')[0]}/cache"), "--cache=true of EXTRA_ARGS was overruled")


@case("a Secret in the workspace dockerconfig opens the registry, whichever key it has")
def docker_config(world):
    with closed_registry(world, "user", "secret-word") as server:
        for number, key in enumerate(("config.json", ".dockerconfigjson")):
            for task in ("cairn", "cairn-restricted"):
                folder = containers.secret(world.new_directory("secret"),
                                           {key: json.dumps(config_json(server.host, "user", "secret-word"))})
                run = build(world, COPIES, {"IMAGE": f"{server.host}/app:{task}{number}"}, task=task,
                            workspaces={"dockerconfig": folder}).succeeded()
                expect("secret-word" not in run.said, "the password is in the log")


@case("the service account's credentials, as Tekton collects them, open the registry")
def service_account(world):
    with closed_registry(world, "user", "secret-word") as server:
        made = config_json(f"https://{server.host}", "user", "secret-word")
        made["auths"][f"https://{server.host}"]["email"] = "not@val.id"
        build(world, COPIES, {"IMAGE": f"{server.host}/app:1"}, credentials=made).succeeded()
        run = build(world, COPIES, {"IMAGE": f"{server.host}/app:2"}).run()
        expect(run.statuses == [1] and server.host in run.said, run.said[-800:])


@case("certificates of the workspace ca-certificates are trusted besides the usual ones")
def own_authority(world):
    directory = world.new_directory("tls")
    authority = certificates.Authority(directory)
    certificate, key = authority.issue("server")
    tls = f"  tls: {{certificate: {certificate}, key: {key}}}\n"
    with contextlib.closing(registry.Registry(directory, tls=tls)) as server:
        folder = containers.secret(world.new_directory("ca"), {"company.pem": authority.certificate.read_text()})
        for task in ("cairn", "cairn-restricted"):
            build(world, "FROM scratch\nCOPY f /f\n", {"IMAGE": f"{server.host}/app:1"}, task=task,
                  workspaces={"ca-certificates": folder}).succeeded()
        run = build(world, "FROM scratch\nCOPY f /f\n", {"IMAGE": f"{server.host}/app:1"}).run()
        expect(run.statuses[0] != 0 and "certificate" in run.said, run.said[-800:])


@case("a file of the workspace secrets reaches the RUN that mounts it, and nothing else")
def build_secrets(world):
    text = (
        "FROM {host}/busybox\nRUN --mount=type=secret,id=npm,required=true cat /run/secrets/npm | tr a-z A-Z > /seen\n"
        "RUN ls /run/secrets > /after 2>&1; true\n")
    for runtime_default in (True, False):
        folder = containers.secret(world.new_directory("secret"), {"npm-token": "very-secret"})
        run = build(world, text, {"EXTRA_ARGS": ["--secret=id=npm,src=/kaniko/secrets/npm-token"]},
                    workspaces={"secrets": folder}, runtime_default=runtime_default).succeeded()
        image = containers.pulled(world, name_of(run))
        expect_equal(image.text("/seen"), "VERY-SECRET")
        expect("npm" not in image.text("/after").split(), image.text("/after"))
        expect("very-secret" not in run.said, "the secret is in the log")
        containers.expect_clean_layers(image)


@case("a registry that cannot be reached ends the step with status 75")
def temporary_failure(world):
    run = build(world, COPIES, {"IMAGE": f"127.0.0.1:{registry.free_port()}/app:1"}).run()
    expect_equal(run.statuses, [75], run.said[-600:])


@case("the step actions collect credentials and build, and the Task around them has the results")
def step_actions(world):
    task = tekton.load(ROOT / "stepactions/cairn-build/samples/task.yaml")[0]
    with closed_registry(world, "user", "secret-word") as server:
        for dockerfile in (COPIES, DOCKERFILE):
            folder = containers.secret(
                world.new_directory("secret"),
                {".dockerconfigjson": json.dumps(config_json(server.host, "user", "secret-word"))})
            run = TaskRun(world, task, {"IMAGE": f"{server.host}/app:1"},
                          {"source": source(world, dockerfile), "dockerconfig": folder}).succeeded()
            found = run.results()
            expect_equal(found["IMAGE_URL"], f"{server.host}/app:1")
            expect(found["IMAGE_DIGEST"].startswith("sha256:"), str(found))
            expect_equal((run.volumes.get("registry") / "docker/config.json").stat().st_mode & 0o777, 0o600)


@case("the Task with an image volume builds on what the node has")
def base_volume(world):
    task = tekton.load(ROOT / "stepactions/cairn-build/samples/task-base-volume.yaml")[0]
    flags = task["spec"]["steps"][0]["params"][-1]["value"]
    flags[:] = [flag.replace("registry.example.com", world.host) for flag in flags] + ["--verbosity=debug"]
    workspaces = {"source": source(world, DOCKERFILE.replace("/busybox", "/base:1.0")),
                  "cache": world.new_directory("cache")}
    run = TaskRun(world, task, {"IMAGE": f"{world.host}/app:1"}, workspaces)
    run.volumes.put("base", containers.node_base(world))
    run.succeeded()
    expect("is used from /kaniko/base" in run.said, run.said[-1500:])


def has_index(world) -> bool:
    done = subprocess.run([world.program, "help"], capture_output=True, text=True, check=True)
    return "executor index" in done.stdout


@case("the pipeline builds for several platforms and joins them to an index")
def multi_platform(world):
    pipeline = manifests.catalog("Pipeline")["cairn-multi-platform"]["spec"]
    given = {"IMAGE": f"{world.host}/multi:1", "PLATFORMS": ["linux/amd64", "linux/arm64", "linux/arm/v7"]}
    texts, lists = tekton.parameter_values(pipeline["params"], given)
    values, folder, results = tekton.Values(texts, lists), source(world, "FROM scratch\nCOPY f /f\n"), {}
    for each in pipeline["tasks"]:
        fixed = {param["name"]: param["value"] for param in each["params"]}
        runs = []
        for extra in tekton.fan_out(each["matrix"], values) if "matrix" in each else [{}]:
            params = dict(extra)
            for name, value in fixed.items():
                whole = tekton.VARIABLE.fullmatch(value)
                params[name] = values.words([value]) if whole and whole[1] in values.lists else values.text(value)
            spaces = {"source": folder} if "source" in tekton.names(each["workspaces"]) else {}
            runs.append(TaskRun(world, each["taskRef"]["name"], params, spaces).succeeded().results())
        for name in runs[0]:
            values.lists[f"tasks.{each['name']}.results.{name}[*]"] = [run[name] for run in runs]
            values.texts[f"tasks.{each['name']}.results.{name}"] = runs[0][name]
    results = {each["name"]: values.text(each["value"]) for each in pipeline["results"]}
    index = json.loads(world.manifest("multi:1"))
    expect_equal([(each["platform"]["architecture"], each["platform"].get("variant", ""))
                  for each in index["manifests"]], [("amd64", ""), ("arm64", ""), ("arm", "v7")])
    expect_equal(results,
                 {"IMAGE_URL": given["IMAGE"], "IMAGE_DIGEST": tar_layers.digest_of(world.manifest("multi:1"))})


@case("the warmer fills the cache workspace")
def warm(world):
    cache = world.new_directory("cache")
    cache.chmod(0o777)
    TaskRun(world, "cairn-warm", {"IMAGES": [f"{world.host}/busybox"]}, {"cache": cache}).succeeded()
    expect(any(cache.rglob("*")), "the cache is empty")
    before = len(world.registry.requests())
    build(world, DOCKERFILE, {"CACHE": "true"}, workspaces={"cache": cache}).succeeded()
    read = [line for line in world.registry.requests()[before:] if line.startswith("GET /v2/busybox/blobs/")]
    expect_equal(read, [])


if __name__ == "__main__":
    sys.exit(main())
