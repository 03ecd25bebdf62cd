#!/usr/bin/env python3
"""Pulls and pushes against docker-registry: open, with a password, and behind TLS."""
import base64
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import types

ROOT = pathlib.Path(os.environ.get("CAIRN_ROOT", pathlib.Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(ROOT / "tests/support"))

import certificates  # noqa: E402
import images  # noqa: E402
import registry  # noqa: E402
from registry_cases import expect, run_cases  # noqa: E402

USER, PASSWORD = "ann", "s3cret:with:colons"
AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def push_and_pull(world):
    """an image that was pushed comes back byte for byte"""
    host = world.open.host
    pushed = world.tool("push", world.blobs.path, world.image, f"{host}/team/app:1")
    expect(pushed.status == 0, "push works", pushed)
    copy = images.BlobFolder(world.directory / "copy")
    pulled = world.tool("pull", f"{host}/team/app:1", copy.path)
    expect(pulled.status == 0 and pulled.out.strip() == world.image, "the same manifest comes back", pulled)
    for layer in world.blobs.layers(world.image):
        expect(copy.get(layer["digest"]) == world.blobs.get(layer["digest"]), "the same layers come back")


def push_again(world):
    """pushing again uploads nothing"""
    before = len(world.open.requests())
    pushed = world.tool("push", world.blobs.path, world.image, f"{world.open.host}/team/app:1")
    expect(pushed.status == 0, "push works", pushed)
    new = world.open.requests()[before:]
    expect(not [line for line in new if line.startswith(("POST", "PATCH")) or "/blobs/uploads" in line],
           f"only HEAD and the manifest: {new}")


def several_tags(world):
    """two tags in one repository send each blob once"""
    host, before = world.open.host, len(world.open.requests())
    pushed = world.tool("push", world.blobs.path, world.image, f"{host}/team/tags:1", f"{host}/team/tags:2")
    expect(pushed.status == 0, "push works", pushed)
    puts = [line for line in world.open.requests()[before:] if line.startswith("PUT") and "/blobs/" in line]
    expect(len(puts) == len(world.blobs.layers(world.image)) + 1, f"one PUT per blob: {puts}")
    for tag in "12":
        expect(images.digest_of(registry.get(host, f"/v2/team/tags/manifests/{tag}")) == world.image,
               "both tags are there")


def mounts(world):
    """a blob known in another repository is mounted, not uploaded"""
    host, before = world.open.host, len(world.open.requests())
    pushed = world.tool(f"--from={host}/team/app", "push", world.blobs.path, world.image, f"{host}/other/app:1")
    expect(pushed.status == 0, "push works", pushed)
    new = world.open.requests()[before:]
    expect(not [line for line in new if line.startswith("PUT") and "/blobs/" in line], f"no upload: {new}")
    mounted = world.tool("mount", f"{host}/third/app", world.blobs.layers(world.image)[0]["digest"], "team/app")
    expect(mounted.out == "mounted\n", "a single blob is mounted", mounted)
    refused = world.tool("mount", f"{host}/third/app", images.digest_of(b"nothing"), "team/app")
    expect(refused.out == "not mounted\n", "an unknown one is not", refused)


def several_repositories(world):
    """a second repository on the same registry gets its blobs from the first"""
    host, before = world.open.host, len(world.open.requests())
    image = world.blobs.image([70_000], seed=7)
    pushed = world.tool("push", world.blobs.path, image, f"{host}/first/app:1", f"{host}/second/app:1")
    expect(pushed.status == 0, "push works", pushed)
    puts = [line for line in world.open.requests()[before:] if line.startswith("PUT") and "/blobs/" in line]
    expect(len(puts) == 2 and all("/first/" in line for line in puts), f"uploaded to the first alone: {puts}")


def indexes(world):
    """an index leads to the image of the platform that was asked for"""
    host, arm = world.open.host, world.blobs.image([9000], seed=2, architecture="arm64")
    for digest in (world.image, arm):
        expect(world.tool("push", world.blobs.path, digest, f"{host}/team/multi:part").status == 0, "push works")
    index = json.dumps({"schemaVersion": 2, "mediaType": images.OCI_INDEX, "manifests": [
        {"mediaType": images.OCI_MANIFEST, "digest": digest, "size": len(world.blobs.get(digest)),
         "platform": {"os": "linux", "architecture": architecture}}
        for digest, architecture in ((world.image, "amd64"), (arm, "arm64"))]})
    path = world.directory / "index.json"
    path.write_text(index)
    put = world.tool("index", path, f"{host}/team/multi:1", images.OCI_INDEX)
    expect(put.status == 0, "the index is taken", put)
    found = world.tool("--platform=linux/arm64", "resolve", f"{host}/team/multi:1")
    expect(found.out.splitlines()[1:4] == [arm, images.digest_of(index.encode()), "linux/arm64"],
           f"arm64's image: {found.out}", found)
    missing = world.tool("--platform=linux/s390x", "resolve", f"{host}/team/multi:1")
    expect(missing.status == 1 and "linux/amd64, linux/arm64" in missing.err, "the platforms are listed", missing)


def missing_things(world):
    """what is not there is named with its reference"""
    host = world.open.host
    result = world.tool("resolve", f"{host}/team/app:none")
    expect(result.status == 1 and f"{host}/team/app:none: not in the registry" in result.err, "the tag is named",
           result)
    expect(world.tool("manifest", f"{host}/no/such:1").out == "none\n", "an unknown repository is no error")
    result = world.tool("blob", f"{host}/team/app", images.digest_of(b"x"), 1)
    expect(result.status == 1 and "404 Not Found: BLOB_UNKNOWN" in result.err, "what the registry said", result)
    layer = world.blobs.layers(world.image)[0]
    result = world.tool("blob", f"{host}/team/app", layer["digest"], layer["size"] - 1)
    expect(result.status == 1 and f"more than the {layer['size'] - 1} bytes" in result.err, "a wrong size fails",
           result)


def heads(world):
    """HEAD tells what GET would bring"""
    host = world.open.host
    found = world.tool("head", f"{host}/team/app:1")
    wanted = f"{images.OCI_MANIFEST} {world.image} {len(world.blobs.get(world.image))}\n"
    expect(found.out == wanted, f"{found.out} is {wanted}", found)
    expect(world.tool("head", f"{host}/team/app:none").out == "none\n", "nothing for what is not there")
    layer = world.blobs.layers(world.image)[0]["digest"]
    expect(world.tool("has", f"{host}/team/app", layer).out == "yes\n", "a blob that is there")
    expect(world.tool("has", f"{host}/team/app", images.digest_of(b"x")).out == "no\n", "one that is not")


def foreign_layers(world):
    """a layer that may not be distributed is left out with a warning"""
    image = world.blobs.image([5000], seed=3, layer_type="application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
    manifest = json.loads(world.blobs.get(image))
    layer = manifest["layers"][0]
    layer["urls"] = ["https://example.com/layer"]
    manifest["mediaType"] = "application/vnd.docker.distribution.manifest.v2+json"
    manifest["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json"
    image = world.blobs.put(json.dumps(manifest).encode())
    before = len(world.open.requests())
    pushed = world.tool("push", world.blobs.path, image, f"{world.open.host}/team/foreign:1")
    expect("is not to be distributed" in pushed.err, "it is said", pushed)
    new = world.open.requests()[before:]
    expect(not [line for line in new if line.startswith("PUT") and layer["digest"] in line], f"not uploaded: {new}")


def mirrors(world):
    """a mirror is asked first, the origin when that has nothing"""
    host = world.open.host
    found = world.tool(f"--map=origin.invalid={host}/team", "resolve", "origin.invalid/app:1")
    expect(found.out.startswith(f"{host}/team/app:1\n"), "the mirror's image", found)
    found = world.tool(f"--map={host}={world.closed.host}/nowhere", "--attempts=1", "resolve", f"{host}/team/app:1")
    expect(found.out.startswith(f"{host}/team/app:1\n"), "the origin's image", found)
    expect("401 Unauthorized" in found.err and f"trying {host}/team/app" in found.err, "why not the mirror", found)


def passwords(world):
    """a password opens a registry for push and pull"""
    host, config = world.closed.host, {"auths": {world.closed.host: {"auth": AUTH}}}
    pushed = world.tool("push", world.blobs.path, world.image, f"{host}/team/app:1", config=config)
    expect(pushed.status == 0, "push works", pushed)
    pulled = world.tool("pull", f"{host}/team/app:1", world.directory / "closed", config=config)
    expect(pulled.status == 0, "pull works", pulled)
    login = world.tool("login", f"{host}/team/app", config=config)
    expect(login.out.startswith(f'credential "{host}" of '), "the credential is named", login)


def no_credential(world):
    """without a credential the error says where one was looked for"""
    host = world.closed.host
    for words in (("check", f"{host}/team/app"), ("resolve", f"{host}/team/app:1"), ("login", f"{host}/team/app")):
        result = world.tool(*words, config={"auths": {"elsewhere": {"auth": AUTH}}})
        expect(result.status == 1 and "401 Unauthorized" in result.err, "it is refused", result)
        expect(f"no credential for {host} in /" in result.err, "where it was looked for", result)


def wrong_password(world):
    """a wrong password is refused, and named by its key without being shown"""
    host = world.closed.host
    result = world.tool("check", f"{host}/team/app",
                        config={"auths": {f"http://{host}/v2/": {"username": USER, "password": "hunter2hunter2"}}})
    expect(result.status == 1 and f'with credential "http://{host}/v2/" of /' in result.err, "the key", result)
    expect("hunter2" not in result.err and AUTH not in result.err, "no secret in the message", result)


def scoped_keys(world):
    """the credential of a path beats the one of the host"""
    host = world.closed.host
    wrong = base64.b64encode(b"ann:wrong").decode()
    result = world.tool("check", f"{host}/team/app",
                        config={"auths": {host: {"auth": wrong}, f"{host}/team": {"auth": AUTH}}})
    expect(result.status == 0, "the path's credential opens it", result)


def helpers(world):
    """a credential helper is asked with the registry's host"""
    host, folder = world.closed.host, world.directory / "helpers"
    folder.mkdir()
    program = folder / "docker-credential-test"
    answer = json.dumps({"ServerURL": host, "Username": USER, "Secret": PASSWORD})
    program.write_text(f"#!/bin/sh\nread -r server\n[ \"$1 $server\" = 'get {host}' ] && echo '{answer}'\n")
    program.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    result = world.tool("login", f"{host}/team/app", config={"credHelpers": {host: "test"}}, environment=environment)
    expect(result.out == f'credential "{host}" of docker-credential-test\n', "the helper's credential", result)
    program.write_text("#!/bin/sh\necho 'the vault is sealed'\nexit 1\n")
    result = world.tool("login", f"{host}/team/app", config={"credsStore": "test"}, environment=environment)
    expect("docker-credential-test" in result.err and "the vault is sealed" in result.err, "what it said", result)


def unknown_authority(world):
    """a certificate of an unknown authority is refused with the flags that would help"""
    result = world.tool("--attempts=1", "check", f"{world.tls.host}/team/app")
    expect(result.status == 1 and "certificate" in result.err, "it is refused for good", result)
    expect(f"--registry-certificate {world.tls.host}=FILE" in result.err, "the flag is named", result)


def known_authority(world):
    """an authority named for the registry is trusted, a wrong name is not"""
    host = world.tls.host
    result = world.tool(f"--certificate={host}={world.authority.certificate}", "push", world.blobs.path, world.image,
                        f"{host}/team/app:1")
    expect(result.status == 0, "push works", result)
    other = f"localhost:{world.tls.port}"
    result = world.tool(f"--certificate={other}={world.authority.certificate}", "check", f"{other}/team/app")
    expect(result.status == 1 and "--skip-tls-verify-registry" in result.err, "the name does not match", result)


def no_verification(world):
    """verification can be turned off"""
    result = world.tool("--skip-tls-verify", "check", f"{world.tls.host}/team/app")
    expect(result.status == 0, "it is let through", result)


def client_certificates(world):
    """a registry that asks for a client certificate gets the one that is named for it"""
    host = world.mutual.host
    trust = f"--certificate={host}={world.authority.certificate}"
    result = world.tool(trust, "--attempts=1", "check", f"{host}/team/app")
    expect(result.status != 0, "without one it is refused", result)
    certificate, key = world.client
    result = world.tool(trust, f"--client-cert={host}={certificate},{key}", "check", f"{host}/team/app")
    expect(result.status == 0, "with it works", result)


def unreachable(world):
    """a registry that cannot be reached is a temporary failure"""
    port = registry.free_port()
    result = world.tool("--attempts=2", "check", f"127.0.0.1:{port}/team/app")
    expect(result.status == 75 and f"127.0.0.1:{port}" in result.err, "exit status 75, the host named", result)
    expect("gave up after 2 attempts" in result.err, "how often it tried", result)
    result = world.tool("--attempts=1", "check", "registry.invalid/team/app")
    expect(result.status == 75 and "registry.invalid" in result.err, "an unknown host too", result)


CASES = [push_and_pull, push_again, several_tags, mounts, several_repositories, indexes, missing_things, heads,
         foreign_layers, mirrors, passwords, no_credential, wrong_password, scoped_keys, helpers,
         unknown_authority, known_authority, no_verification, client_certificates, unreachable]


def start_registries(directory: pathlib.Path, stack: contextlib.ExitStack) -> dict:
    def start(**how) -> registry.Registry:
        return stack.enter_context(contextlib.closing(registry.Registry(directory, **how)))

    passwords_file = directory / "htpasswd"
    passwords_file.write_bytes(
        subprocess.run(["htpasswd", "-Bbn", USER, PASSWORD], check=True, capture_output=True).stdout)
    authority = certificates.Authority(directory)
    certificate, key = authority.issue("server", "IP:127.0.0.1")
    tls = f"  tls: {{certificate: {certificate}, key: {key}"
    return {
        "authority": authority,
        "client": authority.issue("client", "DNS:client"),
        "open": start(name="open"),
        "closed": start(name="closed", auth=f"auth: {{htpasswd: {{realm: test, path: {passwords_file}}}}}\n"),
        "tls": start(name="tls", tls=tls + "}\n"),
        "mutual": start(name="mutual", tls=tls + f", clientcas: [{authority.certificate}]}}\n"),
    }


@contextlib.contextmanager
def fixture(directory: pathlib.Path, tool):
    with contextlib.ExitStack() as stack:
        blobs = images.BlobFolder(directory / "blobs")
        yield types.SimpleNamespace(directory=directory, tool=tool, blobs=blobs,
                                    image=blobs.image([300_000, 1, 2_000_000, 40_000, 77]),
                                    **start_registries(directory, stack))


if __name__ == "__main__":
    if registry.PROGRAM is None:
        print(f"skip {push_and_pull.__doc__}: docker-registry is not installed")
        sys.exit(0)
    sys.exit(run_cases(CASES, fixture))
