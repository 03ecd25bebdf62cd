#!/usr/bin/env python3
"""COPY without flags: what sources mean, where they go, what becomes of what is there."""
import os
import sys

from support import File, Link, case, expect, expect_equal, main

TREE = {"a/f": File("1", 0o640), "a/sub/g": "2", "a/empty/": "", "b/f": "3", "top": "4", "x.c": "5", "y.c": "6"}


def copied(world, instructions: str, files: dict | None = None, base: str = "scratch") -> dict[str, str]:
    """The files of an image by path: their text, "-> target" of links, "" of directories."""
    image = world.files_only(f"FROM {base}\n{instructions}\n", TREE if files is None else files).image
    return {
        path: f"-> {node.link}" if node.kind == "symlink" else node.text or "" for path, node in image.files.items()
    }


def names(world, instructions: str, files: dict | None = None) -> list[str]:
    return sorted(copied(world, instructions, files))


@case("of a directory the contents are copied, and the destination is made like any directory")
def contents(world):
    expect_equal(names(world, "COPY a /d/e"), ["/d", "/d/e", "/d/e/empty", "/d/e/f", "/d/e/sub", "/d/e/sub/g"])
    expect_equal(names(world, "COPY a b /d"), ["/d", "/d/empty", "/d/f", "/d/sub", "/d/sub/g"])
    image = world.files_only("FROM scratch\nCOPY private /d\n", {"private/in/f": ""}).image
    expect_equal(oct(image.files["/d"].mode), "0o755")


@case("a source is in the context whatever its name says")
def rooted(world):
    for source in ("../../a", "/a", "./a/", "a/sub/..", "/../a/."):
        expect("/d/sub/g" in copied(world, f"COPY {source} /d/"), f"COPY {source} copied something else")


@case("a file's destination without a slash is its name, unless a directory is there")
def file_names(world):
    expect_equal(names(world, "COPY top /n"), ["/n"])
    expect_equal(names(world, "COPY top /n/"), ["/n", "/n/top"])
    expect_equal(names(world, "COPY a /n\nCOPY top /n"), ["/n", "/n/empty", "/n/f", "/n/sub", "/n/sub/g", "/n/top"])


@case("a destination that is '.', './' or nothing is the working directory, '..' the one above")
def dots(world):
    for destination, wanted in ((".", "/w/x/top"), ("./", "/w/x/top"), ("$none", "/w/x/top"), ("..", "/w/top"),
                                ("../", "/w/top"), ("../y/.", "/w/y/top"), ("y/..", "/w/x/top"), ("//z//", "/z/top")):
        found = names(world, f"WORKDIR /w/x\nCOPY top {destination}")
        expect(wanted in found, f"COPY top {destination} made {found}")


@case("several sources without a slash end in one file, the last one")
def many_to_one(world):
    expect_equal(copied(world, "COPY top x.c /c"), {"/c": "5"})


@case("wildcards stay in one directory, are sorted, and find nothing without an error")
def wildcards(world):
    expect_equal(names(world, "COPY *.c /d/"), ["/d", "/d/x.c", "/d/y.c"])
    expect_equal(copied(world, "COPY *.c /d"), {"/d": "6"})
    expect_equal(copied(world, "COPY */f /d/")["/d/f"], "3")
    expect_equal(names(world, "COPY [ab] /d\nCOPY none* /e/"), ["/d", "/d/empty", "/d/f", "/d/sub", "/d/sub/g"])
    expect_equal(names(world, "COPY **/g a/*/g /d/"), ["/d", "/d/g"])
    expect_equal(names(world, "COPY * /d/", {".hidden": "", "seen": ""}),
                 ["/d", "/d/.hidden", "/d/Dockerfile", "/d/seen"])


@case("a backslash before a wildcard goes with the expansion of words; a class of one keeps it a name")
def quoted_wildcards(world):
    expect_equal(names(world, "COPY \\[x\\] /d/", {"[x]": "", "x": ""}), ["/d", "/d/x"])
    expect_equal(names(world, 'COPY ["[[]x]", "/d/"]', {"[x]": "", "x": ""}), ["/d", "/d/[x]"])


@case("a source that is a link is what it leads to inside the context, links below it stay links")
def links(world):
    files = {
        "l": Link("d/t"), "dir": Link("d"), "far": Link("../../../d/t"), "abs": Link("/d/t"), "d/t": "1",
        "d/s": Link("t")
    }
    expect_equal(copied(world, "COPY l far abs /x/", files), {"/x": "", "/x/l": "1", "/x/far": "1", "/x/abs": "1"})
    expect_equal(copied(world, "COPY dir /x", files), {"/x": "", "/x/t": "1", "/x/s": "-> t"})
    expect_equal(copied(world, "COPY dir/* /x/", files), {"/x": "", "/x/t": "1", "/x/s": "1"})


@case("links in the destination are followed inside the root, dangling ones as well, the last one of a nested name not")
def destination_links(world):
    files = TREE | {
        "q/n": Link("/x/o"), "q/o": Link("../x/m"), "q/m/": "", "q/far": Link("/far/away"), "q/file": Link("m2")
    }
    found = copied(world, "COPY q /x\nCOPY a /x/n\nCOPY top /x/far/\nCOPY top /x/file", files)
    for path in ("/x/m/sub/g", "/far/away/top", "/x/m2"):
        expect(path in found, f"{path} is not among {sorted(found)}")
    found = copied(world, "COPY q /x\nCOPY p /x", {"q/n": Link("m"), "q/m": "old", "p/n": "new"})
    expect_equal((found["/x/n"], found["/x/m"]), ("new", "old"))


@case("an existing destination keeps its owner and mode, directories below it take the source's")
def existing(world):
    context = world.context("FROM REGISTRY/busybox\nCOPY a /tmp\nCOPY b /tmp\n", {"a/s/f": "", "b/s/g": ""})
    (context / "a/s").chmod(0o700)
    (context / "b/s").chmod(0o1771)
    (context / "b").chmod(0o700)
    files = world.files_only("", context=context).image.files
    expect_equal((oct(files["/tmp"].mode), oct(files["/tmp/s"].mode)), ("0o1777", "0o1771"))


@case("hard links inside one copy stay hard links, across copies and matches they do not")
def hard_links(world):
    context = world.context("FROM scratch\nCOPY d /one/\nCOPY d/* /two/\n", {"d/a": "x", "d/sub/": ""})
    os.link(context / "d/a", context / "d/z")
    os.link(context / "d/a", context / "d/sub/b")
    files = world.files_only("", context=context).image.files
    expect(files["/one/a"] is files["/one/z"] is files["/one/sub/b"], "names of one file are several files")
    expect(files["/two/a"] is not files["/two/z"], "matches of a wildcard are copies of their own")


@case("empty files, empty directories and an empty context are no errors")
def empty(world):
    expect_equal(names(world, "COPY e f /x/", {"e/": "", "f": ""}), ["/x", "/x/f"])
    expect_equal(names(world, "COPY e /x", {"e/": ""}), ["/x"])
    context = world.new_directory("dockerfile") / "Dockerfile"
    context.write_text("FROM scratch\nCOPY . /x\n")
    build = world.files_only(None, None, f"--dockerfile={context}", context=world.new_directory("empty"))
    expect_equal(sorted(build.image.files), ["/x"])


@case("COPY --from keeps owners, special files, set-id bits and hard links across directories")
def from_stage(world):
    world.need_namespaces()
    build = world.build("FROM REGISTRY/busybox\nRUN mkdir -p /d/e && echo 1 > /d/a && ln /d/a /d/e/b && mkfifo /d/p && "
                        "chown 5:6 /d/a /d/e && chmod 4711 /d/a && ln -s a /d/l\nFROM scratch\nCOPY --from=0 /d /x\n"
                        "COPY --from=0 /d/a /y/z\nCOPY --from=0 /d/l /m\n")
    files = build.image.files
    expect(files["/x/a"] is files["/x/e/b"], "the hard link is gone")
    expect_equal([(files[path].kind, files[path].owner, oct(files[path].mode))
                  for path in ("/x/a", "/x/p", "/x/e", "/y/z", "/m")], [("file", (5, 6), "0o4711"),
                                                                        ("fifo", (0, 0), "0o644"),
                                                                        ("directory", (5, 6), "0o755"),
                                                                        ("file", (5, 6), "0o4711"),
                                                                        ("file", (5, 6), "0o4711")])
    expect_equal((files["/x/l"].link, files["/y"].owner), ("a", (0, 0)))


@case("COPY --from starts at the root of the stage, not at its working directory")
def from_root(world):
    build = world.files_only("FROM REGISTRY/busybox\nWORKDIR /w\nCOPY f f\nFROM scratch\nCOPY --from=0 w/f /x\n",
                             {"f": "1"})
    expect_equal(build.image.text("/x"), "1")


@case("capabilities and other attributes of a context's files are left behind")
def attributes(world):
    context = world.context("FROM scratch\nCOPY f /f\n", {"f": "x"})
    for name, value in (("user.note", b"x"), ("security.capability", b"\x01\x00\x00\x02\x00\x20" + bytes(14))):
        try:
            os.setxattr(context / "f", name, value)
        except OSError as error:
            print(f"# {name} cannot be set: {error}")
    expect_equal(world.files_only("", context=context).image.files["/f"].xattrs, {})


if __name__ == "__main__":
    sys.exit(main())
