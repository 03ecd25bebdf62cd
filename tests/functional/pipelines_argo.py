#!/usr/bin/env python3
"""Argo's templates as its controller renders them, in containers as a kubelet makes them."""
import json
import sys

from support import ROOT, case, closed_registry, expect, expect_equal, main, write_tree

import argo
import container_support as containers
from argo_support import Pod, templates
from container_support import COPIES, DOCKERFILE, source
import manifests
import registry
import tar_layers


def expect_outputs(world, pod: Pod, name: str) -> None:
    digest = tar_layers.digest_of(world.manifest(name))
    base = tar_layers.digest_of(world.manifest("busybox:latest"))
    expect_equal(
        pod.outputs(), {
            "url": f"{world.host}/{name}", "digest": digest, "images": f"{world.host}/{name}@{digest}",
            "base-images": f"{world.host}/busybox@{base}"
        })


@case("a build from an artifact pushes, its outputs are parameters, and Argo's files are left alone")
def build(world):
    for runtime_default, mode in ((True, "supervised"), (False, "namespace with overlay")):
        name = f"{world.new_name('argo')}:1"
        folder = source(world, DOCKERFILE)
        before = containers.fingerprint(folder)
        pod = Pod(world, "build", {"image": f"{world.host}/{name}", "build-args": "MESSAGE=two words\nOTHER=1\n",
                                   "labels": "a=b c\nd=e"}, {"source": folder}, runtime_default).succeeded()
        expect(f"Isolation: {mode}" in pod.said, pod.said[-1500:])
        expect_outputs(world, pod, name)
        image = containers.pulled(world, name)
        expect_equal(image.text("/both"), "two words\ncontent\n")
        expect_equal(image.config["Labels"], {"a": "b c", "d": "e"})
        containers.expect_clean_layers(image)
        expect_equal(containers.fingerprint(folder), before, "the source")


@case("a build from a volume takes the source's directory on it")
def build_volume(world):
    volume = world.new_directory("claim")
    volume.chmod(0o755)
    (volume / "checkout").mkdir()
    write_tree(volume / "checkout", {"Dockerfile": COPIES.format(host=world.host), "f": "content\n"})
    for context in (".", "/"):
        name = f"{world.new_name('argo')}:1"
        pod = Pod(
            world, "build-volume",
            {"image": f"{world.host}/{name}", "source-claim": "claim", "source-path": "checkout", "context": context},
            {"source": volume}).succeeded()
        expect_outputs(world, pod, name)


@case("a build that is remembered has the outputs of the one that it names, and hands it what it takes")
def once(world):
    template, folder = templates()["build-once"], source(world, COPIES)
    given = {"key": "app-v1", "image": f"{world.host}/argo-once:1"}
    values = {**argo.input_values(template, given), "workflow.namespace": "team"}
    expect_equal(argo.substitute(template["memoize"]["key"], values), "team-app-v1")
    [task] = template["dag"]["tasks"]
    arguments = argo.substitute(task["arguments"]["parameters"], values)
    pod = Pod(world, task["template"], {each["name"]: each["value"] for each in arguments},
              {"source": folder}).succeeded()
    found = {f"tasks.build.outputs.parameters.{name}": value for name, value in pod.outputs().items()}
    outputs = {
        each["name"]: argo.substitute(each["valueFrom"]["parameter"], found)
        for each in template["outputs"]["parameters"]
    }
    expect_equal(outputs, {"url": given["image"], "digest": tar_layers.digest_of(world.manifest("argo-once:1"))})


@case("parameters reach the image: destinations, target, platform, a subdirectory, further flags, a layout")
def parameters(world):
    folder = source(world, "FROM scratch\n", {
        "sub/f": "sub",
        "sub/docker/Dockerfile.app": "FROM scratch AS first\nCOPY f /first\nFROM scratch\nCOPY f /second\n"
    })
    name = f"{world.new_name('argo')}:1"
    pod = Pod(world, "build", {
        "image": f"{world.host}/{name}", "dockerfile": "docker/Dockerfile.app", "context": "sub", "target": "first",
        "destinations": f"{world.host}/also/a:1\n{world.host}/also/b:2", "platform": "linux/arm64", "isolation": "none",
        "extra-args": "--image-format=docker\n--annotation\na=b c\n", "layout-path": "/kaniko/outputs/layout"},
        {"source": folder}).succeeded()
    digest = tar_layers.digest_of(world.manifest(name))
    expect_equal(pod.outputs()["images"].split(","),
                 [f"{world.host}/{each}@{digest}" for each in (name, "also/a:1", "also/b:2")])
    image = containers.pulled(world, name)
    expect_equal((image.text("/first"), image.document["architecture"]), ("sub", "arm64"))
    layout = pod.volumes.get("outputs") / "layout"
    expect_equal(json.loads((layout / "index.json").read_bytes())["manifests"][0]["digest"], digest)


@case("the sample for restricted pods builds from copies")
def restricted(world):
    sample = next(document for path, document in manifests.documents() if path.endswith("argo/samples/restricted.yaml"))
    given = {each["name"]: each["value"] for each in sample["spec"]["arguments"]["parameters"]}
    name = f"{world.new_name('argo')}:1"
    pod = Pod(world, "build", {**given, "image": f"{world.host}/{name}"}, {"source": source(world, COPIES)},
              workflow=sample["spec"]).succeeded()
    expect_equal((pod.container.security["runAsUser"], pod.container.security["seccompProfile"]),
                 (65532, {"type": "RuntimeDefault"}))
    expect_outputs(world, pod, name)


@case("the sample with volumes takes a cache and more memory by a patch")
def patched(world):
    sample = next(document for path, document in manifests.documents() if path.endswith("argo/samples/volume.yaml"))
    given = {each["name"]: each["value"] for each in sample["spec"]["arguments"]["parameters"]}
    cache = world.new_directory("cache")
    name = f"{world.new_name('argo')}:1"
    folder = source(world, DOCKERFILE)
    Pod(world, "build-volume", {**given, "image": f"{world.host}/{name}"},
        {"source": folder, "cache": cache}).succeeded()
    expect((cache / "steps").is_dir(), "the cache was not used")


@case("the sample with an image volume builds on what the node has")
def base_volume(world):
    [sample] = [each for path, each in manifests.documents() if path.endswith("argo/samples/base-volume.yaml")]
    given = {each["name"]: each["value"].replace("registry.example.com", world.host)
             for each in sample["spec"]["arguments"]["parameters"]}
    given["extra-args"] += "\n--verbosity=debug"
    sources = {"source": source(world, DOCKERFILE.replace("/busybox", "/base:1.0")),
               "cache": world.new_directory("cache"), "base": containers.node_base(world)}
    pod = Pod(world, "build-volume", given, sources, workflow=sample["spec"]).succeeded()
    expect("is used from /kaniko/base" in pod.said, pod.said[-1500:])


@case("a Secret opens the registry, whichever key it has, and a check tells beforehand")
def credentials(world):
    with closed_registry(world, "user", "secret-word") as server:
        text = json.dumps(containers.config_json(server.host, "user", "secret-word"))
        for key in ("config.json", ".dockerconfigjson"):
            folder = containers.secret(world.new_directory("secret"), {key: text})
            sources = {"source": source(world, COPIES), "docker-config": folder}
            Pod(world, "credentials", {"image": f"{server.host}/app:1\n{server.host}/other:1"}, sources).succeeded()
            pod = Pod(world, "build", {"image": f"{server.host}/app:1"}, sources).succeeded()
            expect("secret-word" not in pod.said, "the password is in the log")
        pod = Pod(world, "credentials", {"image": f"{server.host}/app:1"}, {})
        expect(pod.status == 1 and server.host in pod.said, f"{pod.status} {pod.said[-500:]}")


@case("a registry that cannot be reached ends the container with status 75, and the outputs stay empty")
def temporary_failure(world):
    pod = Pod(world, "build", {"image": f"127.0.0.1:{registry.free_port()}/app:1"}, {"source": source(world, COPIES)})
    expect_equal(pod.status, 75, pod.said[-500:])
    expect_equal(set(pod.outputs().values()), {""})


@case("builds for several platforms are joined to an index")
def platforms(world):
    template, folder = templates()["build-platforms"], source(world, "FROM scratch\nCOPY f /f\n")
    given = {"image": f"{world.host}/argo-multi:1"}
    values = argo.input_values(template, given)
    tasks = {task["name"]: task for task in template["dag"]["tasks"]}
    images = []
    for platform in json.loads(argo.substitute(tasks["build"]["withParam"], values)):
        arguments = argo.substitute(tasks["build"]["arguments"]["parameters"], {**values, "item": platform})
        pod = Pod(world, "build", {each["name"]: each["value"] for each in arguments}, {"source": folder}).succeeded()
        images.append(pod.outputs()["images"])
    values["tasks.build.outputs.parameters.images"] = json.dumps(images)
    arguments = argo.substitute(tasks["index"]["arguments"]["parameters"], values)
    pod = Pod(world, "index", {each["name"]: each["value"] for each in arguments}, {}).succeeded()
    index = world.manifest("argo-multi:1")
    expect_equal([each["platform"]["architecture"] for each in json.loads(index)["manifests"]], ["amd64", "arm64"])
    expect_equal(pod.outputs(), {"url": given["image"], "digest": tar_layers.digest_of(index)})


@case("the warmer fills a cache volume, as the CronWorkflow asks it to")
def warm(world):
    cron = manifests.catalog("CronWorkflow")["cairn-warm"]["spec"]["workflowSpec"]
    step = cron["templates"][0]["steps"][0][0]
    given = {each["name"]: each["value"] for each in step["arguments"]["parameters"]}
    container = argo.render(templates()[step["templateRef"]["template"]], given, {"cache": ROOT})
    expect("--images=debian:12-slim\ngolang:1.23" in container.words, str(container.words))
    cache = world.new_directory("cache")
    cache.chmod(0o777)
    Pod(world, "warm", {**given, "images": f"{world.host}/busybox"}, {"cache": cache}).succeeded()
    expect(any(cache.rglob("*")), "the cache is empty")


if __name__ == "__main__":
    sys.exit(main())
