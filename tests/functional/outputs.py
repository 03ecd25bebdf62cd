#!/usr/bin/env python3
"""Where an image goes: registries, archives, layouts, and the files that report its digest."""
import contextlib
import json
import pathlib
import subprocess
import sys
import tarfile

from support import case, expect, expect_equal, main
from web_support import faulty, web

import fault_proxy
import registry
import tar_layers

TEXT = "FROM REGISTRY/busybox\nENV A=b\nCOPY f /f\n"
FILES = {"f": "content"}


def skopeo(*words: str) -> str:
    return subprocess.run(["skopeo", *words], check=True, capture_output=True, text=True).stdout


def pushed(world, *destinations: str, flags: tuple[str, ...] = (), text: str = TEXT, **how):
    """A build that is pushed; names without a registry go to the test's own."""
    names = [name if name.startswith("127.") else f"{world.host}/{name}" for name in destinations]
    outputs = tuple(f"--destination={name}" for name in names)
    return world.files_only(text, FILES, *flags, outputs=outputs, **how).succeeded()


@case("an image is pushed to several tags and repositories")
def several_destinations(world):
    pushed(world, "out/one:1", "out/one:2", "out/two", flags=("--label=run=several",))
    manifests = {world.manifest(name) for name in ("out/one:1", "out/one:2", "out/two:latest")}
    expect_equal(len(manifests), 1)
    config = json.loads(skopeo("inspect", "--tls-verify=false", "--config", f"docker://{world.host}/out/one:2"))
    expect_equal(config["config"]["Labels"], {"run": "several"})


@case("an image is pushed to two registries")
def two_registries(world):
    with contextlib.closing(registry.Registry(world.directory, name="second")) as second:
        pushed(world, "pair:1", f"{second.host}/pair:1", f"{second.host}/other:1")
        expect_equal(world.manifest("pair:1", second.host), world.manifest("pair:1"))
        copied = world.new_directory("copied")
        skopeo("copy", "--src-tls-verify=false", f"docker://{second.host}/other:1", f"oci:{copied}:x")


@case("a base is mounted from its repository, and what is there is not sent again")
def nothing_twice(world):
    before = len(world.registry.requests())
    pushed(world, "mounted:1")
    base = tar_layers.digest_of(tar_layers.compress(tar_layers.busybox()))
    requests = world.registry.requests()[before:]
    expect(not [line for line in requests if line.startswith(("PATCH", "PUT")) and base in line], f"sent: {requests}")
    expect_equal([line for line in requests if line.startswith(f"GET /v2/busybox/blobs/{base}")][1:], [], "read twice")
    before = len(world.registry.requests())
    pushed(world, "mounted:2", flags=("--reproducible",))
    pushed(world, "mounted:3", flags=("--reproducible",))
    expect_equal(world.manifest("mounted:2"), world.manifest("mounted:3"))


@case("a pushed image can be a base by its digest")
def by_digest(world):
    pushed(world, "parent:1")
    digest = tar_layers.digest_of(world.manifest("parent:1"))
    build = world.files_only(f"FROM REGISTRY/parent@{digest}\nCOPY f /g\n", FILES)
    expect_equal((build.image.text("/f"), build.image.text("/g")), ("content", "content"))
    world.files_only(f"FROM REGISTRY/parent:none@{digest}\nCOPY f /g\n", FILES).succeeded()


@case("the platform chooses from an index, in either format")
def platforms(world):
    images = [tar_layers.Image([tar_layers.tar([tar_layers.entry("arch", name)])], architecture=name.partition("/")[0],
                               variant=name.partition("/")[2]) for name in ("amd64", "arm64", "arm/v6", "arm/v7")]
    tar_layers.push_index(world.host, "multi:oci", images)
    for image in images:
        image.form = "docker"
    tar_layers.push_index(world.host, "multi:docker", images, "docker")
    for tag in ("oci", "docker"):
        for flags, wanted in (((), "amd64"), (("--custom-platform=linux/arm64",), "arm64"),
                              (("--custom-platform=linux/arm/v6",), "arm/v6"), (("--custom-platform=linux/arm",),
                                                                                "arm/v7")):
            build = world.files_only(f"FROM REGISTRY/multi:{tag}\n", None, *flags)
            expect_equal(build.image.text("/arch"), wanted, f"{tag} {flags}")
        build = world.files_only(f"FROM --platform=linux/arm64 REGISTRY/multi:{tag} AS arm\nFROM REGISTRY/multi:{tag}\n"
                                 "COPY --from=arm /arch /other\n")
        expect_equal((build.image.text("/arch"), build.image.text("/other")), ("amd64", "arm64"))
    build = world.files_only("FROM REGISTRY/multi:oci\n", None, "--custom-platform=linux/s390x")
    build.failed("Dockerfile:1", "s390x", "arm64")


@case("--tar-path writes what docker load reads")
def docker_archive(world):
    path = world.directory / "image.tar"
    outputs = ("--no-push", f"--tar-path={path}", "--destination=example.com/team/app:1",
               "--destination=library-name:2")
    world.files_only(TEXT, FILES, outputs=outputs).succeeded()
    found = json.loads(skopeo("inspect", f"docker-archive:{path}"))
    expect_equal(found["Env"], [tar_layers.PATH, "A=b"])
    with tarfile.open(path) as archive:
        manifest = json.load(archive.extractfile("manifest.json"))
        names = archive.getnames()
    expect_equal(len(manifest), 1)
    expect_equal([name.removeprefix("index.docker.io/library/") for name in manifest[0]["RepoTags"]],
                 ["example.com/team/app:1", "library-name:2"])
    expect(set(manifest[0]["Layers"]) <= set(names) and manifest[0]["Config"] in names, f"members are {names}")
    skopeo("copy", f"docker-archive:{path}:example.com/team/app:1", f"oci:{world.new_directory('copied')}:x")


@case("--tar-path without a destination has kaniko's name")
def unnamed_archive(world):
    path = world.directory / "unnamed.tar"
    world.files_only(TEXT, FILES, outputs=("--no-push", f"--tar-path={path}")).succeeded()
    with tarfile.open(path) as archive:
        tags = json.load(archive.extractfile("manifest.json"))[0]["RepoTags"]
    expect_equal(tags, ["unset-repo/unset-image-name:latest"])


@case("--oci-layout-path writes what skopeo and umoci read")
def oci_layout(world):
    path = world.directory / "layout"
    outputs = ("--no-push", f"--oci-layout-path={path}", "--destination=example.com/app:v1")
    build = world.files_only(TEXT, FILES, outputs=outputs).succeeded()
    expect_equal(json.loads(skopeo("inspect", f"oci:{path}"))["Env"], [tar_layers.PATH, "A=b"])
    expect(not list(path.rglob("*.tmp*")) and not list(path.rglob(".*")), f"other files: {list(path.rglob('*'))}")
    bundle = world.directory / "bundle"
    if world.is_root:
        subprocess.run(["umoci", "unpack", "--image", f"{path}:v1", str(bundle)], check=True, capture_output=True)
        expect_equal((bundle / "rootfs/f").read_text(), "content")
    expect_equal(build.out, "")


@case("a layout that is there already gets the new image")
def layout_again(world):
    path = world.directory / "again"
    digests = []
    for value in "12":
        world.files_only(f"FROM scratch\nENV A={value}\n",
                         outputs=("--no-push", f"--oci-layout-path={path}")).succeeded()
        digests.append([entry["digest"] for entry in json.loads((path / "index.json").read_bytes())["manifests"]])
    expect_equal([len(entries) for entries in digests], [1, 1])
    expect(digests[0] != digests[1], "the index still names the first")


@case("an archive, a layout and a registry get the same image")
def everywhere(world):
    layout, archive = world.directory / "every-layout", world.directory / "every.tar"
    flags = (f"--oci-layout-path={layout}", f"--tar-path={archive}")
    pushed(world, "every:1", flags=flags)
    descriptor = json.loads((layout / "index.json").read_bytes())["manifests"][0]
    expect_equal(tar_layers.digest_of(world.manifest("every:1")), descriptor["digest"])
    with tarfile.open(archive) as opened:
        config = json.load(opened.extractfile("manifest.json"))[0]["Config"]
    expect(json.loads(world.manifest("every:1"))["config"]["digest"].removeprefix("sha256:") in config, config)


@case("the files that report the digest hold exactly what kaniko writes")
def reports(world):
    folder = world.directory / "reports"
    flags = (f"--digest-file={folder}/a/digest", f"--image-name-with-digest-file={folder}/b/name",
             f"--image-name-tag-with-digest-file={folder}/tagged")
    pushed(world, "reported:1", "reported/too", flags=flags)
    digest = tar_layers.digest_of(world.manifest("reported:1"))
    expect_equal((folder / "a/digest").read_bytes(), digest.encode())
    expect_equal((folder / "b/name").read_text(),
                 f"{world.host}/reported@{digest}\n{world.host}/reported/too@{digest}\n")
    expect_equal((folder / "tagged").read_text(),
                 f"{world.host}/reported:1@{digest}\n{world.host}/reported/too:latest@{digest}\n")
    expect_equal([oct(path.stat().st_mode & 0o777) for path in (folder / "a/digest", folder / "a")], ["0o644", "0o700"])


@case("a report may go to a web server, which gets it by PUT once the image is pushed")
def uploaded_reports(world):
    locations = "location /put/ { alias ROOT/; dav_methods PUT; create_full_put_path on; }"
    with web(world, locations) as server, faulty(server) as proxy:
        proxy.add("^PUT /put/digest", status=503)
        place = f"http://{proxy.host}/put"
        pushed(world, "uploaded:1", flags=(f"--digest-file={place}/digest?signature=s3cret",
                                           f"--image-name-with-digest-file={place}/name",
                                           f"--image-name-tag-with-digest-file={place}/tagged"))
        digest = tar_layers.digest_of(world.manifest("uploaded:1"))
        expect_equal((server.root / "digest").read_text(), digest)
        expect_equal((server.root / "name").read_text(), f"{world.host}/uploaded@{digest}\n")
        expect_equal((server.root / "tagged").read_text(), f"{world.host}/uploaded:1@{digest}\n")
        types = {headers.get("Content-Type") for headers in proxy.headers_seen}
        expect_equal(types, {"text/plain"})
        build = world.files_only("FROM scratch\nENV A=b\n",
                                 outputs=("--no-push", f"--digest-file={server.url}/f?signature=s3cret"))
        build.failed("PUT", server.host, "405")
        expect("s3cret" not in build.err, f"the URL's signature was shown: {build.err}")


@case("Cloud Build learns from $BUILDER_OUTPUT which images were pushed")
def cloud_build(world):
    folder = world.new_directory("output")
    pushed(world, "cloud:1", "cloud/too", environment={"BUILDER_OUTPUT": str(folder)})
    digest = tar_layers.digest_of(world.manifest("cloud:1"))
    expect_equal([json.loads(line) for line in (folder / "images").read_text().splitlines()],
                 [{"name": f"{world.host}/cloud:1", "digest": digest},
                  {"name": f"{world.host}/cloud/too:latest", "digest": digest}])
    other = world.new_directory("output")
    world.files_only("FROM scratch\nENV A=b\n", environment={"BUILDER_OUTPUT": str(other)}).succeeded()
    expect_equal(list(other.iterdir()), [], "nothing was pushed")


@case("a tag that the registry does not let move is an error, and with the flag for it a warning")
def immutable_tags(world):
    body = (b'{"errors":[{"code":"TAG_INVALID","message":"The image tag \'1\' already exists in the \'app\' repository '
            b'and cannot be overwritten because the tag is immutable."}]}')
    flag = "--push-ignore-immutable-tag-errors"
    for flags, status in (((), 1), ((flag,), 0), ((f"{flag}=false",), 1)):
        with contextlib.closing(fault_proxy.FaultProxy(world.host)) as proxy:
            proxy.add("^PUT .*/manifests/", status=400, body=body, times=9)
            build = world.files_only("FROM scratch\nENV A=b\n", {}, *flags,
                                     outputs=(f"--destination={proxy.host}/{world.new_name('fixed')}:1",))
            expect_equal(build.status, status, build.err)
            expect("the tag is immutable" in build.err, build.err)
    with contextlib.closing(fault_proxy.FaultProxy(world.host)) as proxy:
        proxy.add("^PUT .*/manifests/", status=400, body=b'{"errors":[{"code":"MANIFEST_INVALID"}]}', times=9)
        world.files_only(
            "FROM scratch\nENV A=b\n", {}, flag,
            outputs=(f"--destination={proxy.host}/{world.new_name('fixed')}:1",)).failed("MANIFEST_INVALID")
@case("results for pipelines are one line without its end: where the image is, and what it was made from")
def results(world):
    folder = world.directory / "results"
    tool = world.push("tool:2", [tar_layers.entry("tool", "works")])
    flags = (f"--image-url-file={folder}/url", f"--images-file={folder}/images", f"--base-images-file={folder}/bases")
    text = (
        "FROM REGISTRY/busybox AS unused\nFROM REGISTRY/busybox AS one\nFROM scratch\n"
        "COPY --from=REGISTRY/tool:2 /tool /\n"
        "COPY --from=one /bin/sh /sh\nCOPY --from=REGISTRY/tool:2 /tool /again\n")
    pushed(world, "result:1", "result/too", flags=flags, text=text)
    digest = tar_layers.digest_of(world.manifest("result:1"))
    base = tar_layers.digest_of(world.manifest("busybox:latest"))
    found = {path.name: path.read_text() for path in folder.iterdir()}
    expect_equal(found, {"url": f"{world.host}/result:1",
                         "images": f"{world.host}/result:1@{digest},{world.host}/result/too:latest@{digest}",
                         "bases": f"{world.host}/tool:2@{tool},{world.host}/busybox@{base}"})


@case("results that are too much for the pipeline are left empty with a warning, the digest and the URL last of all")
def results_limit(world):
    digest_size, names = 71, [f"limit/{number:02}:1" for number in range(4)]
    url = f"{world.host}/{names[0]}"
    listed = len(",".join(f"{world.host}/{name}@sha256:{'0' * 64}" for name in names))
    parts = {
        "digest": ("digest-file", digest_size), "url": ("image-url-file", len(url)), "images": ("images-file", listed),
        "bases": ("base-images-file", len(f"{world.host}/busybox@") + digest_size)
    }
    for limit, left_out in (
        (0, ()),
        (sum(size for _, size in parts.values()), ()),
        (digest_size + len(url) + listed, ("bases",)),
            # What comes later and is smaller still fits.
        (digest_size + len(url) + listed - 1, ("images",)),
        (digest_size, ("url", "images", "bases")),
        (1, ("digest", "url", "images", "bases"))):
        folder = world.new_directory("results")
        build = world.files_only("FROM REGISTRY/busybox\nENV A=b\n", {}, f"--results-limit={limit}", outputs=[
            *(f"--destination={world.host}/{name}" for name in names),
            *(f"--{flag}={folder}/{name}" for name, (flag, _) in parts.items())]).succeeded()
        found = {name: (folder / name).stat().st_size for name in parts}
        expect_equal(found, {name: 0 if name in left_out else size for name, (_, size) in parts.items()},
                     f"limit {limit}")
        warned = {name for name, (flag, _) in parts.items() if f"--{flag} is left empty" in build.err}
        expect_equal(warned, set(left_out), build.err)


@case("an image that is made from nothing names no base images")
def no_bases(world):
    path = world.directory / "no-bases"
    world.files_only("FROM scratch\nENV A=b\n", outputs=("--no-push", f"--base-images-file={path}")).succeeded()
    expect_equal(path.read_text(), "")


@case("names of Docker Hub are reported in full")
def hub_names(world):
    path = world.directory / "hub"
    world.files_only("FROM scratch\nENV A=b\n", outputs=("--no-push", "--destination=app:1",
                                                        f"--image-name-tag-with-digest-file={path}")).succeeded()
    expect(path.read_text().startswith("index.docker.io/library/app:1@sha256:"), path.read_text())


@case("a digest file can be a link to standard output, or a device")
def special_files(world):
    link = world.directory / "stdout"
    link.symlink_to("/proc/self/fd/1")
    build = world.files_only("FROM scratch\nENV A=b\n", outputs=("--no-push", f"--digest-file={link}")).succeeded()
    expect(link.is_symlink(), "the link was replaced")
    expect(build.out.startswith("sha256:") and len(build.out) == 71, f"stdout is {build.out!r}")
    world.files_only("FROM scratch\nENV A=b\n", outputs=("--no-push", "--digest-file=/dev/null")).succeeded()
    expect(pathlib.Path("/dev/null").is_char_device(), "/dev/null was replaced")


@case("--no-push pushes nothing, and the variable does the same")
def no_push(world):
    before = len(world.registry.requests())
    for flags, environment in ((("--no-push",), {}), ((), {"KANIKO_NO_PUSH": "true"})):
        world.files_only(TEXT, FILES, outputs=(f"--destination={world.host}/unpushed:1", *flags),
                         environment=environment).succeeded()
    asked = {line.split()[0] for line in world.registry.requests()[before:]}
    expect(asked <= {"GET", "HEAD"} and not world.tags("unpushed"), f"requests: {asked}")


@case("relative output paths count from where the executor was started")
def relative_paths(world):
    folder = world.new_directory("cwd")
    context = world.context("FROM scratch\nCOPY f /\n", FILES)
    words = [str(world.program), f"--context={context}", f"--kaniko-dir={folder}/k", "--no-push", "--isolation=none",
             "--oci-layout-path=l", "--tar-path=t.tar", "--digest-file=d"]
    done = subprocess.run(words, cwd=folder, env=world.environment, check=False, capture_output=True, text=True)
    expect(done.returncode == 0, done.stderr)
    expect_equal(sorted(path.name for path in folder.iterdir()), ["d", "k", "l", "t.tar"])


if __name__ == "__main__":
    sys.exit(main())
