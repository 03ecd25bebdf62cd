#!/usr/bin/env python3
"""The flags of COPY: --chown, --chmod, --link, --parents, --exclude, alone and together."""
import os
import sys

from support import File, Link, case, expect, expect_equal, main

import tar_layers

TREE = {"a/f": File("1", 0o640), "a/x": File("2", 0o755), "a/sub/g": "3", "a/l": Link("f"), "top": File("4", 0o644)}


def modes(world, flags: str, *paths: str, base: str = "scratch") -> list[str]:
    files = world.files_only(f"FROM {base}\nCOPY {flags} a /n/d\n", TREE).image.files
    return [oct(files[path].mode)[2:] for path in paths or ("/n", "/n/d", "/n/d/f", "/n/d/x", "/n/d/sub")]


def owner(world, spec: str, base: str = "REGISTRY/busybox", more: str = ""):
    build = world.files_only(f"FROM {base}\nCOPY {more} --chown={spec} a /n/d\n", TREE)
    found = {build.image.files[path].owner for path in ("/n", "/n/d", "/n/d/sub", "/n/d/f", "/n/d/l")}
    expect_equal(len(found), 1, f"owners by --chown={spec}: {found}")
    return found.pop(), build


@case("--chown: a number alone is user and group, a name is its row, both halves are looked up apart")
def chown(world):
    for spec, wanted in (("5", (5, 5)), ("5:6", (5, 6)), ("ann", (1001, 1002)), ("ann:staff", (1001, 50)),
                         ("root", (0, 0)), ("ann:7", (1001, 7)), ("7:staff", (7, 50)), (":staff", (0, 50)),
                         (":8", (0, 8)), ("$who:5", (1001, 5))):
        instructions = "ARG who=ann\n" if "$" in spec else ""
        files = world.files_only(f"FROM REGISTRY/busybox\n{instructions}COPY --chown={spec} a /n\n", TREE).image.files
        expect_equal(files["/n/sub/g"].owner, wanted, f"--chown={spec}")


@case("--chown: nothing behind the colon is group 0")
def empty_group(world):
    expect_equal(owner(world, "5:")[0], (5, 0))
    expect_equal(owner(world, "ann:")[0], (1001, 0))


@case("--chown: a name that is in no file is an error that says which file lacks it")
def unknown(world):
    for spec, said in (("nosuch", "unknown user 'nosuch'"), ("ann:nosuch", "unknown group 'nosuch'")):
        world.refused(f"FROM REGISTRY/busybox\nCOPY --chown={spec} a /n\n", TREE, texts=("Dockerfile:2", said))


@case("--chown: a number that is too large is root's, with a warning")
def too_large(world):
    found, build = owner(world, "4294967295")
    expect_equal(found, (0, 0))
    expect("out of range" in build.err, f"nothing is said: {build.err}")


@case("--chown: a name needs a file to be looked up in, numbers do not")
def nowhere(world):
    expect_equal(owner(world, "5:6", base="scratch")[0], (5, 6))
    world.refused("FROM scratch\nCOPY --chown=ann a /n\n", TREE,
                  texts=("Dockerfile:2", "'ann'", "/etc/passwd", "hint: numbers need none"))


@case("--chown: the user files are the stage's, found through links that stay inside its root")
def linked_files(world):
    files = {"p/new/passwd": "u:x:77:88::/:\n", "p/etc": Link("../../new"), "f": "", "p/new/group": Link("/new/groups"),
             "p/new/groups": "g:x:99:\n"}
    image = world.files_only("FROM scratch\nCOPY p /\nCOPY --chown=u:g f /f\n", files).image
    expect_equal(image.files["/f"].owner, (77, 99))


@case("--chown: USER is not who files belong to")
def not_user(world):
    image = world.files_only("FROM REGISTRY/busybox\nUSER ann\nCOPY a /n\n", TREE).image
    expect_equal(image.files["/n/f"].owner, (0, 0))


@case("--chmod: octal modes are for files, directories and those made on the way, symbolic ones for what is copied")
def chmod(world):
    expect_equal(modes(world, "--chmod=644"), ["644"] * 5)
    expect_equal(modes(world, "--chmod=4751"), ["751", "751", "4751", "4751", "4751"])
    expect_equal(modes(world, "--chmod=u=rwX,go=rX"), ["755", "755", "644", "755", "755"])
    expect_equal(modes(world, "--chmod=go-rwx"), ["755", "755", "600", "700", "700"])
    expect_equal(modes(world, "--chmod=g=u,+t"), ["755", "755", "1660", "1775", "1775"])


@case("--chmod: links have no mode, and one file with two names has one")
def chmod_links(world):
    context = world.context("FROM scratch\nCOPY --chmod=711 a /n\n", TREE)
    os.link(context / "a/f", context / "a/z")
    files = world.files_only("", context=context).image.files
    expect(files["/n/f"] is files["/n/z"], "the hard link is gone")
    expect_equal((oct(files["/n/z"].mode), files["/n/l"].link), ("0o711", "f"))


@case("--chmod: what is no mode is an error with what modes look like")
def bad_modes(world):
    for mode in ("888", "10000", "u=q", "a", "rw"):
        world.refused(f"FROM scratch\nCOPY --chmod={mode} a /n\n", TREE, texts=("Dockerfile:2", "chmod", f"'{mode}'"))


@case("--link: directories of the base are made anew, with the copy's owner and mode")
def link(world):
    image = world.files_only("FROM REGISTRY/busybox\nCOPY --link --chown=5 a /root/\nCOPY --link a/f /tmp/f\n",
                             TREE).image
    expect_equal([(image.files[path].owner, oct(image.files[path].mode)) for path in ("/root", "/tmp")],
                 [((5, 5), "0o755"), ((0, 0), "0o755")])


@case("--link: a link of the base at the destination is replaced, not followed; with --chmod it is followed")
def link_over_link(world):
    world.push("linked", [tar_layers.directory("real"), tar_layers.symlink("l", "real")])
    files = world.files_only("FROM REGISTRY/linked\nCOPY --link a /l/\n", TREE).image.files
    expect_equal((files["/l"].kind, "/real/f" in files), ("directory", False))
    files = world.files_only("FROM REGISTRY/linked\nCOPY --link --chmod=711 a /l/\n", TREE).image.files
    expect_equal((files["/l"].kind, "/real/f" in files), ("symlink", True))


@case("--link: layers do not depend on the base, and names in --chown are still the stage's")
def link_layers(world):
    world.push("other", [tar_layers.entry("n", "a file"), tar_layers.directory("w", 0o700)])
    layers = [
        world.files_only(f"FROM REGISTRY/{base}\nCOPY --link --chown=ann a /n/w/\n", TREE,
                         "--reproducible").image.layers[-1] for base in ("busybox", "other")
    ]
    expect_equal(layers[0].diff_id, layers[1].diff_id)
    expect_equal(layers[0].nodes[0].owner, (1001, 1002))


PARENTS = {"x/y/z/f": "1", "x/y/g": "2", "x/y2/z/f": "3", "x/y2/k": "", "dirs/in/f": "", "l": Link("x/y"), "top": "5"}


@case("--parents keeps the directories of a source's name, behind '/./' if that is there")
def parents(world):
    for source, wanted in (("x/y/g", ["/x", "/x/y", "/x/y/g"]), ("x/./y/g", ["/y", "/y/g"]),
                           ("./x/y/g", ["/x", "/x/y", "/x/y/g"]), ("x/y/./z/f", ["/z", "/z/f"]),
                           ("x/*/z", ["/x", "/x/y", "/x/y/z", "/x/y/z/f", "/x/y2", "/x/y2/z",
                                      "/x/y2/z/f"]), ("**/k", ["/x", "/x/y2", "/x/y2/k"]),
                           ("x/./**/z/f",
                            ["/y", "/y/z", "/y/z/f", "/y2", "/y2/z",
                             "/y2/z/f"]), ("x/*/./z", ["/z",
                                                       "/z/f"]), ("none*", []), ("/x/y/g", ["/x", "/x/y", "/x/y/g"])):
        found = sorted(world.files_only(f"FROM scratch\nCOPY --parents {source} /d/\n", PARENTS).image.files)
        expect_equal(found, ["/d", *(f"/d{path}" for path in wanted)], f"--parents {source}")


@case("--parents: directories of the name have the source's mode, and the owner that is asked for")
def parents_modes(world):
    context = world.context("FROM REGISTRY/busybox\nCOPY --parents --chown=5:6 dirs/in/f /d/\nCOPY --parents tmp/g /\n",
                            PARENTS | {"tmp/g": ""})
    (context / "dirs").chmod(0o711)
    (context / "tmp").chmod(0o750)
    files = world.files_only("", context=context).image.files
    expect_equal([(oct(files[path].mode), files[path].owner) for path in ("/d/dirs", "/d/dirs/in", "/d")],
                 [("0o711", (5, 6)), ("0o755", (5, 6)), ("0o755", (5, 6))])
    expect_equal(oct(files["/tmp"].mode), "0o750", "a directory that is passed through")


@case("--parents: a name without wildcards must be there, and not be excluded")
def parents_missing(world):
    for source, said in (("x/none", '"x/none" is not in the build context'), ("x/./none", '"x/none" is not in')):
        world.refused(f"FROM scratch\nCOPY --parents {source} /d/\n", PARENTS, texts=("Dockerfile:2", said))
    world.refused("FROM scratch\nCOPY --parents l/g /d/\n", PARENTS,
                  texts=("Dockerfile:2", '"l/g" is not in', 'as "x/y/g"; --parents follows none'))
    world.refused("FROM scratch\nCOPY --parents --exclude=**/g x/y/g /d/\n", PARENTS,
                  texts=("Dockerfile:2", '"x/y/g"', "hint: --exclude=**/g excludes it"))


EXCLUDE = {"src/a.o": "", "src/a.c": "", "src/sub/b.o": "", "src/sub/b.c": "", "src/sub/keep.o": "", "src/.hid": ""}


@case("--parents: a source that is a link is copied as one, wherever it leads")
def parents_link(world):
    files = world.files_only("FROM scratch\nCOPY --parents l dangling /d/\n",
                             PARENTS | {"dangling": Link("nowhere")}).image.files
    expect_equal((files["/d/l"].link, files["/d/dangling"].link), ("x/y", "nowhere"))


@case(
    "--exclude is a pattern about what is in a source, with ** and exceptions, the last that fits decides; no variables"
)
def exclude(world):
    everything = {"a.o", "a.c", "sub/b.o", "sub/b.c", "sub/keep.o", ".hid"}
    for flags, gone in (("*.o", {"a.o"}), ("**/*.o", {"a.o", "sub/b.o",
                                                      "sub/keep.o"}), ("sub", {"sub/b.o", "sub/b.c", "sub/keep.o"}),
                        ("sub/", {"sub/b.o", "sub/b.c",
                                  "sub/keep.o"}), ("/sub", set()), ("**/*.o --exclude=!sub/keep.o", {"a.o", "sub/b.o"}),
                        ("!sub/keep.o --exclude=**/*.o", {"a.o", "sub/b.o", "sub/keep.o"}), (".*", {".hid"}),
                        ("src", set()), ("* --exclude=!sub/b.c", everything - {"sub/b.c"}), ("$what", set())):
        text = f"FROM scratch\nARG what=a.c\nCOPY --exclude={flags} src /d\n"
        files = world.files_only(text, EXCLUDE).image.files
        found = {path.removeprefix("/d/") for path, node in files.items() if node.kind == "file"}
        expect_equal(found, everything - gone, f"--exclude={flags}")


@case("--exclude: a file that is a source itself is copied")
def exclude_source(world):
    files = world.files_only("FROM scratch\nCOPY --exclude=*.o src/a.o src/* /d/\n", EXCLUDE).image.files
    expect_equal(sorted(files), ["/d", "/d/.hid", "/d/a.c", "/d/a.o", "/d/b.c"])


@case("--exclude: a pattern that is none is an error with its line")
def bad_exclude(world):
    for pattern in ("a[", "!"):
        world.refused(f"FROM scratch\nCOPY --exclude={pattern} src /d\n", EXCLUDE, texts=("Dockerfile:2", "pattern"))


if __name__ == "__main__":
    sys.exit(main())
