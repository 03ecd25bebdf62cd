#!/usr/bin/env python3
"""Stages, platforms and named contexts: which are built, what names mean, what goes before what."""
import sys

from support import File, case, expect, expect_equal, main, write_tree

import tar_layers

PATH = tar_layers.PATH


def directory(world, files: dict):
    path = world.new_directory("named")
    write_tree(path, files)
    return path


@case("an error inside a stage that nobody needs does not matter")
def unneeded(world):
    for instructions in ("COPY none /\n", "RUN false\n", "STOPSIGNAL nope\n", "COPY --chmod=9 f /\n",
                         "ENV A=${x:?no}\n", "COPY --from=later f /\n"):
        world.files_only(
            f"FROM REGISTRY/none AS unneeded\n{instructions}FROM scratch AS later\nFROM scratch\nCOPY f /\n",
            {"f": ""}).succeeded()


@case("what is wrong with stages themselves is an error wherever it stands")
def wrong_stages(world):
    for text, line, said in (("FROM scratch AS a\nCOPY --from=b f /\nFROM scratch AS b\nCOPY --from=a f /\n", 4,
                              "circular dependency detected on stage: a"), ("FROM scratch AS a\nCOPY --from=a f /\n", 2,
                                                                            "circular dependency"),
                             ("FROM scratch\nCOPY --from=0 f /\n", 2, "circular"), ("FROM scratch\nCOPY --from=7 f /\n",
                                                                                    2, "invalid stage index 7"),
                             ("FROM scratch\nCOPY --from=-1 f /\n", 2,
                              "invalid stage index -1"), ("FROM scratch AS a\nCOPY --from=$a f /\n", 2,
                                                          "variable expansion is not supported for --from"),
                             ("FROM scratch AS a\nCOPY --nope f /\n", 2, "nope"), ("FROM $nothing AS a\n", 1,
                                                                                   "should not be blank"),
                             ("FROM BAD::x AS a\n", 1, "BAD::x"), ("FROM --platform=a/b/c/d scratch AS a\n", 1,
                                                                   "a/b/c/d"), ("FROM scratch AS 1a\n", 1, "1a")):
        world.refused(f"{text}FROM scratch\nCOPY f /\n", {"f": ""},
                      texts=(f"Dockerfile:{line}: ", said, f"> {line} | "))


@case("a stage is copied from by a number however it is written, and by its name in any case")
def references(world):
    for name in ("0", "00", "+0", "one", "ONE"):
        build = world.files_only(f"FROM scratch AS One\nCOPY f /x\nFROM scratch\nCOPY --from={name} /x /y\n",
                                 {"f": "1"})
        expect_equal(build.image.text("/y"), "1")


@case("of several stages with one name FROM means the last before it, COPY --from the last of all")
def same_names(world):
    text = ("FROM scratch AS a\nCOPY one /f\nFROM a AS first\nFROM scratch AS a\nCOPY two /f\nFROM scratch\n"
            "COPY --from=a /f /a\nCOPY --from=first /f /first\n")
    image = world.files_only(text, {"one": "1", "two": "2"}).image
    expect_equal((image.text("/a"), image.text("/first")), ("2", "1"))
    world.refused("FROM scratch AS a\nCOPY f /f\nFROM scratch AS b\nCOPY --from=a /f /\nFROM scratch AS a\nFROM b\n",
                  {"f": ""}, texts=("Dockerfile:4: ", 'needs to be defined before current stage "b"'))
    image = world.files_only(text, {"one": "1", "two": "2"}, "--target=a").image
    expect_equal(image.text("/f"), "2")


@case("a stage may have the name of an image, of scratch, or of the context")
def taken_names(world):
    for name in ("busybox", "scratch", "context"):
        build = world.files_only(f"FROM REGISTRY/busybox AS {name}\nCOPY f /f\nFROM {name}\nCOPY --from={name} /f /g\n",
                                 {"f": "1"})
        expect_equal((build.image.text("/f"), build.image.text("/g")), ("1", "1"))


@case("scratch is empty to COPY --from, too")
def from_scratch(world):
    expect_equal(sorted(world.files_only("FROM scratch\nCOPY --from=scratch / /x\n").image.files), ["/x"])
    world.refused("FROM scratch\nCOPY --from=scratch /f /x\n",
                  texts=("Dockerfile:2", '"f" is not in an empty directory'))


@case("FROM an earlier stage goes on where that one ended, with its configuration")
def earlier_stage(world):
    image = world.files_only(
        "FROM scratch AS a\nENV A=1\nWORKDIR /w\nCMD [\"a\"]\nCOPY f f\nFROM a\nENV B=$A\nCOPY f g\n", {"f": "1"}).image
    expect_equal((image.config["Env"], image.config["Cmd"], sorted(image.files)),
                 ([PATH, "A=1", "B=1"], ["a"], ["/w", "/w/f", "/w/g"]))
    expect_equal(len(image.layers), 3)


@case("an empty base has the platform of the build, and an image the one that was asked for")
def platforms(world):
    image = world.files_only("FROM --platform=linux/arm64 scratch\nCOPY f /\n", {"f": ""}).image
    expect_equal((image.document["architecture"], image.document["os"]), ("amd64", "linux"))
    image = world.files_only(
        "FROM --platform=linux/amd64 REGISTRY/busybox\nARG TARGETPLATFORM\nENV P=$TARGETPLATFORM\n", None,
        "--custom-platform=linux/arm/v7").image
    expect_equal((image.document["architecture"], image.document.get("variant"), image.environment["P"]),
                 ("arm", "v7", "linux/arm/v7"))


@case("a named context goes before the stage of its name, which is not built")
def context_over_stage(world):
    flags = (f"--build-context=one={directory(world, {'f': 'named'})}",
             f"--build-context=two=docker-image://{world.host}/busybox")
    text = "FROM scratch AS one\nCOPY none /\nFROM scratch AS Two\nRUN false\n"
    image = world.files_only(
        f"{text}FROM scratch\nCOPY --from=one /f /a\nCOPY --from=0 /f /b\nCOPY --from=1 /etc/group /c\n", None,
        *flags).image
    expect_equal([image.text(path) for path in ("/a", "/b", "/c")], ["named", "named", tar_layers.GROUP.decode()])
    image = world.files_only(f"{text}FROM two\nENV A=1\n", None, *flags).image
    expect("/bin/busybox" in image.files and image.environment["A"] == "1", "FROM is not the context")
    image = world.files_only(f"{text}FROM scratch\n", None, "--target=one", *flags).image
    expect_equal(sorted(image.files), ["/f"])


@case("a named context stands for an image however Docker Hub's name of it is spelled")
def context_names(world):
    files = directory(world, {"f": "named"})
    for name, spelled in (("alpine", "docker.io/library/alpine:latest"), ("docker.io/library/alpine", "alpine"),
                          ("alpine:latest", "index.docker.io/alpine"), ("me/tool:2", "docker.io/me/tool:2")):
        image = world.files_only(f"FROM scratch\nCOPY --from={spelled} /f /f\n", None,
                                 f"--build-context={name}={files}").image
        expect_equal(image.text("/f"), "named")


@case("a named context may be for one platform")
def context_platform(world):
    flags = [
        f"--build-context={name}={directory(world, {'f': name})}"
        for name in ("x", "x::linux/arm64", "x::linux/riscv64")
    ]
    for platform, wanted in (("linux/arm64", "x::linux/arm64"), ("linux/amd64", "x")):
        image = world.files_only("FROM scratch\nCOPY --from=x /f /f\n", None, f"--custom-platform={platform}",
                                 *flags).image
        expect_equal(image.text("/f"), wanted)


@case("scratch and context are never named contexts, and docker-image://scratch is empty")
def context_reserved(world):
    flags = [f"--build-context={name}={directory(world, {'g': ''})}" for name in ("scratch", "context")]
    image = world.files_only("FROM scratch\nCOPY f /f\n", {"f": ""}, *flags).image
    expect_equal(sorted(image.files), ["/f"])
    image = world.files_only("FROM none\nCOPY f /f\n", {"f": ""}, "--build-context=none=docker-image://scratch").image
    expect_equal((sorted(image.files), image.config["Env"]), (["/f"], [PATH]))


@case("FROM a directory begins with its files, as root's, in a layer and a line of history of their own")
def from_directory(world):
    files = directory(world, {"q/r": File("1", 0o640), ".dockerignore": "z\n", "z": ""})
    image = world.files_only("FROM files\nENV A=1\nCOPY f /g\n", {"f": ""}, f"--build-context=files={files}").image
    expect_equal(sorted(image.files), ["/.dockerignore", "/g", "/q", "/q/r"])
    expect_equal((oct(image.files["/q/r"].mode), image.files["/q/r"].owner, image.config["Env"]),
                 ("0o640", (0, 0), [PATH, "A=1"]))
    expect_equal([step["created_by"] for step in image.history], ["FROM files", "ENV A=1", "COPY f /g # buildkit"])


@case("a local named context has its own ignore file, for COPY and for mounts")
def context_ignore(world):
    files = directory(world, {".dockerignore": "z\n!z/k\n", "z/f": "", "z/k": "", "a": ""})
    image = world.files_only("FROM scratch\nCOPY --from=n . /x\n", None, f"--build-context=n={files}").image
    expect_equal(sorted(image.files), ["/x", "/x/.dockerignore", "/x/a", "/x/z", "/x/z/k"])
    build = world.build("FROM REGISTRY/busybox\nRUN --mount=from=n,target=/m find /m -type f | sort\n", None,
                        f"--build-context=n={files}")
    expect_equal(build.succeeded().out.split(), ["/m/.dockerignore", "/m/a", "/m/z/k"])


@case("ONBUILD of an earlier stage, or of a base, may need other stages")
def onbuild_stages(world):
    text = "FROM scratch AS other\nCOPY f /f\n"
    image = world.files_only(f"{text}FROM scratch AS parent\nONBUILD COPY --from=other /f /g\nFROM parent\n",
                             {"f": "1"}).image
    expect_equal((image.text("/g"), image.config.get("OnBuild")), ("1", None))
    world.push(
        "triggers",
        config={"OnBuild": ["COPY --from=other /f /g", "RUN --mount=from=other,target=/m cp /m/f /h", "CMD [\"x\"]"]})
    image = world.build(f"{text}FROM REGISTRY/triggers\nENTRYPOINT [\"y\"]\n", {"f": "1"}).image
    expect_equal((image.text("/g"), image.text("/h"), image.config.get("Cmd"), image.config.get("OnBuild")),
                 ("1", "1", ["x"], None))


if __name__ == "__main__":
    sys.exit(main())
