#!/usr/bin/env python3
"""Pods without any pipeline system: the project's samples, and what kaniko's users wrote, with only the image
changed."""
import json
import pathlib
import subprocess
import sys
import textwrap

import yaml

from support import ROOT, case, expect, expect_equal, main, write_tree

import container_support as containers
from container_support import COPIES, DOCKERFILE, source
from kubernetes_support import Started
import tar_layers
import tekton


# The Pod of kaniko's tutorial and the Job that many wrote after it. IMAGE is all that is changed.
KANIKO_POD = """
apiVersion: v1
kind: Pod
metadata:
  name: kaniko
spec:
  containers:
  - name: kaniko
    image: IMAGE
    args: ["--dockerfile=/workspace/dockerfile",
           "--context=dir://workspace",
           "--destination=HOST/tutorial"]
    volumeMounts:
      - name: kaniko-secret
        mountPath: /kaniko/.docker
      - name: dockerfile-storage
        mountPath: /workspace
  restartPolicy: Never
  volumes:
    - name: kaniko-secret
      secret:
        secretName: regcred
        items:
          - key: .dockerconfigjson
            path: config.json
    - name: dockerfile-storage
      persistentVolumeClaim:
        claimName: dockerfile-claim
"""
KANIKO_JOB = """
apiVersion: batch/v1
kind: Job
metadata:
  name: kaniko
spec:
  template:
    spec:
      containers:
        - name: kaniko
          image: IMAGE
          args: ["--dockerfile=Dockerfile", "--context=/workspace/", "--destination=HOST/job:v1",
                 "--digest-file=/dev/termination-log", "--cache=true", "--snapshotMode=redo", "--cleanup"]
          volumeMounts:
            - {name: docker-config, mountPath: /kaniko/.docker/}
            - {name: workspace, mountPath: /workspace}
      restartPolicy: Never
      volumes:
        - {name: docker-config, secret: {secretName: regcred, items: [{key: .dockerconfigjson, path: config.json}]}}
        - {name: workspace, emptyDir: {}}
"""


def docker_config(world, key: str = "config.json") -> pathlib.Path:
    text = json.dumps({"auths": {world.host: {"username": "u", "password": "p"}}})
    return containers.secret(world.new_directory("secret"), {key: text})


def sample(name: str) -> dict:
    return tekton.load(ROOT / "workflows/kubernetes" / name)[0]


@case("the Job builds, and the pod's status ends with the digest")
def job(world):
    for runtime_default in (True, False):
        started = Started(world, sample("job.yaml"), {"source": source(world, DOCKERFILE), "registry": docker_config(
            world, ".dockerconfigjson")}, runtime_default=runtime_default).succeeded()
        expect_equal(started.log.read_text(), tar_layers.digest_of(world.manifest("app:1.0")))
        containers.expect_clean_layers(containers.pulled(world, "app:1.0"))


@case("the restricted Job builds from copies")
def restricted(world):
    started = Started(world, sample("job-restricted.yaml"), {"source": source(world, COPIES),
                                                             "registry": docker_config(world)}).succeeded()
    expect_equal(started.log.read_text(), tar_layers.digest_of(world.manifest("site:1.0")))


@case("the Job with an image volume builds on what the node has, in pods of both kinds")
def base_volume(world):
    document = sample("job-base-volume.yaml")
    node, text = containers.node_base(world), DOCKERFILE.replace("/busybox", "/base:1.0")
    document["spec"]["template"]["spec"]["containers"][0]["args"].append("--verbosity=debug")
    for runtime_default in (True, False):
        volumes = {"source": source(world, text, {"f": f"{runtime_default}\n"}), "base": node,
                   "registry": docker_config(world, ".dockerconfigjson"), "cache": world.new_directory("cache")}
        started = Started(world, document, volumes, runtime_default=runtime_default).succeeded()
        expect("is used from /kaniko/base" in started.said, started.said[-1500:])
        expect_equal(started.log.read_text(), tar_layers.digest_of(world.manifest("app:1.0")))


@case("a context from stdin is built")
def from_stdin(world):
    folder = source(world, DOCKERFILE)
    packed = subprocess.run(["tar", "-cz", "-C", str(folder), "."], check=True, capture_output=True).stdout
    Started(world, sample("stdin.yaml"), {"registry": docker_config(world)}, stdin=packed).succeeded()
    expect_equal(containers.pulled(world, "app:1.0").text("/both"), "none\ncontent\n")


@case("the Pod of kaniko's tutorial works with only its image changed")
def kaniko_pod(world):
    document = yaml.safe_load(KANIKO_POD.replace("HOST", world.host))
    text = f"FROM {world.host}/busybox\nENTRYPOINT [\"/bin/sh\", \"-c\", \"echo hello\"]\n"
    Started(world, document, {"dockerfile-storage": source(world, "", {"dockerfile": text}),
                              "kaniko-secret": docker_config(world)}).succeeded()
    expect_equal(containers.pulled(world, "tutorial:latest").config["Entrypoint"], ["/bin/sh", "-c", "echo hello"])


@case("a Job of kaniko's with a mounted Secret works with only its image changed")
def kaniko_job(world):
    document = yaml.safe_load(KANIKO_JOB.replace("HOST", world.host))
    # A build of several stages as those of web front ends: packages first, then the sources.
    text = textwrap.dedent("""\
        FROM {host}/busybox AS build
        WORKDIR /app
        COPY package*.json ./
        RUN mkdir -p node_modules/left && cp package.json node_modules/left/index.js
        COPY . .
        RUN mkdir dist && cat src/*.js node_modules/*/index.js > dist/bundle.js
        FROM {host}/busybox
        COPY --from=build --chown=1000:1000 /app/dist /usr/share/nginx/html
        EXPOSE 80
        CMD ["httpd", "-f"]
        """)
    folder = source(world, text)
    write_tree(folder, {"package.json": "{}\n", "package-lock.json": "{}\n", "src/a.js": "a();\n", "src/b.js": "b();\n",
                        "node_modules/never": "x", ".dockerignore": "node_modules\n"})
    started = Started(world, document, {"docker-config": docker_config(world), "workspace": folder}).succeeded()
    expect_equal(started.log.read_text(), tar_layers.digest_of(world.manifest("job:v1")))
    image = containers.pulled(world, "job:v1")
    expect_equal(image.text("/usr/share/nginx/html/bundle.js"), "a();\nb();\n{}\n")
    containers.expect_clean_layers(image)
    expect_equal(sorted(path.name for path in folder.iterdir()),
                 [".dockerignore", "Dockerfile", "f", "node_modules", "package-lock.json", "package.json", "src"])


if __name__ == "__main__":
    sys.exit(main())
