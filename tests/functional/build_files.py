#!/usr/bin/env python3
"""COPY, ADD and build contexts: builds without RUN, which need no place to run commands in."""
import bz2
import gzip
import lzma
import os
import pathlib
import shutil
import socket
import subprocess
import sys

from support import File, Link, Skip, case, expect, expect_equal, main, write_tree

import tar_layers


@case("stages are copied from by name and by number, images by their reference")
def copy_from(world):
    build = world.files_only("FROM REGISTRY/busybox AS One\nCOPY a /a\nFROM scratch\nCOPY b /b\nFROM scratch\n"
                             "COPY --from=one /a /x\nCOPY --from=1 /b /y\nCOPY --from=REGISTRY/busybox /etc/group /z\n",
                             {"a": "A", "b": "B"})
    expect_equal(sorted(build.image.files), ["/x", "/y", "/z"])
    expect_equal((build.image.text("/x"), build.image.text("/y")), ("A", "B"))
    expect_equal(build.image.text("/z"), tar_layers.GROUP.decode())


@case("--chown takes names from the image and numbers")
def chown(world):
    build = world.files_only("FROM REGISTRY/busybox\nCOPY --chown=ann f /a\nCOPY --chown=ann:staff f /b\n"
                             "COPY --chown=7:8 f /c\nCOPY --chown=9 f /d\nCOPY --chown=1:1 d /e\n",
                             {"f": "x", "d/sub/f": "y"})
    owners = [build.image.files[path].owner for path in ("/a", "/b", "/c", "/d", "/e", "/e/sub", "/e/sub/f")]
    expect_equal(owners, [(1001, 1002), (1001, 50), (7, 8), (9, 9), (1, 1), (1, 1), (1, 1)])


@case("--chmod takes octal and symbolic modes")
def chmod(world):
    build = world.files_only("FROM scratch\nCOPY --chmod=4751 f /a\nCOPY --chmod=u=rwX,go=rX d /b\n"
                             "COPY --chmod=go-rwx f /c\n",
                             {"f": "x", "d/sub/f": File("y", 0o600)})
    modes = [oct(build.image.files[path].mode) for path in ("/a", "/b/sub", "/b/sub/f", "/c")]
    expect_equal(modes, ["0o4751", "0o755", "0o644", "0o600"])


@case("modes of the context stay, owners become root")
def modes(world):
    context = world.context("FROM scratch\nCOPY . /c\n", {"d/": "", "d/run": File("x", 0o755), "d/own": File("", 0o600),
                                                         "d/suid": File("", 0o4755), "empty/": ""})
    (context / "d").chmod(0o2770)
    if os.geteuid() == 0:
        os.chown(context / "d/own", 1234, 5678)
    files = world.files_only("", context=context).image.files
    modes = {path: oct(node.mode) for path, node in files.items() if path.startswith(("/c/d", "/c/empty"))}
    expect_equal(modes, {"/c/d": "0o2770", "/c/d/run": "0o755", "/c/d/own": "0o600", "/c/d/suid": "0o4755",
                         "/c/empty": "0o755"})
    expect_equal({node.owner for node in files.values()}, {(0, 0)})


@case("times of the context stay, to the nanosecond")
def times(world):
    context = world.context("FROM scratch\nCOPY f /f\nCOPY d /d\n", {"f": "x", "d/f": "y"})
    os.utime(context / "f", ns=(0, 1_234_567_890_123_456_789))
    os.utime(context / "d/f", ns=(0, 987_654_321_000_000_001))
    files = world.files_only("", context=context).image.files
    expect_equal((files["/f"].mtime, files["/d/f"].mtime), (1_234_567_890_123_456_789, 987_654_321_000_000_001))


@case("wildcards choose files")
def wildcards(world):
    build = world.files_only("FROM scratch\nCOPY src/*.c src/[xy].h src/d?r /s/\n",
                             {"src/a.c": "", "src/b.c": "", "src/x.h": "", "src/z.h": "", "src/dir/in": "",
                              "src/sub/c.c": ""})
    expect_equal(sorted(build.image.files), ["/s", "/s/a.c", "/s/b.c", "/s/in", "/s/x.h"])


@case(".dockerignore hides files, but not its exceptions")
def dockerignore(world):
    build = world.files_only(
        "FROM scratch\nCOPY . /\n", {
            ".dockerignore": "# comment\n*.log\n!keep.log\nsecret\n**/tmp\n!docs/tmp/ok\nDockerfile\n", "a.log": "",
            "keep.log": "", "secret/key": "", "x/tmp/f": "", "docs/tmp/ok": "", "docs/tmp/no": "", "x/a.log": "",
            "main": ""
        })
    files = sorted(path for path, node in build.image.files.items() if node.kind == "file")
    expect_equal(files, ["/.dockerignore", "/docs/tmp/ok", "/keep.log", "/main", "/x/a.log"])


@case("an ignore file of the Dockerfile's own goes before .dockerignore")
def own_dockerignore(world):
    files = {"app.Dockerfile": "FROM scratch\nCOPY . /\n", "app.Dockerfile.dockerignore": "b\n*ocker*\n",
             ".dockerignore": "a\n", "a": "", "b": ""}
    build = world.files_only(None, files, "--dockerfile=app.Dockerfile")
    expect_equal(sorted(build.image.files), ["/a"])


@case("here-documents become files, expanded unless quoted")
def heredocs(world):
    build = world.files_only("FROM scratch\nARG who=world\nCOPY --chmod=600 <<a.txt <<'b.txt' /d/\nhello $who\na.txt\n"
                             "as $it is\nb.txt\nCOPY <<-END /e\n\tindented\n\tEND\n")
    expect_equal([build.image.text(path) for path in ("/d/a.txt", "/d/b.txt", "/e")],
                 ["hello world\n", "as $it is\n", "indented\n"])
    expect_equal(oct(build.image.files["/d/a.txt"].mode), "0o600")


def archive(name: str) -> bytes:
    return tar_layers.tar([tar_layers.entry(f"in/{name}", name, owner=(5, 6), mode=0o640)])


@case("ADD unpacks tar archives, plain and compressed; COPY does not")
def add_archives(world):
    zstd = subprocess.run(["zstd", "-qc"], input=archive("zst"), check=True, capture_output=True).stdout
    files = {"a.tar": archive("tar"), "b.tar.gz": gzip.compress(archive("gz")), "c.tbz": bz2.compress(archive("bz2")),
             "d": lzma.compress(archive("xz")), "e.tar.zst": zstd, "text.gz": gzip.compress(b"no archive")}
    build = world.files_only("FROM scratch\nADD a.tar b.tar.gz c.tbz d e.tar.zst text.gz /x/\nCOPY a.tar /y/\n", files)
    found = build.image.files
    expect_equal(sorted(path for path in found if found[path].kind == "file"),
                 sorted(f"/x/in/{name}" for name in ("tar", "gz", "bz2", "xz", "zst")) + ["/x/text.gz", "/y/a.tar"])
    expect_equal([build.image.text(f"/x/in/{name}") for name in ("gz", "xz")], ["gz", "xz"])
    expect_equal((found["/x/in/bz2"].owner, oct(found["/x/in/bz2"].mode)), ((5, 6), "0o640"))


@case("names in an archive that lead out of it stop at the destination")
def archives_lead_nowhere(world):
    tar = tar_layers.tar([tar_layers.entry("../../up", "1"), tar_layers.entry("/abs/f", "2"),
                          tar_layers.entry("", ""), tar_layers.entry("a/../../b", "3")])
    files = world.files_only("FROM scratch\nADD e.tar /x/\n", {"e.tar": tar}).image.files
    expect_equal(sorted(files), ["/x", "/x/abs", "/x/abs/f", "/x/b", "/x/up"])


@case("--chown: a number out of range and an unknown USER of a WORKDIR are root, and worth a warning")
def unknown_owner(world):
    build = world.files_only("FROM REGISTRY/busybox\nCOPY --chown=65535:4294967294 f /c\nUSER nosuch\nWORKDIR /w\n",
                             {"f": "x"})
    files = build.image.files
    expect_equal([files[path].owner for path in ("/c", "/w")], [(65535, 65535), (0, 0)])
    expect("unknown user 'nosuch'" in build.err and "out of range" in build.err, build.said)


@case("links of a context stay links; a source that is a link is what it points to")
def links(world):
    context = world.context("FROM scratch\nCOPY d /d\nCOPY d/link /copied\n",
                            {"d/file": "x", "d/link": Link("file"), "d/dangling": Link("/no/where")})
    os.link(context / "d/file", context / "d/second")
    files = world.files_only("", context=context).image.files
    expect_equal((files["/d/link"].link, files["/d/dangling"].link), ("file", "/no/where"))
    expect(files["/d/file"] is files["/d/second"], "hard links are not kept")
    expect_equal((files["/copied"].kind, files["/copied"].text), ("file", "x"))


@case("a destination behind a symbolic link of the base is where that leads")
def link_in_destination(world):
    world.push("merged", [tar_layers.directory("usr/lib"), tar_layers.symlink("lib", "usr/lib"),
                          tar_layers.symlink("out", "../../../etc")])
    build = world.files_only("FROM REGISTRY/merged\nCOPY f /lib/\nCOPY f /lib/sub/g\nCOPY f /out/\n", {"f": "x"})
    files = build.image.files
    expect_equal(files["/lib"].kind, "symlink")
    expect({"/usr/lib/f", "/usr/lib/sub/g", "/etc/f"} <= set(files), f"files are {sorted(files)[-12:]}")


@case("fifos of a context are copied, sockets are left out")
def special_files(world):
    context = world.context("FROM scratch\nCOPY . /c\n", {"f": "x"})
    os.mkfifo(context / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(context / "socket"))
    build = world.files_only("", context=context, timeout=20)
    kinds = {path: node.kind for path, node in build.image.files.items()}
    expect_equal((kinds.get("/c/fifo"), kinds.get("/c/socket"), kinds.get("/c/f")), ("fifo", None, "file"))


@case("odd and long names arrive as they are")
def odd_names(world):
    deep = "/".join(["n" * 200] * 3)
    names = {
        "two words", "new\nline", "ümlaut", "not\udcffutf8", "-dash", "$money", "back\\slash", "star*", f"{deep}/end"
    }
    context = world.context("FROM scratch\nCOPY c /c\n", {f"c/{name}": name.encode(errors="surrogateescape")
                                                         for name in names} | {"c/link": Link("t" * 300)})
    files = world.files_only("", context=context).image.files
    found = {path.removeprefix("/c/") for path, node in files.items() if node.kind == "file"}
    expect_equal(found, names)
    expect_equal(files["/c/link"].link, "t" * 300)


@case("--parents keeps the directories above a source, --exclude leaves files out")
def parents_and_exclude(world):
    build = world.files_only("FROM scratch\nCOPY --parents --exclude=**/*.o ./src/./a/b c /x/\n",
                             {"src/a/b/f.c": "", "src/a/b/f.o": "", "c/g": ""})
    files = sorted(path for path, node in build.image.files.items() if node.kind == "file")
    expect_equal(files, ["/x/a/b/f.c", "/x/c/g"])


@case("WORKDIR makes its directory, which relative destinations start from")
def workdir(world):
    build = world.files_only("FROM REGISTRY/busybox\nUSER ann\nWORKDIR /srv/app\nWORKDIR sub\nCOPY f g/\nCOPY f ../h\n",
                             {"f": "x"})
    files = build.image.files
    expect({"/srv/app/sub/g/f", "/srv/app/h"} <= set(files), f"files are {sorted(files)[-12:]}")
    expect_equal(build.image.config["WorkingDir"], "/srv/app/sub")
    expect_equal(files["/srv/app/sub"].owner, (1001, 1002))


@case("a context may be a tar archive, from a file and from stdin")
def tar_contexts(world):
    data = tar_layers.tar([tar_layers.entry("Dockerfile", "FROM scratch\nCOPY f /f\n"),
                           tar_layers.entry("f", "x", mode=0o600, mtime="1000000000.5")])
    path = world.directory / "context.tar.gz"
    path.write_bytes(gzip.compress(data))
    node = world.files_only("", context=f"tar://{path}").image.files["/f"]
    expect_equal((oct(node.mode), node.mtime, node.text), ("0o600", 1_000_000_000_500_000_000, "x"))
    with path.open("rb") as stream:
        build = world.files_only("", context="tar://stdin", stdin=stream)
    expect_equal(build.image.text("/f"), "x")


@case("a part of the context can be its root")
def sub_path(world):
    context = world.context(None, {"part/Dockerfile": "FROM scratch\nCOPY . /\n", "part/f": "x", "other": ""})
    build = world.files_only("", None, "--context-sub-path=part", context=context)
    expect_equal(sorted(build.image.files), ["/Dockerfile", "/f"])


@case("named contexts stand in for images and directories")
def named_contexts(world):
    extra = world.new_directory("extra")
    write_tree(extra, {"f": "named"})
    build = world.files_only("FROM alias\nCOPY --from=more f /f\n", None,
                             f"--build-context=alias=docker-image://{world.host}/busybox",
                             f"--build-context=more={extra}")
    expect_equal(build.image.text("/f"), "named")
    expect("/bin/busybox" in build.image.files, "the base is not there")


@case("a build of files needs neither root nor capabilities")
def unprivileged(world):
    if os.geteuid() != 0:
        raise Skip("only root can become somebody else")
    place = pathlib.Path(shutil.copy(world.program, world.new_directory("nobody")))
    context = world.context("FROM REGISTRY/busybox\nWORKDIR /w\nCOPY --chown=ann f .\n", {"f": "x"})
    world.directory.chmod(0o755)
    for directory in (place.parent, context):
        directory.chmod(0o777)
    work = place.parent / "work"
    command = [place, f"--context={context}", f"--kaniko-dir={work}", "--no-push",
               f"--oci-layout-path={place.parent}/layout"]
    done = subprocess.run(command, user=65534, group=65534, extra_groups=[], env={"HOME": str(place.parent)},
                          check=False, capture_output=True, text=True, cwd="/", timeout=60)
    world.directory.chmod(0o700)
    expect(done.returncode == 0 and (place.parent / "layout/index.json").exists(), f"{done.returncode} {done.stderr}")


@case("an image without RUN reads no layer of its base when only the configuration changes")
def reads_no_layer(world):
    world.push("quiet", [tar_layers.entry("f", "quiet")])
    before = len(world.registry.requests())
    outputs = (f"--destination={world.host}/quiet:2",)
    world.files_only("FROM REGISTRY/quiet\nENV A=b\n", None, outputs=outputs).succeeded()
    wanted = tuple(f"GET /v2/quiet/blobs/{tar_layers.digest_of(tar_layers.compress(layer))}"
                   for layer in (tar_layers.busybox(), tar_layers.tar([tar_layers.entry("f", "quiet")])))
    read = [line for line in world.registry.requests()[before:] if line.startswith(wanted)]
    expect_equal(read, [], "layers that were read")


if __name__ == "__main__":
    sys.exit(main())
