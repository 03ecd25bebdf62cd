#!/usr/bin/env python3
"""cairn-argo-plugin, asked exactly as the agent of Argo Workflows 4.1 asks an executor plugin."""
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import yaml

from support import ROOT, case, closed_registry, expect, expect_equal, main

import fault_proxy
import registry
import tar_layers

PATH = "/api/v1/template.execute"
TOKEN = "0123456789abcdef0123456789abcdef"
FOLDER = ROOT / "workflows/argo/executor-plugin"


class Plugin:
    """The program, and an agent that talks to it."""

    def __init__(self, world, *flags: str, environment: dict | None = None):
        self.token_file = world.new_directory("argo") / "token"
        self.token_file.write_text(TOKEN)
        program = pathlib.Path(os.environ["CAIRN_PROGRAMS"]) / "cairn-argo-plugin"
        self.process = subprocess.Popen(
            [program, "--port=0", f"--token-file={self.token_file}", *flags], text=True, stderr=subprocess.PIPE,
            env={**world.environment, **(environment or {})})
        first = self.process.stderr.readline()
        self.port = int(re.search(r"listening on 127\.0\.0\.1:(\d+)", first)[1])

    def post(self, body: bytes | str, token: str = TOKEN, path: str = PATH, method: str = "POST") -> tuple[int, bytes]:
        """One call, with the headers of Go's client: status and body."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(
                method, path, body, {
                    "Host": f"localhost:{self.port}", "User-Agent": "Go-http-client/1.1",
                    "Content-Type": "application/json", "Authorization": f"Bearer {token}", "Accept-Encoding": "gzip"
                })
            answer = connection.getresponse()
            return answer.status, answer.read()

    def announce(self, size: int) -> int:
        """The status for a body of SIZE bytes, of which none is sent: who refuses it need not read it."""
        connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.putrequest("POST", PATH)
            connection.putheader("Authorization", f"Bearer {TOKEN}")
            connection.putheader("Content-Length", str(size))
            connection.endheaders()
            return connection.getresponse().status

    def execute(self, plugin: dict, uid: str = "u", **template) -> dict:
        """What became of a node, as often as the plugin wants to be asked."""
        body = json.dumps({"workflow": {"metadata": {"name": "w", "namespace": "n", "uid": uid}},
                           "template": {"name": "main", "inputs": {}, "outputs": {}, "plugin": plugin, **template}})
        while True:
            status, text = self.post(body)
            expect_equal(status, 200, text.decode())
            reply = json.loads(text)
            if "requeue" not in reply:
                return reply
            expect_equal(reply["node"]["phase"], "Running")
            time.sleep(float(reply["requeue"].removesuffix("s")))

    def node(self, **ours) -> dict:
        return self.execute({"cairn": ours})["node"]

    def close(self) -> str:
        """What it logged."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=20)[1]
        expect_equal(self.process.returncode, 0, said)
        return said


@contextlib.contextmanager
def plugin(world, *flags: str, **how):
    with contextlib.closing(Plugin(world, *flags, **how)) as started:
        yield started


def failed(node: dict, text: str, phase: str = "Failed") -> None:
    expect(node["phase"] == phase and text in node["message"], f"not {phase} with {text!r}: {node}")


@case("a tag is resolved to the digest it has at the moment, and the node's outputs say it")
def resolve(world):
    digest = world.push("resolved:1")
    with plugin(world) as agent:
        expect_equal(
            agent.node(resolve={"image": f"{world.host}/resolved:1"}), {
                "phase": "Succeeded", "message": digest, "outputs": {
                    "parameters": [{"name": "digest", "value": digest},
                                   {"name": "image", "value": f"{world.host}/resolved@{digest}"}]
                }
            })
        again = world.push("resolved:1", [tar_layers.entry("f", "x")])
        expect_equal(agent.node(resolve={"image": f"{world.host}/resolved:1"})["message"], again)
        failed(agent.node(resolve={"image": f"{world.host}/resolved:none"}), "not in the registry")


@case("credentials are checked, and what is wrong with one is the node's message")
def check(world):
    with closed_registry(world, "ann", "s3cret") as server:
        auth = {
            server.host: {"username": "ann", "password": "s3cret"}, world.host: {"username": "ann", "password": "x"}
        }
        with plugin(world, environment={"DOCKER_AUTH_CONFIG": json.dumps({"auths": auth})}) as agent:
            node = agent.node(check={"images": [f"{server.host}/app:1"], "push": True})
            expect_equal((node["phase"], node["message"]),
                         ("Succeeded", f'{server.host}/app: credential "{server.host}" of DOCKER_AUTH_CONFIG'))
        auth[server.host]["password"] = "wr0ng"
        with plugin(world, environment={"DOCKER_AUTH_CONFIG": json.dumps({"auths": auth})}) as agent:
            node = agent.node(check={"images": f"{server.host}/app:1\n", "push": "false"})
            failed(node, "401 Unauthorized")
            expect("wr0ng" not in json.dumps(node), f"the password is in the message: {node}")


@case("images are copied to a mirror, where --registry-mirror then finds them")
def warm(world):
    base = world.push("library/tool:1", [tar_layers.entry("tool", "works")])
    with contextlib.closing(registry.Registry(world.new_directory("mirror"))) as server, plugin(world) as agent:
        node = agent.node(warm={"images": f"{world.host}/library/tool:1\n{world.host}/library/tool@{base}\n",
                                "to": f"{server.host}/hub"})
        copies = "\n".join([f"{server.host}/hub/library/tool@{base}"] * 2)
        expect_equal(node["outputs"]["parameters"], [{"name": "images", "value": copies}])
        build = world.files_only("FROM tool:1\nENV A=b\n", {}, f"--registry-mirror={server.host}/hub",
                                 "--skip-default-registry-fallback")
        expect_equal(build.image.text("/tool"), "works")


@case("of an image for several platforms those that are named are copied, or all")
def platforms(world):
    for architecture in ("amd64", "arm64"):
        world.files_only("FROM scratch\nCOPY f /f\n", {"f": architecture}, f"--custom-platform=linux/{architecture}",
                         outputs=(f"--destination={world.host}/many:{architecture}",)).succeeded()
    status, _, err, _ = world.execute(["index", f"{world.host}/many:amd64", f"{world.host}/many:arm64",
                                       f"--destination={world.host}/many:1"])
    expect_equal(status, 0, err)
    with plugin(world) as agent:
        for place, wanted in (("some", ["linux/arm64"]), ("every", [])):
            node = agent.node(
                warm={"images": [f"{world.host}/many:1"], "to": f"{world.host}/{place}", "platforms": wanted})
            expect_equal(node["phase"], "Succeeded", str(node))
        expect_equal(world.manifest("every/many:1"), world.manifest("many:1"))
        members = json.loads(world.manifest("some/many:1"))["manifests"]
        expect_equal([member["platform"]["architecture"] for member in members], ["arm64"])
        failed(agent.node(resolve={"image": f"{world.host}/many:1", "platform": "linux/s390x"}), "only for linux/amd64")


@case("work that takes long is running until it is done, and is done once")
def long_work(world):
    with contextlib.closing(fault_proxy.FaultProxy(world.host)) as proxy, plugin(world) as agent:
        proxy.add("^HEAD .*/manifests/", times=1, status=429, headers={"Retry-After": "17"})
        body = json.dumps({"workflow": {"metadata": {"uid": "long"}},
                           "template": {"plugin": {"cairn": {"resolve": {"image": f"{proxy.host}/busybox"}}}}})
        status, text = agent.post(body)
        expect_equal((status, json.loads(text)),
                     (200, {"node": {"phase": "Running", "message": "still at it"}, "requeue": "5s"}))
        expect_equal(json.loads(agent.post(body)[1])["node"]["phase"], "Succeeded")
        expect_equal(proxy.count("^HEAD .*/manifests/"), 2)


@case("a registry that is out of order is an error that a retry may mend, not a failure of the workflow")
def out_of_order(world):
    host = f"127.0.0.1:{registry.free_port()}"
    with plugin(world) as agent:
        failed(agent.node(resolve={"image": f"{host}/app:1"}), "connect", phase="Error")


@case("a template of another plugin is left to it, and another method is unknown")
def others(world):
    with plugin(world) as agent:
        expect_equal(agent.execute({"hello": {}}), {})
        expect_equal(agent.post("{}")[1], b"{}")
        expect_equal(agent.post("{}", path="/api/v1/workflow.postOperate")[0], 404)
        expect_equal(agent.post("", method="GET")[0], 405)


@case("without the agent's token nothing is done; the token may change")
def token(world):
    with plugin(world) as agent:
        expect_equal(agent.post("{}", token="x" * 32)[0], 403)
        agent.token_file.write_text("n" * 32)
        expect_equal(agent.post("{}")[0], 403)
        expect_equal(agent.post("{}", token="n" * 32)[0], 200)
        agent.token_file.unlink()
        expect(agent.post("{}", token="n" * 32)[0] >= 400, "a token that is gone was taken")


@case("a template that makes no sense fails with what is wrong with it")
def nonsense(world):
    with plugin(world) as agent:
        for ours, text in (({}, "exactly one of resolve, check and warm"), ({"build": {}}, '"build" is none of'),
                           ({"resolve": {}}, '"image" is missing'), ({"resolve": {"image": "a",
                                                                                  "platfrom": "x"}}, "platform"),
                           ({"check": {"images": []}}, "names 0 images"), ({"warm": {"images": "a"}},
                                                                           '"to" is missing'),
                           ({"resolve": {"image": "A:B:C"}}, "A:B:C"), ({"check": {"images": "a",
                                                                                   "push": "yes"}}, "'yes'")):
            failed(agent.node(**ours), text)
        status, text = agent.post("not json")
        failed(json.loads(text)["node"], "JSON")
        expect_equal(status, 200)
        expect_equal(agent.announce(2 << 20), 413)


@case("a signal ends it at once, also in the middle of work")
def signals(world):
    with contextlib.closing(fault_proxy.FaultProxy(world.host)) as proxy:
        proxy.add("^HEAD .*/manifests/", times=9, status=429, headers={"Retry-After": "60"})
        agent = Plugin(world)
        connection = http.client.HTTPConnection("localhost", agent.port)
        connection.request("POST", PATH, json.dumps({"template": {"plugin": {"cairn": {
            "resolve": {"image": f"{proxy.host}/busybox"}}}}}), {"Authorization": f"Bearer {TOKEN}"})
        while not proxy.log:
            time.sleep(0.02)
        started = time.monotonic()
        agent.close()
        expect(time.monotonic() - started < 5, "it took its time")
        connection.close()


@case("the ConfigMap is the one that Argo's own tool makes of the manifest")
def config_map(_world):
    manifest = yaml.safe_load((FOLDER / "plugin.yaml").read_text())
    document = yaml.safe_load((FOLDER / "cairn-executor-plugin-configmap.yaml").read_text())
    expect_equal((document["kind"], document["metadata"]["name"], document["metadata"]["labels"]),
                 ("ConfigMap", "cairn-executor-plugin", {"workflows.argoproj.io/configmap-type": "ExecutorPlugin"}))
    expect_equal(set(document["data"]), {"sidecar.automountServiceAccountToken", "sidecar.container"})
    expect_equal(document["data"]["sidecar.automountServiceAccountToken"], "false")
    container = yaml.safe_load(document["data"]["sidecar.container"])
    expect_equal(container, manifest["spec"]["sidecar"]["container"], "run scripts/argo-plugin:")
    expect_equal(set(container) & {"ports", "resources", "securityContext"}, {"ports", "resources", "securityContext"})
    expect_equal((set(container["resources"]), container["ports"]), ({"requests", "limits"}, [{"containerPort": 4355}]))


if __name__ == "__main__":
    sys.exit(main())
