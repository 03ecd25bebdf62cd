"""Containers as Tekton's, Argo's and GitLab's pods start them, under runc, from Cairn's images."""
import functools
import hashlib
import os
import pathlib
import shutil
import subprocess

from support import ROOT, Skip, expect, expect_equal, write_tree

import built_image
import pod

# What tests build; a new one of each for every build.
DOCKERFILE = (
    "FROM {host}/busybox AS build\nARG MESSAGE=none\nRUN mkdir /made && echo \"$MESSAGE\" > /made/file\n"
    "FROM {host}/busybox\nCOPY --from=build /made/file /file\nCOPY f /f\nRUN cat /file /f > /both && ls / > /listing\n")
COPIES = "FROM {host}/busybox\nCOPY f /f\nENV A=b\n"
TOP_DIRECTORIES = ("tekton", "argo", "workspace", "builds", "cache", "kaniko", "busybox", "secrets", "registry",
                   "argo-bin")


@functools.lru_cache(maxsize=None)
def root_file_system(directory: pathlib.Path, name: str) -> pathlib.Path:
    """One of Cairn's images, unpacked: cairn or cairn-debug."""
    if os.geteuid() != 0 or shutil.which("runc") is None:
        raise Skip("needs root and runc")
    if not (ROOT / f"out/{name}/index.json").exists():
        raise Skip(f"scripts/image has not made out/{name}")
    tag = {"cairn": "latest", "cairn-debug": "debug"}[name]
    bundle = directory / f"unpacked-{name}"
    subprocess.run(["umoci", "unpack", "--image", f"{ROOT}/out/{name}:{tag}", str(bundle)], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return bundle / "rootfs"


def unpacked(world, name: str) -> pathlib.Path:
    """An image of the world's registry as a node has it, for a volume."""
    if shutil.which("umoci") is None or shutil.which("skopeo") is None:
        raise Skip("needs umoci and skopeo")
    directory = world.new_directory("node")
    subprocess.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{world.host}/{name}",
                    f"oci:{directory}/layout:base"], check=True)
    subprocess.run(["umoci", "unpack", "--image", f"{directory}/layout:base", f"{directory}/bundle"], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return directory / "bundle/rootfs"


def node_base(world) -> pathlib.Path:
    """Puts the base image that samples name, base:1.0, into the registry; where the node has it."""
    world.push("base:1.0")
    return unpacked(world, "base:1.0")


def profile(security: dict, *, runtime_default: bool) -> pod.Profile:
    """What a kubelet makes of a securityContext; RUNTIME_DEFAULT is what a missing seccompProfile means there."""
    if set(security) - {"runAsUser", "runAsGroup", "runAsNonRoot", "allowPrivilegeEscalation", "readOnlyRootFilesystem",
                        "capabilities", "seccompProfile"}:
        raise KeyError(f"unknown in {security}")
    if security.get("runAsNonRoot") and not security.get("runAsUser"):
        raise KeyError("the image's user is root: the kubelet refuses to start it")
    dropped = security.get("capabilities", {}).get("drop") == ["ALL"]
    return pod.Profile("rendered", uid=security.get("runAsUser", 0),
                       capabilities=[] if dropped else pod.DEFAULT_CAPABILITIES,
                       seccomp=runtime_default or "seccompProfile" in security,
                       no_new_privs=security.get("allowPrivilegeEscalation") is False,
                       read_only=security.get("readOnlyRootFilesystem", False))


def fingerprint(directory: pathlib.Path) -> dict[str, tuple]:
    """What a directory holds: names, kinds, modes, owners, bytes."""
    found = {}
    for path in [directory, *sorted(directory.rglob("*"))]:
        info = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""
        found[str(path.relative_to(directory))] = (oct(info.st_mode), info.st_uid, info.st_gid, content)
    return found


def secret(directory: pathlib.Path, entries: dict[str, str]) -> pathlib.Path:
    """A directory as a Secret or ConfigMap is mounted."""
    return pod.projected(directory, entries)


class Volumes:
    """Directories of one pod by name, each made when it is first asked for: open to all, as an emptyDir is."""

    def __init__(self, world):
        self._world, self._made = world, {}

    def put(self, name: str, directory: pathlib.Path) -> None:
        self._made[name] = directory

    def get(self, name: str) -> pathlib.Path:
        if name not in self._made:
            self._made[name] = self._world.new_directory("volume")
            self._made[name].chmod(0o777)
        return self._made[name]


def run(world, words: list[str], *, image: str = "cairn", security: dict, environment: dict[str, str], directory: str,
        mounts: list, volumes: Volumes, runtime_default: bool = True, stdin: bytes = b"",
        **how) -> subprocess.CompletedProcess:
    """Runs a container, HOW is of pod.Pod; mounts that are read-only, or a source, are as they were afterwards."""
    root = root_file_system(world.directory, image)
    kept = [mount.source for mount in mounts if mount.source and mount.read_only]
    before = [fingerprint(path) for path in kept]
    with pod.Pod(root, world.directory, profile(security, runtime_default=runtime_default), **how) as container:
        for mount in mounts:
            container.bind(mount.source or volumes.get(mount.volume), mount.target, read_only=mount.read_only)
        done = container.run(words, environment=environment, cwd=directory or "/workspace", stdin=stdin)
    expect_equal([fingerprint(path) for path in kept], before, "mounts that nobody may touch")
    return done


def pulled(world, name: str, host: str | None = None) -> built_image.Image:
    """An image of the registry."""
    layout = world.new_directory("pulled") / "layout"
    subprocess.run([
        "skopeo", "copy", "--quiet", "--all", "--src-tls-verify=false", f"docker://{host or world.host}/{name}",
        f"oci:{layout}"
    ], check=True)
    return built_image.Image(layout)


def expect_clean_layers(image: built_image.Image) -> None:
    """No layer of a built image holds anything of the pod that it was built in."""
    for layer in image.layers:
        wrong = sorted(path for path, _ in layer.entries if path.strip("/").split("/")[0] in TOP_DIRECTORIES
                       or path.strip("/").startswith(("var/run/argo", "run/argo", "var/run/secrets", "run/secrets")))
        expect(not wrong, f"in a layer: {wrong[:10]}")


def source(world, dockerfile: str, files: dict | None = None) -> pathlib.Path:
    directory = world.new_directory("source")
    directory.chmod(0o755)
    write_tree(directory, {"Dockerfile": dockerfile.format(host=world.host), "f": "content\n", **(files or {})})
    return directory


def config_json(host: str, user: str, password: str) -> dict:
    return {"auths": {host: {"username": user, "password": password}}}
