#!/usr/bin/env python3
"""Build contexts that are downloaded, named ones and the main one, and named contexts that stages begin with."""
import io
import os
import sys
import tarfile

from support import Link, case, expect, expect_equal, left_in, main
from web_support import TIME, TOKEN, faulty, tar_of, web


def archive(*entries: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as writer:
        for entry in entries:
            writer.addfile(entry, io.BytesIO(bytes(entry.size)))
    return packed.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname, made.size = kind, link, size
    return made


def from_url(world, url: str, *flags: str, **how):
    return world.build(None, None, *flags, context=url, isolation="none", **how)


@case("an archive is the context, however it is compressed")
def main_context(world):
    with web(world) as server:
        files = {"Dockerfile": "FROM scratch\nCOPY d /d\n", "d/f": "text"}
        for compression in ("", "gz", "bz2", "xz"):
            build = from_url(world, server.write("context", tar_of(files, compression)))
            expect_equal(build.image.text("/d/f"), "text", compression)
            file = build.image.files["/d/f"]
            expect_equal((file.owner, file.mode), ((0, 0), 0o640))
            expect_equal(left_in(build.work), [])


@case("a directory of the archive is the context with --context-sub-path, and another file with --dockerfile")
def sub_path(world):
    with web(world) as server:
        url = server.write("c.tgz", tar_of({"sub/other": "FROM scratch\nCOPY f /f\n", "sub/f": "1", "f": "2"}))
        build = from_url(world, url, "--context-sub-path=sub", "--dockerfile=other")
        expect_equal(build.image.text("/f"), "1")
        from_url(world, url, "--context-sub-path=nope").failed("build context", "--context-sub-path 'nope'")
        from_url(world, url).failed("Dockerfile", "build context")


@case("what .dockerignore says does not count for a context from the web, as in BuildKit")
def dockerignore(world):
    with web(world) as server:
        files = {"Dockerfile": "FROM scratch\nCOPY . /\n", ".dockerignore": "f\n", "f": "1"}
        expect_equal(from_url(world, server.write("c.tar", tar_of(files, ""))).image.text("/f"), "1")


@case("a file that is no archive is the Dockerfile, alone in the context")
def dockerfile_alone(world):
    with web(world) as server:
        build = from_url(world, server.write("build", "FROM scratch\nCOPY . /d/\nADD context /e\n"))
        expect_equal(sorted(build.image.files), ["/d", "/d/context", "/e"])
        from_url(world, server.write("odd", "FROM scratch\nNOPE\n")).failed("Dockerfile:2", "NOPE")
        from_url(world, server.write("binary", b"\x7fELF\0\0")).failed("neither a tar archive nor a Dockerfile")


@case("the Dockerfile can be from the web while the context is here, ignore rules and all")
def dockerfile_url(world):
    with web(world) as server:
        url = server.write("Dockerfile.web", "FROM scratch\nCOPY . /\n")
        build = world.files_only("FROM nowhere\n", {"f": "1", "g": "2", ".dockerignore": "g\n"}, f"--dockerfile={url}")
        expect("/f" in build.image.files and "/g" not in build.image.files, sorted(build.image.files))
        world.files_only("FROM scratch\n", None,
                         f"--dockerfile={server.url}/nope").failed("--dockerfile", "404 Not Found")


@case("SOURCE_DATE_EPOCH=context is what the server says, or else the latest time in the archive")
def epoch(world):
    with web(world) as server:
        packed = tar_of({"Dockerfile": "FROM scratch\nCOPY f /\n", "f": "1"})
        dated = server.write("c.tgz", packed)
        os.utime(server.root / "c.tgz", (TIME + 1, TIME + 1))
        flag = "--build-arg=SOURCE_DATE_EPOCH=context"
        expect_equal(from_url(world, dated, flag).image.document["created"], "2001-09-09T01:46:41Z")
        undated = dated.replace("/c.tgz", "/undated/c.tgz")
        expect_equal(from_url(world, undated, flag).image.document["created"], "2001-09-09T01:46:40Z")
        archive_file = world.new_directory("archive") / "c.tgz"
        archive_file.write_bytes(packed)
        build = world.build(None, None, flag, context=f"tar://{archive_file}", isolation="none")
        expect_equal(build.image.document["created"], "2001-09-09T01:46:40Z")
        build = world.files_only("FROM scratch\nCOPY --from=src f /\n", None, f"--build-context=src={dated}",
                                 "--build-arg=SOURCE_DATE_EPOCH=src")
        expect_equal(build.image.document["created"], "2001-09-09T01:46:41Z")


@case("a context that is not there, not allowed or cut off is an error")
def no_context(world):
    with web(world) as server, faulty(server) as proxy:
        from_url(world, f"{server.url}/nope.tar.gz").failed("build context", f"{server.url}/nope.tar.gz",
                                                            "404 Not Found")
        from_url(world, f"{server.url}/closed/f").failed("401", "HTTP_AUTH_TOKEN_127.0.0.1")
        from_url(world, f"{server.url}/broken").failed("build context", "503", status=75)
        packed = tar_of({"Dockerfile": "FROM scratch\n" + "# x\n" * 5000, "f": "x" * 100_000})
        from_url(world, server.write("c.tar.gz", packed[:len(packed) // 2])).failed("build context", "c.tar.gz")
        proxy.add("GET", times=9, cut_answer_after=0)
        from_url(world, f"http://{proxy.host}/c.tar.gz").failed("build context", status=75)


@case("a secret for the host opens a context, too")
def closed_context(world):
    with web(world) as server:
        server.write("c.tar", tar_of({"Dockerfile": "FROM scratch\nCOPY f /f\n", "f": "1"}, ""))
        build = from_url(world, f"{server.url}/closed/c.tar", "--secret=id=HTTP_AUTH_TOKEN_127.0.0.1,env=T",
                         environment={"T": TOKEN})
        expect_equal(build.image.text("/f"), "1")


@case("nothing of an archive lands outside the context")
def hostile_archive(world):
    target = world.new_directory("outside")
    with web(world) as server:
        for number, entries in enumerate((
                [entry(f"../../../../../..{target}/f")],
                [entry("l", tarfile.SYMTYPE, str(target)), entry("l/f")],
                [entry("l", tarfile.SYMTYPE, "../../../../../../../.." + str(target)), entry("l/f")],
                [entry("h", tarfile.LNKTYPE, "/etc/passwd")],
                [entry("d", tarfile.DIRTYPE), entry("d", tarfile.SYMTYPE, str(target)), entry("d/f")])):
            url = server.write(f"{number}.tar.gz", archive(*entries))
            build = world.files_only("FROM scratch\nCOPY --from=c / /\n", None, f"--build-context=c={url}")
            expect(build.status in (0, 1), build.said)
            if build.status == 0:
                expect(not any(file.text and "root:" in file.text for file in build.image.files.values()),
                       "a file of this machine came")
            expect_equal(list(target.iterdir()), [])
            expect_equal(left_in(build.work), [])


@case("a context is kept from build to build, as other downloads are")
def kept_context(world):
    with web(world) as server:
        url = server.write("c.tar.gz", tar_of({"Dockerfile": "FROM scratch\nCOPY f /f\n", "f": "1"}))
        cache = world.new_directory("cache")
        for _ in range(2):
            expect_equal(from_url(world, url, f"--cache-dir={cache}").image.text("/f"), "1")
        expect_equal(server.lines(), ["GET /c.tar.gz 200", "GET /c.tar.gz 304"])


@case("a named context from the web is read by COPY, by mounts and by FROM, and downloaded once")
def named_context(world):
    with web(world) as server:
        url = server.write("c.tar.gz", tar_of({"f": "named", "d/g": "2", ".dockerignore": "*\n"}))
        build = world.build(
            "FROM REGISTRY/busybox AS a\nRUN --mount=from=c,target=/m cat /m/f /m/d/g > /got\n"
            "FROM c\nCOPY --from=a /got /got\nCOPY --from=c d /e\n"
            "RUN --mount=from=a,target=/m [\"/m/bin/cat\", \"/f\"]\n",
            None, f"--build-context=c={url}")
        expect_equal({path: build.image.text(path) for path in ("/f", "/d/g", "/e/g", "/got")},
                     {"/f": "named", "/d/g": "2", "/e/g": "2", "/got": "named2"})
        expect_equal(build.out, "named")
        expect_equal(server.lines(), ["GET /c.tar.gz 200"])


@case("a named context that is no archive is a file called context")
def named_file(world):
    with web(world) as server:
        build = world.files_only("FROM scratch\nCOPY --from=c context /f\n", None, f"--build-context=c={server.url}/f")
        expect_equal((build.image.text("/f"), build.image.files["/f"].mode), ("content", 0o600))
        world.files_only("FROM scratch\nCOPY --from=c x /f\n", None, f"--build-context=c={server.url}/f").failed(
            "Dockerfile:2", '"x" is not in the build context', f"{server.url}/f")
        world.files_only("FROM scratch\nCOPY --from=c x /f\n", None,
                         f"--build-context=c={server.url}/nope").failed("Dockerfile:2", "404")


@case("a named context that nothing needs is not downloaded")
def unused(world):
    with web(world) as server:
        world.files_only("FROM scratch\nCOPY f /f\n", {"f": "1"}, f"--build-context=c={server.url}/f").succeeded()
        expect_equal(server.lines(), [])


@case("a stage can begin with the files of a directory")
def from_directory(world):
    directory = world.context(None, {"f": "1", "d/g": "2", "l": Link("f"), ".dockerignore": "d/h\n", "d/h": "3"})
    build = world.files_only("FROM c AS first\nCOPY x /x\nFROM first\nENV A=b\n", {"x": "4"},
                             f"--build-context=c={directory}")
    expect_equal(sorted(build.image.files), ["/.dockerignore", "/d", "/d/g", "/f", "/l", "/x"])
    expect_equal(build.image.files["/f"].owner, (0, 0))
    expect("PATH" in build.image.environment, str(build.image.document))
    expect_equal([entry.get("empty_layer", False) for entry in build.image.history], [False, False, True])
    expect_equal(len(build.image.layers), 2)
    world.files_only("FROM c\n", None, "--build-context=c=/nope").failed("Dockerfile:1", "/nope")


if __name__ == "__main__":
    sys.exit(main())
