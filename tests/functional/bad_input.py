#!/usr/bin/env python3
"""Mistakes of users: each ends with a message that says what and where, and leaves nothing behind."""
import os
import pathlib
import subprocess
import sys
import time

from support import ROOTED, Link, Skip, case, expect, expect_equal, main, processes

import tar_layers

NAME = "FROM REGISTRY/busybox\n"


@case("a Dockerfile that is not there is looked for by name")
def no_dockerfile(world):
    world.refused(None, {"f": ""}, texts=("Dockerfile", "--dockerfile"))
    world.refused(None, {"Dockerfile": NAME}, "--dockerfile=sub/Other", texts=("sub/Other",))


@case("a context that is not there is named")
def no_context(world):
    world.refused(None, None, context=world.directory / "nowhere", texts=("nowhere", "No such file"))


@case("a Dockerfile outside the context's tree by a link is not followed out of it")
def escaping_dockerfile(world):
    secret = world.directory / "secret"
    secret.write_text("TOP SECRET\n")
    build = world.refused(None, {"Dockerfile": Link(str(secret))})
    expect("TOP SECRET" not in build.err, f"its text is shown: {build.err}")


@case("a special file in place of a Dockerfile or an ignore file is refused, not waited for")
def special_files(world):
    for name in ("Dockerfile", ".dockerignore"):
        context = world.context("FROM scratch\nCOPY . /\n")
        (context / name).unlink(missing_ok=True)
        os.mkfifo(context / name)
        world.refused(None, None, context=context, texts=(name,), timeout=5)


REFUSED_TEXTS = [
    # Dockerfile, texts of the message, why it matters
    ("FROM scratch\nCOYP a b\n", ("Dockerfile:2", "COYP", "COPY", "> 2 | COYP a b"), "a typing error gets a suggestion"
     ),
    ("", ("Dockerfile",), "an empty file"),
    ("ENV A=b\n", ("Dockerfile:1", "FROM"), "nothing before FROM"),
    ("FROM scratch\nCOPY\n", ("Dockerfile:2", "COPY"), "no arguments"),
    ("FROM scratch\nCOPY --chwon=1 a b\n", ("Dockerfile:2", "chwon", "chown"), "an unknown flag gets a suggestion"),
    ("FROM scratch\nCOPY <<EOF /x\nunfinished\n", ("Dockerfile:2", "EOF"), "an open here-document"),
    ("FROM scratch\nENV A=\"b\n", ("Dockerfile:2",), "an open quote"),
    ("FROM scratch\nEXPOSE 80x\n", ("Dockerfile:2", "80x"), "not a port"),
    ("FROM scratch\nHEALTHCHECK --interval=5 CMD x\n", ("Dockerfile:2", "interval"), "a duration without a unit"),
    ("FROM UPPER/Case\n", ("Dockerfile:1", "UPPER/Case"), "not a reference"),
    ("FROM ${nothing}\n", ("Dockerfile:1", "nothing"), "an empty base"),
    ("FROM scratch\nCOPY --from=5 /a /b\n", ("Dockerfile:2", "5"), "no such stage number"),
    ("FROM scratch AS self\nCOPY --from=self /a /b\n", ("Dockerfile:2", "self"), "a stage that copies from itself"),
    ("FROM scratch\nADD https://127.0.0.1:1/x.git?reff=a /\n", ("Dockerfile:2", "reff"), "an unknown query"),
    ("FROM scratch\nCOPY --chown=a:b:c f /\n", ("Dockerfile:2", "a:b:c"), "not an owner"),
    ("FROM scratch\nCOPY --chmod=99 f /\n", ("Dockerfile:2", "99"), "not a mode"),
    ("FROM scratch\nCOPY .. /c\nCOPY ../../etc/passwd /p\n", ("Dockerfile:3", "etc/passwd"),
     "no way out of the context"),
]


@case("mistakes in a Dockerfile are shown with their line")
def dockerfile_mistakes(world):
    wrong = []
    for text, parts, why in REFUSED_TEXTS:
        try:
            world.refused(text, {"f": "", "a": "", "b": ""}, texts=parts)
        except AssertionError as error:
            wrong.append(f"{why}: {error}")
    expect(not wrong, "; ".join(wrong))


@case("hints come last, after the lines of the Dockerfile")
def hints(world):
    build = world.refused("FROM scratch\nCOPY hidden /\n", {".dockerignore": "# none\nhid*\n", "hidden": ""},
                          texts=("Dockerfile:2", '"hidden"', "hint:", ".dockerignore line 2", "hid*"))
    order = [build.error.find(text) for text in ("error: ", "> 2 | COPY", "hint: ")]
    expect_equal(order, sorted(order), build.error)


@case("a source that is missing is named with the line")
def missing_source(world):
    world.refused("FROM scratch\nENV D=src\nCOPY $D/x /app/\n", {"other": ""},
                  texts=('Dockerfile:3: COPY $D/x /app/: "src/x" is not in the build context', "> 3 | COPY $D/x /app/",
                         "  2 | ENV D=src"))
    world.refused(f"{NAME}FROM scratch\nCOPY --from=0 /no/such /x\n", texts=("Dockerfile:3", "/no/such"))


@case("a target that does not exist is named with those that do")
def unknown_target(world):
    world.refused("FROM scratch AS build\nFROM scratch AS test\n", None, "--target=biuld", texts=("biuld", "build"))
    world.refused("FROM scratch AS build\n", None, "--target=7", texts=("7",))


@case("an image that does not exist is named")
def unknown_image(world):
    world.refused("FROM REGISTRY/no/such:1\n", texts=("Dockerfile:1", f"{world.host}/no/such:1", "> 1 | FROM"))
    world.refused("FROM REGISTRY/busybox:2\n", texts=("Dockerfile:1", "busybox:2"))
    world.refused("FROM scratch\nCOPY --from=REGISTRY/no-such-stage /a /b\n", texts=("Dockerfile:2", "no-such-stage"))


@case("flags that are unknown or wrong are named with what is meant")
def wrong_flags(world):
    for flags, parts in ((("--destinaton=x",), ("--destinaton", "--destination")),
                         (("--cache", "true"), ("true",)),
                         (("--compression=lzma",), ("--compression", "lzma", "zstd")),
                         (("--compression-level=12",), ("--compression-level", "12")),
                         (("--custom-platform=a/b/c/d",), ("a/b/c/d",)),
                         (("--destination=UPPER/Case",), ("UPPER/Case",)),
                         (("--kaniko-dir=relative",), ("--kaniko-dir", "relative")),
                         (("--image-format=docker", "--compression=zstd"), ("zstd",)),
                         (("--bucket=b",), ("--bucket", "not supported yet")),
                         (("--context=s3://bucket/key",), ("s3://", "not supported yet"))):
        world.refused("FROM scratch\nENV A=b\n", None, *flags, texts=parts)


@case("without a destination nothing begins")
def no_destination(world):
    world.files_only(NAME, outputs=()).failed("--destination", "--no-push")


@case("a RUN that cannot be run says which privilege it lacks")
def no_isolation(world):
    world.refused(f"{NAME}ENV A=b\nRUN true\n", texts=("Dockerfile:3: RUN true", "hint:"))


@case("a user that does not exist is named")
def unknown_user(world):
    world.refused(f"{NAME}USER nosuch\nRUN true\n", isolation=ROOTED, texts=("Dockerfile:3", "nosuch"))


@case("what a RUN printed stays, the error is short and last")
def failing_run(world):
    build = world.refused(f"{NAME}RUN echo before; echo problem >&2; exit 3\n", isolation=ROOTED, status=3,
                          texts=("Dockerfile:2: RUN", "exit status 3"))
    expect_equal(build.out, "before\n")
    expect("problem\n" in build.err[:build.err.find("error: ")], build.err)


@case("control characters of others are not shown raw")
def control_characters(world):
    build = world.refused("FROM scratch\nCOPY \x1b[31mred\x07 /x\n", texts=("Dockerfile:2",))
    expect("\x1b[31mred" not in build.err and "\x07" not in build.err, repr(build.err))


@case("an archive that is damaged is an error, not an empty directory")
def damaged_archive(world):
    data = tar_layers.tar([tar_layers.entry("a", "x" * 5000), tar_layers.entry("b", "y" * 5000)])
    packed = tar_layers.compress(data)
    for name, content in (("a.tar", data[:6000]), ("a.tar.gz", packed[:len(packed) // 2] + b"\0" * 50)):
        world.refused(f"FROM scratch\nADD {name} /x/\n", {name: content}, texts=("Dockerfile:2", name))
    world.refused(None, None, context=f"tar://{write_damaged(world, packed)}", texts=("damaged.tar.gz",))


def write_damaged(world, packed: bytes) -> pathlib.Path:
    path = world.directory / "damaged.tar.gz"
    path.write_bytes(packed[:-20])
    return path


def small_disk(world, text: str, files: dict, size: str, isolation: str):
    """A build whose --kaniko-dir is a file system of SIZE bytes, in a mount namespace of its own."""
    world.need_namespaces()
    if not world.is_root:
        raise Skip("only root can mount a small file system")
    place = world.new_directory("small")
    mount = f'mount -t tmpfs -o size={size} tmpfs {place} && exec "$@"'
    return world.refused(text, files, isolation=isolation, work=place, texts=("No space left on device",),
                         before=["unshare", "--mount", "sh", "-c", mount, "sh"])


@case("a full disk is said, and nothing is pushed or half written")
def full_disk(world):
    small_disk(world, "FROM scratch\nCOPY f /\n", {"f": os.urandom(6 << 20)}, "3m", "none")
    small_disk(world, f"{NAME}RUN head -c 6000000 /dev/urandom > /f\n", {}, "9m", "namespace")


@case("an output that does not fit on its disk is removed, or has no index")
def full_output(world):
    world.need_namespaces()
    if not world.is_root:
        raise Skip("only root can mount a small file system")
    place = world.new_directory("small")
    mount = (f'mount -t tmpfs -o size=2m tmpfs {place} && {{ "$@"; status=$?; cd {place}; find . -name "*.tar*" -o '
             '-name "index*"; exit $status; }')
    for flag in (f"--tar-path={place}/image.tar", f"--oci-layout-path={place}/layout"):
        build = world.files_only("FROM scratch\nCOPY f /\n", {"f": os.urandom(4 << 20)}, outputs=("--no-push", flag),
                                 before=["unshare", "--mount", "sh", "-c", mount, "sh"])
        build.failed("No space left on device", str(place))
        expect_equal(build.out, "", "files that are left")


@case("a report that does not fit on its disk is an error, and leaves no file that says nothing")
def full_report(world):
    world.need_namespaces()
    if not world.is_root:
        raise Skip("only root can mount a small file system")
    place = world.new_directory("small")
    fill = f"head -c 100000 /dev/zero > {place}/full 2> /dev/null"
    mount = (
        f'mount -t tmpfs -o size=4k tmpfs {place} && {{ {fill}; "$@"; status=$?; cd {place}; find . -type f ! -name '
        'full; '
        'exit $status; }')
    for flag in ("--digest-file", "--image-url-file"):
        build = world.files_only("FROM scratch\nENV A=b\n",
                                 outputs=("--no-push", "--destination=a/b:1", f"{flag}={place}/report"),
                                 before=["unshare", "--mount", "sh", "-c", mount, "sh"])
        build.failed("No space left on device", f"{place}/report")
        expect_equal(build.out, "", "files that are left")


@case("an output that cannot be written is named, and nothing is pushed or reported")
def unwritable_output(world):
    blocked = world.directory / "file"
    blocked.write_text("")
    for flag in (f"--tar-path={blocked}/x.tar", f"--oci-layout-path={blocked}/x"):
        name, report = world.new_name("blocked"), world.directory / "blocked.digest"
        build = world.files_only("FROM scratch\nENV A=b\n", outputs=(f"--destination={world.host}/{name}", flag,
                                                                    f"--digest-file={report}"))
        build.failed(str(blocked))
        expect_equal((world.tags(name), report.exists()), ([], False))
    outputs = ("--no-push", f"--digest-file={blocked}/x")
    world.files_only("FROM scratch\nENV A=b\n", outputs=outputs).failed(str(blocked))


@case("a build whose process is killed leaves no output, and the next one is not disturbed")
def killed(world):
    world.need_namespaces()
    layout, work = world.directory / "killed-layout", world.new_directory("work")
    context = world.context(f"{NAME}RUN echo here; sleep 4715\n")
    words = [f"--context={context}", f"--kaniko-dir={work}", f"--isolation={ROOTED}", "--no-push",
             f"--oci-layout-path={layout}"]
    process = world.start(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    expect_equal(process.stdout.readline(), b"here\n")
    process.kill()
    process.wait()
    process.stdout.close()
    expect(not layout.exists(), "a layout was written")
    end = time.monotonic() + 5
    while processes("sleep", "4715") and time.monotonic() < end:
        time.sleep(0.05)
    expect_equal(processes("sleep", "4715"), [], "processes that are left")
    world.build(f"{NAME}RUN true\n", work=work).succeeded()


if __name__ == "__main__":
    sys.exit(main())
