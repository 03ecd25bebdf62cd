#!/usr/bin/env python3
"""ADD of archives that the context holds: what is unpacked, where to, over what."""
import bz2
import gzip
import lzma
import sys
import tarfile

from support import Link, case, expect, expect_equal, main

import tar_layers
from tar_layers import directory, entry, hard_link, symlink


def unpacked(world, entries: list, before: str = "", files: dict | None = None, destination: str = "/d/",
             flags: str = ""):
    """The files of an image in which ADD has unpacked an archive of ENTRIES."""
    context = {"a.tar": tar_layers.tar(entries), **(files or {})}
    return world.files_only(f"FROM scratch\n{before}ADD {flags} a.tar {destination}\n", context).image.files


@case("what a file holds decides, not its name: archives in five forms, and nothing else")
def forms(world):
    tar = tar_layers.tar([entry("t/f", "1")])
    files = {
        "plain": tar, "b.txt": gzip.compress(tar), "c": bz2.compress(tar), "d.zip": lzma.compress(tar),
        "text.tar.gz": gzip.compress(b"text"), "no.tar": b"no archive", "empty.tar": b"",
        "cut.gz": gzip.compress(tar)[:40], "z.zip": b"PK\x03\x04" + bytes(100)
    }
    for name in files:
        found = set(world.files_only(f"FROM scratch\nADD {name} /d/\n", files).image.files)
        expect_equal(found,
                     {"/d", "/d/t", "/d/t/f"} if name in ("plain", "b.txt", "c", "d.zip") else {"/d", f"/d/{name}"},
                     name)


@case("the destination is a directory even without a slash, and each match of a wildcard is looked at")
def destination(world):
    expect("/d/x" in unpacked(world, [entry("x", "")], destination="/d"), "it is not in /d")
    image = world.files_only("FROM scratch\nADD *.t /d/\n",
                             {"1.t": tar_layers.tar([entry("x", "")]), "2.t": "text"}).image
    expect_equal(sorted(image.files), ["/d", "/d/2.t", "/d/x"])
    image = world.files_only("FROM scratch\nADD link dir /d/\n", {
        "a.tar": tar_layers.tar([entry("x", "")]), "link": Link("a.tar"), "dir/b.tar": tar_layers.tar([entry("y", "")])
    }).image
    expect_equal(sorted(image.files), ["/d", "/d/b.tar", "/d/x"])


@case("--unpack=false copies archives, --unpack does not change what is none")
def unpack_flag(world):
    files = {"a.tar": tar_layers.tar([entry("x", "")]), "b": "text"}
    expect_equal(sorted(world.files_only("FROM scratch\nADD --unpack=false a.tar b /d/\n", files).image.files),
                 ["/d", "/d/a.tar", "/d/b"])
    expect_equal(sorted(world.files_only("FROM scratch\nADD --unpack a.tar b /d/\n", files).image.files),
                 ["/d", "/d/b", "/d/x"])


@case("owners and modes are the archive's; --chown is for all of it, --chmod and --exclude for nothing in it")
def flags(world):
    entries = [
        directory("t", 0o711, owner=(1, 2)),
        entry("t/f", "", mode=0o4640, owner=(3, 4)),
        symlink("t/l", "f", owner=(5, 6))
    ]
    files = unpacked(world, entries, flags="--chmod=600 --exclude=t")
    expect_equal([(files[path].owner, oct(files[path].mode)) for path in ("/d/t", "/d/t/f", "/d")],
                 [((1, 2), "0o711"), ((3, 4), "0o4640"), ((0, 0), "0o755")])
    files = unpacked(world, entries, flags="--chown=7:8", destination="/d/e/")
    expect_equal({node.owner for node in files.values()}, {(7, 8)})


@case("directories of the archive merge and bring their metadata, files and links replace what is in their way")
def replacing(world):
    files = unpacked(
        world, [directory("l", 0o700),
                entry("l/new", ""),
                entry("f", "new"),
                symlink("s", "l"),
                entry("dir", "file")], "COPY q /d\n", {"q/l/old": "", "q/f": Link("l"), "q/s": "x", "q/dir/deep/x": ""})
    expect({"/d/l/old", "/d/l/new"} <= set(files), f"/d/l has not merged: {sorted(files)}")
    expect_equal((oct(files["/d/l"].mode), files["/d/f"].kind, files["/d/s"].link, files["/d/dir"].text),
                 ("0o700", "file", "l", "file"))
    expect("/d/dir/deep" not in files, "what lay below a directory is still there")


@case("links of the archive are followed below the destination only")
def followed(world):
    files = unpacked(world, [
        directory("real"),
        symlink("abs", "/real"),
        symlink("up", "../../../real"),
        entry("abs/a", ""),
        entry("up/b", "")
    ])
    expect({"/d/real/a", "/d/real/b"} <= set(files), f"files are {sorted(files)}")
    world.refused("FROM scratch\nADD a.tar /d/\n", {"a.tar": tar_layers.tar([symlink("l", "none"), entry("l/x", "")])},
                  texts=("Dockerfile:2", "archive entry 'l/x'", "symbolic link"))


@case("hard links of the archive are names of one file, and one to nothing is an error")
def hard_links(world):
    files = unpacked(world, [entry("f", "1", owner=(1, 1)), hard_link("s/h", "f"), hard_link("abs", "/f")])
    expect(files["/d/f"] is files["/d/s/h"] is files["/d/abs"], "they are several files")
    world.refused("FROM scratch\nADD a.tar /d/\n", {"a.tar": tar_layers.tar([hard_link("h", "none")])},
                  texts=("Dockerfile:2", "archive entry 'h'", "none"))


@case("devices, pipes and set-id bits of an archive arrive")
def special(world):
    files = unpacked(world,
                     [entry("c", kind=tarfile.CHRTYPE),
                      entry("p", kind=tarfile.FIFOTYPE),
                      entry("s", "", mode=0o6755)])
    expect_equal((files["/d/c"].kind, files["/d/p"].kind, oct(files["/d/s"].mode)),
                 ("character device", "fifo", "0o6755"))


@case("a name of two thousand levels is planned and written like any other")
def deep(world):
    name = "d/" * 2000 + "f"
    files = unpacked(world,
                     [entry(f"{name}{number}", "") for number in range(50)] + [directory("d/" * 1000 + "e", 0o700)])
    expect(f"/d/{name}49" in files and oct(files["/d/" + "d/" * 1000 + "e"].mode) == "0o700", f"{len(files)} files")


if __name__ == "__main__":
    sys.exit(main())
