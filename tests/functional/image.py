#!/usr/bin/env python3
"""Cairn's own images, as scripts/image left them in out/: what users and pipelines expect to find in them."""
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile

ROOT = pathlib.Path(os.environ["CAIRN_ROOT"])
LAYOUT = ROOT / "out/cairn"
DEBUG = ROOT / "out/cairn-debug"
# What a runner of GitLab, Jenkins and people at a prompt start.
APPLETS = ("sh", "cat", "printf", "mkdir", "rm", "chmod", "touch", "date", "ls", "kill", "grep", "sleep", "tr", "sed",
           "cut", "env", "wget")
PROGRAMS = pathlib.Path(os.environ["CAIRN_PROGRAMS"])
failures = 0


def case(name: str, why_not: str) -> None:
    """Reports a case; an empty WHY_NOT means that it holds."""
    global failures
    failures += bool(why_not)
    print(f"not ok {name}: {why_not}" if why_not else f"ok {name}", flush=True)


def blob(layout: pathlib.Path, digest: str) -> bytes:
    return (layout / "blobs" / digest.replace(":", "/")).read_bytes()


def differs(found, wanted) -> str:
    return "" if found == wanted else f"expected {wanted!r}, found {found!r}"


def read_image(layout: pathlib.Path) -> tuple[dict, dict, dict[str, tarfile.TarInfo]]:
    index = json.loads((layout / "index.json").read_bytes())
    manifest = json.loads(blob(layout, index["manifests"][0]["digest"]))
    entries = {}
    for layer in manifest["layers"]:
        with tempfile.TemporaryFile() as plain:
            plain.write(gzip.decompress(blob(layout, layer["digest"])))
            plain.seek(0)
            with tarfile.open(fileobj=plain) as archive:
                entries |= {"/" + member.name.removeprefix("./").strip("/"): member for member in archive}
    return manifest, json.loads(blob(layout, manifest["config"]["digest"])), entries


def environment(config: dict) -> dict[str, str]:
    return dict(variable.split("=", 1) for variable in config["config"]["Env"])


def check_config(config: dict, manifest: dict) -> None:
    wanted = {
        "HOME": "/root",
        "USER": "root",
        "PATH": "/usr/local/bin:/kaniko",
        "SSL_CERT_DIR": "/kaniko/ssl/certs",
        "DOCKER_CONFIG": "/kaniko/.docker/",
        "DOCKER_CREDENTIAL_GCR_CONFIG": "/kaniko/.config/gcloud/docker_credential_gcr_config.json",
    }
    case("the environment is kaniko's", differs(environment(config), wanted))
    case("the entrypoint is the executor", differs(config["config"].get("Entrypoint"), ["/kaniko/executor"]))
    case("it starts in /workspace", differs(config["config"].get("WorkingDir"), "/workspace"))
    case("it names no user", differs(config["config"].get("User", ""), ""))
    version = re.search(r"version: '(.*)'", (ROOT / "meson.build").read_text())[1]
    for what, found in (("labels", config["config"].get("Labels", {})), ("annotations", manifest.get("annotations",
                                                                                                     {}))):
        found = {key.rpartition(".")[2]: value for key, value in found.items()}
        case(f"its {what} say what it is", differs({key: found.get(key) for key in ("title", "version", "licenses")},
                                                   {"title": "Cairn", "version": version, "licenses": "Apache-2.0"}))


def check_debug(plain: dict, plain_config: dict) -> None:
    manifest, config, entries = read_image(DEBUG)
    size = sum(layer["size"] for layer in manifest["layers"])
    case("with a shell the compressed layers are under 12 MB", "" if size < 12_000_000 else f"{size:,} bytes")
    case("the image with a shell is the other one with a layer more",
         differs(manifest["layers"][:-1], plain["layers"]))
    wanted = {**environment(plain_config), "PATH": "/usr/local/bin:/kaniko:/busybox"}
    case("its environment adds the tools to the path", differs(environment(config), wanted))
    case("its entrypoint is the executor too", differs(config["config"]["Entrypoint"], ["/kaniko/executor"]))
    case("its tools are a volume, which a build in place leaves alone",
         differs(config["config"].get("Volumes"), {"/busybox": {}}))
    missing = [name for name in APPLETS if f"/busybox/{name}" not in entries]
    case("it has what runners start", differs(missing, []))
    shell = entries.get("/usr/bin/sh")
    case("/usr/bin/sh is there as well", differs(shell and shell.linkname, "/busybox/sh"))
    case("it says whose the tools are and where their source is",
         "" if "/busybox/copyright" in entries else "no /busybox/copyright")


def check_files(entries: dict[str, tarfile.TarInfo]) -> None:
    for path, mode in {
        "/kaniko": 0o777,
        "/kaniko/executor": 0o755,
        "/kaniko/warmer": 0o777,
        "/kaniko/cairn-creds": 0o777,
        "/kaniko/docker-credential-cairn": 0o777,
        "/kaniko/docker-credential-ecr-login": 0o777,
        "/kaniko/docker-credential-gcr": 0o777,
        "/kaniko/docker-credential-acr-env": 0o777,
        "/kaniko/.docker": 0o755,
        "/kaniko/ssl/certs/ca-certificates.crt": 0o644,
        "/etc/nsswitch.conf": 0o644,
        "/workspace": 0o755,
    }.items():
        entry = entries.get(path)
        case(f"{path} is there with mode {mode:o}", differs(entry and oct(entry.mode & 0o7777), oct(mode)))
    links = {path: entry.linkname for path, entry in entries.items() if entry.issym()}
    names = {path: target for path, target in links.items() if path.startswith("/kaniko/")}
    case("the other programs are names of the executor",
         "" if len(names) >= 5 and set(names.values()) == {"executor"} else repr(names))
    case("the links that base images have are there",
         differs({path: target for path, target in links.items() if path not in names},
                 {"/var/run": "../run", "/var/lock": "../run/lock",
                  **{f"/{name}": f"usr/{name}" for name in ("bin", "sbin", "lib", "lib64")}}))
    owners = {path for path, entry in entries.items() if (entry.uid, entry.gid) != (0, 0)}
    case("everything belongs to root", differs(owners, set()))
    roots = {"/" + path.split("/")[1] for path in entries} - {"/"}
    case("nothing else lies in /",
         differs(roots, {"/kaniko", "/etc", "/workspace", "/run", "/usr", "/var", "/bin", "/sbin", "/lib", "/lib64"}))


def check_static() -> None:
    for program in sorted(PROGRAMS.iterdir()):
        if not program.is_file() or program.is_symlink() or not os.access(program, os.X_OK):
            continue
        headers = subprocess.run(["readelf", "--program-headers", "--dynamic", program], check=True,
                                 capture_output=True, text=True).stdout
        needs = re.findall(r"INTERP\b|\(NEEDED\).*", headers)
        case(f"{program.name} loads no shared library", differs(needs, []))


def main() -> int:
    if not LAYOUT.is_dir():
        case("the image is built", "out/cairn is not there: run scripts/image")
        return 1
    manifest, config, entries = read_image(LAYOUT)
    size = sum(layer["size"] for layer in manifest["layers"])
    case("the compressed layers are under 10 MB", "" if size < 10_000_000 else f"{size:,} bytes")
    check_config(config, manifest)
    check_files(entries)
    check_static()
    check_debug(manifest, config)
    with tarfile.open(ROOT / "out/cairn.tar") as archive:
        tags = json.load(archive.extractfile("manifest.json"))[0]["RepoTags"]
    tags = [tag.removeprefix("index.docker.io/library/") for tag in tags]
    case("the archive for docker load carries the tag", differs(tags, ["cairn:latest"]))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
