#!/usr/bin/env python3
"""The image that comes out: configuration, formats, compression, reproducibility, targets, the plan."""
import gzip
import json
import os
import random
import sys
import time

from support import File, case, expect, expect_equal, main, write_tree

import tar_layers

WORDS = [f"{n * 7919:x}" for n in range(3000)]

EVERY_CONFIG = """FROM REGISTRY/busybox
ENV A=1 B="two words"
LABEL one=1 two="$B"
EXPOSE 80 8000-8001/udp
VOLUME /data /more
VOLUME ["/json"]
USER ann:staff
WORKDIR /srv
WORKDIR app
SHELL ["/bin/sh", "-ec"]
ENTRYPOINT ["/entry"]
CMD echo hello
STOPSIGNAL SIGQUIT
HEALTHCHECK --interval=5s --timeout=1m --start-period=2s --start-interval=500ms --retries=3 CMD check $A
ONBUILD RUN echo later
MAINTAINER somebody
"""


@case("every instruction that configures arrives in the configuration")
def configuration(world):
    build = world.files_only(EVERY_CONFIG)
    config = dict(build.image.config)
    second = 10**9
    expect_equal({key: config.get(key) for key in ("Env", "Labels", "ExposedPorts", "Volumes", "User", "WorkingDir")}, {
        "Env": [tar_layers.PATH, "A=1", "B=two words"],
        "Labels": {"one": "1", "two": "two words"},
        "ExposedPorts": {"80/tcp": {}, "8000/udp": {}, "8001/udp": {}},
        "Volumes": {"/data": {}, "/more": {}, "/json": {}},
        "User": "ann:staff",
        "WorkingDir": "/srv/app"})
    expect_equal({key: config.get(key) for key in ("Shell", "Entrypoint", "Cmd", "StopSignal", "OnBuild")}, {
        "Shell": ["/bin/sh", "-ec"], "Entrypoint": ["/entry"], "Cmd": ["/bin/sh", "-ec", "echo hello"],
        "StopSignal": "SIGQUIT", "OnBuild": ["RUN echo later"]})
    expect_equal(config.get("Healthcheck"), {
        "Test": ["CMD-SHELL", "check $A"], "Interval": 5 * second, "Timeout": 60 * second, "StartPeriod": 2 * second,
        "StartInterval": second // 2, "Retries": 3})
    expect_equal(build.image.document.get("author"), "somebody")
    created = [step["created_by"] for step in build.image.history]
    expect(not any(text.startswith("ONBUILD") for text in created), f"ONBUILD is in the history: {created}")
    expect_equal(created[-1], "MAINTAINER somebody")


@case("ENTRYPOINT takes an inherited CMD away, HEALTHCHECK NONE an inherited check")
def inherited(world):
    world.push("parent", config={"Env": [tar_layers.PATH], "Cmd": ["sh"], "Labels": {"a": "1"}, "User": "7",
                                 "Healthcheck": {"Test": ["CMD", "x"]}})
    config = world.files_only('FROM REGISTRY/parent\nENTRYPOINT ["/e"]\nHEALTHCHECK NONE\nLABEL b=2\n').image.config
    expect_equal((config.get("Cmd"), config["Healthcheck"]["Test"], config["Labels"], config["User"]),
                 (None, ["NONE"], {"a": "1", "b": "2"}, "7"))


@case("an empty base gives an image with PATH alone")
def scratch(world):
    image = world.files_only("FROM scratch\nCOPY f /\n", {"f": ""}).image
    expect_equal(image.environment, {"PATH": tar_layers.PATH.removeprefix("PATH=")})
    expect_equal((image.document["os"], bool(image.document["architecture"])), ("linux", True))


@case("the history tells every step, and which made no layer")
def history(world):
    build = world.build("FROM REGISTRY/busybox\nARG v=1\nENV A=b\nRUN echo $v > /o\nCOPY --chown=1 f /\nWORKDIR /tmp\n",
                        {"f": "x"})
    steps = [(step["created_by"], step.get("empty_layer", False)) for step in build.image.history[1:]]
    expect_equal(steps[:4], [("ARG v=1", True), ("ENV A=b", True),
                             ("RUN |1 v=1 /bin/sh -c echo $v > /o # buildkit", False),
                             ("COPY --chown=1 f / # buildkit", False)])
    expect_equal(steps[4][0], "WORKDIR /tmp")


@case("arguments before FROM choose the base, and reach a stage that asks for them")
def global_arguments(world):
    world.push("pick:one", [tar_layers.entry("which", "one")])
    world.push("pick:two", [tar_layers.entry("which", "two")])
    text = ("ARG tag=one\nARG path=${tag}/x\nFROM REGISTRY/pick:${tag}\nARG path\nARG tag\n"
            "ENV P=$path T=$tag N=${none:-no}\n")
    for flags, which in (((), "one"), (("--build-arg=tag=two",), "two")):
        image = world.files_only(text, None, *flags).image
        expect_equal((image.text("/which"), image.environment["P"], image.environment["T"], image.environment["N"]),
                     (which, f"{which}/x", which, "no"))


@case("a build argument without a value comes from the executor's environment")
def arguments_of_the_environment(world):
    flags = ("--build-arg=A", "--build-arg=B", "--build-arg=C=5")
    image = world.files_only("FROM scratch\nARG A\nARG B\nENV A=[$A] B=[$B] C=[$C]\n", None, *flags,
                             environment={"A": "from outside"}).image
    expect_equal([image.environment[name] for name in "ABC"], ["[from outside]", "[]", "[]"])


@case("platform arguments are known")
def platform_arguments(world):
    image = world.files_only("FROM scratch\nARG TARGETPLATFORM TARGETARCH TARGETVARIANT BUILDOS\n"
                             "ENV P=$TARGETPLATFORM A=$TARGETARCH V=$TARGETVARIANT B=$BUILDOS\n", None,
                             "--custom-platform=linux/arm/v7").image
    expect_equal([image.environment[name] for name in "PAVB"], ["linux/arm/v7", "arm", "v7", "linux"])
    expect_equal((image.document["architecture"], image.document["variant"]), ("arm", "v7"))


@case("ONBUILD instructions of a base run in the next build, once")
def onbuild(world):
    world.push("trigger", config={"Env": [tar_layers.PATH], "OnBuild": ["COPY f /from-context", "RUN echo ran > /ran",
                                                                       "ENV SET=yes"]})
    build = world.build("FROM REGISTRY/trigger AS one\nRUN cat /ran /from-context\nFROM one\nENV AFTER=$SET\n",
                        {"f": "x\n"})
    expect_equal(build.succeeded().out, "ran\nx\n")
    expect_equal((build.image.config.get("OnBuild"), build.image.environment["AFTER"]), (None, "yes"))


@case("--target chooses the stage, by name or number")
def targets(world):
    text = "FROM scratch AS Base\nCOPY f /a\nFROM base AS mid\nCOPY f /b\nFROM mid\nCOPY f /c\n"
    for flags, files in (((), "abc"), (("--target=base",), "a"), (("--target=MID",), "ab"), (("--target=1",), "ab"),
                         (("--target=mid,base",), "ab"), (("--target=base", "--target=mid"), "a")):
        found = world.files_only(text, {"f": ""}, *flags).image.files
        expect_equal("".join(sorted(path[1:] for path in found)), files, str(flags))


@case("--label and --annotation are added to what the Dockerfile says")
def labels(world):
    image = world.files_only("FROM scratch\nLABEL a=1 b=2\n", None, "--label=b=3", "--label=c=x=y", "--annotation=n=v",
                             "--annotation=org.opencontainers.image.title=my image").image
    expect_equal(image.config["Labels"], {"a": "1", "b": "3", "c": "x=y"})
    expect_equal(image.manifest["annotations"], {"n": "v", "org.opencontainers.image.title": "my image"})


@case("an image has the format of its base, or the one that is asked for")
def formats(world):
    world.push("docker", form="docker")
    for base, flags, form in (("busybox", (), "oci"), ("docker", (), "docker"),
                              ("docker", ("--image-format=oci",), "oci"), ("busybox", ("--image-format=docker",),
                                                                           "docker")):
        image = world.files_only(f"FROM REGISTRY/{base}\nCOPY f /\n", {"f": "x"}, *flags).image
        types = tar_layers.MEDIA_TYPES[form]
        expect_equal(image.manifest.get("mediaType"), types["manifest"], f"{base} {flags}")
        expect_equal(image.manifest["config"]["mediaType"], types["config"])
        expect_equal({layer["mediaType"] for layer in image.manifest["layers"]}, {types["layer"]})
        expect("/f" in image.files, "the file is missing")


@case("new layers are compressed as they are asked to be")
def compression(world):
    text, files = "FROM REGISTRY/busybox\nCOPY f /\n", {"f": " ".join(random.Random(1).choices(WORDS, k=60_000))}
    sizes = {}
    for flags in (("--compression=gzip", "--compression-level=1"), ("--compression=gzip", "--compression-level=9"),
                  ("--compression=zstd", "--compression-level=1"), ("--compression=zstd", "--compression-level=19"),
                  ("--compression=zstd",), ()):
        image = world.files_only(text, files, *flags).image
        kind = "zstd" if "--compression=zstd" in flags else "gzip"
        expect(image.manifest["layers"][1]["mediaType"].endswith("+" + kind), f"{flags}: {image.manifest['layers'][1]}")
        expect_equal(image.text("/etc/group"), tar_layers.GROUP.decode())
        expect("/f" in image.files, "the file is missing")
        sizes[flags] = image.manifest["layers"][1]["size"]
    levels = list(sizes.values())
    expect(levels[1] <= levels[0] and levels[3] < levels[2], f"levels mean nothing: {sizes}")
    expect_equal(world.files_only(text, files).image.manifest["layers"][0]["digest"],
                 tar_layers.digest_of(tar_layers.compress(tar_layers.busybox())), "the base's layer")


@case("layers are gzip that any reader takes, without a time of their own")
def gzip_header(world):
    image = world.files_only("FROM scratch\nCOPY f /\n", {"f": os.urandom(300_000)}).image
    blob = image.blob(image.manifest["layers"][0]["digest"])
    expect_equal((blob[:3], blob[4:8]), (b"\x1f\x8b\x08", bytes(4)))
    expect_equal(tar_layers.digest_of(gzip.decompress(blob)), image.document["rootfs"]["diff_ids"][0])


REPRODUCED = ("FROM REGISTRY/busybox\nCOPY . /c/\nCOPY --chmod=700 <<EOF /script\necho\nEOF\nWORKDIR /new/dir\n"
              "RUN mkdir /made; date +%N > /dev/null; echo same > /made/f; ln -s f /made/l; rm /etc/group\n")


def built_twice(world, *flags: str, environment: dict | None = None) -> list:
    """Two builds from contexts whose files have other times, a moment apart."""
    images = []
    for moment in (1_700_000_000, 1_750_000_000):
        context = world.context(REPRODUCED)
        write_tree(context, {"b/f": File("x", mtime=moment), "a": File("y", mtime=moment + 5)})
        images.append(world.build("", None, *flags, context=context, environment=environment).image)
        time.sleep(1.1 if len(images) == 1 else 0)
    return images


@case("--reproducible gives the same image twice")
def reproducible(world):
    first, second = built_twice(world, "--reproducible")
    expect_equal(second.manifest, first.manifest)
    expect_equal(first.document["created"], "1970-01-01T00:00:00Z")
    expect_equal({first.files[path].mtime for path in ("/c/a", "/made/f", "/made", "/new/dir", "/script")}, {0})
    expect_equal(first.files["/etc/passwd"].mtime, 10**18, "time of a file of the base")


@case("SOURCE_DATE_EPOCH is the latest time of anything new")
def source_date_epoch(world):
    environment = {"SOURCE_DATE_EPOCH": "1600000000"}
    first, second = built_twice(world, environment=environment)
    expect_equal(second.digest, first.digest)
    expect_equal(first.document["created"], "2020-09-13T12:26:40Z")
    expect_equal({step["created"] for step in first.history[1:]}, {"2020-09-13T12:26:40Z"})
    expect_equal({first.files[path].mtime for path in ("/c/a", "/made/f", "/new/dir")}, {1_600_000_000 * 10**9})
    old = world.files_only("FROM scratch\nCOPY f /\n", {"f": File("", mtime=5)}, environment=environment).image
    expect_equal(old.files["/f"].mtime, 5 * 10**9, "an older file")


@case("without either, files keep their times and the image tells when it was made")
def usual_times(world):
    image = world.files_only("FROM scratch\nCOPY f /\n", {"f": File("x", mtime=1_234_567)}).image
    expect_equal(image.files["/f"].mtime, 1_234_567 * 10**9)
    now = time.strftime("%Y-%m-%dT", time.gmtime())
    expect(image.document["created"].startswith(now), f"created {image.document['created']}")


@case("--dryrun prints the plan, and neither pushes nor writes")
def dry_run(world):
    before = len(world.registry.requests())
    build = world.build("FROM REGISTRY/busybox AS one\nRUN exit 1\nFROM scratch\nCOPY --from=one /a /b\nCOPY f /\n",
                        {"f": ""}, "--dryrun", f"--destination={world.host}/dry:1").succeeded()
    for text in ("STAGE one\n", f"from   {world.host}/busybox", "RUN exit 1\n", "files  /a from stage one to /b\n",
                 "(target)"):
        expect(text in build.out, f"{text!r} is not in {build.out}")
    expect(not build.layout.exists(), "a layout was written")
    expect_equal(world.tags("dry"), [])
    asked = {line.split()[0] for line in world.registry.requests()[before:]}
    expect(asked <= {"GET", "HEAD"}, f"requests: {asked}")


@case("documents are canonical JSON that other programs read")
def documents(world):
    image = world.files_only("FROM scratch\nLABEL quote=\"a\\\"b\" slash=a/b unicode=ü\n").image
    expect_equal(image.config["Labels"], {"quote": 'a"b', "slash": "a/b", "unicode": "ü"})
    expect_equal(image.manifest["schemaVersion"], 2)
    expect_equal(json.loads((image.layout / "oci-layout").read_bytes()), {"imageLayoutVersion": "1.0.0"})
    expect_equal(image.descriptor["platform"]["os"], "linux")


if __name__ == "__main__":
    sys.exit(main())
