#!/usr/bin/env python3
""".dockerignore, line by line: which files of a context there are."""
import sys

from support import Link, case, expect, expect_equal, main

TREE = {
    "a.txt": "", "b.txt": "", "dir/a.txt": "", "dir/sub/c.txt": "", "dir/sub/d.md": "", ".hid": "", "src/m.c": "",
    "src/gen/g.c": "", "src/gen/keep.c": "", "node_modules/x.js": "", "deep/node_modules/y.js": "", "docs/x/y/z.md": "",
    "we[i]rd": "", "sp ace": "", "l": Link("dir"), "empty/": ""
}


def gone(world, lines: str, files: dict | None = None) -> set[str]:
    """Which files of TREE are not there; directories without a file do not count."""
    tree = TREE if files is None else files
    image = world.files_only("FROM scratch\nCOPY . /c\n", tree | {".dockerignore": lines}).image
    return {name for name in tree if not name.endswith("/") and f"/c/{name}" not in image.files}


def below(*prefixes: str) -> set[str]:
    return {name for name in TREE if name.startswith(prefixes) and not name.endswith("/")}


@case("a pattern is for one level unless it has **, and hides all that is below")
def levels(world):
    for line, wanted in (("*.txt", below("a.txt",
                                         "b.txt")), ("**/*.txt", {name for name in TREE
                                                                  if name.endswith(".txt")}), ("dir", below("dir/")),
                         ("dir/sub", below("dir/sub/")), ("*/sub", below("dir/sub/")), ("**/sub", below("dir/sub/")),
                         ("node_modules", below("node_modules/")), ("**/node_modules", below("node_modules/", "deep/")),
                         ("docs/**/z.md", below("docs/")), ("dir/**", below("dir/")), (".*", {".hid"})):
        expect_equal(gone(world, f"{line}\n"), wanted, line)


@case("lines are cleaned: blanks around them, slashes at both ends, dots, a byte order mark, carriage returns")
def cleaning(world):
    for line in ("/dir", "dir/", "./dir", " dir ", "\tdir\t", "x/../dir", "\ufeffdir", "dir\r", "dir//"):
        expect_equal(gone(world, f"{line}\n"), below("dir/"), repr(line))


@case("a number sign in the first column begins a comment, and nowhere else")
def comments(world):
    expect_equal(gone(world, "# dir\n#dir\n\n   \n", TREE | {"#x": ""}), set())
    expect_equal(gone(world, " #x\n", TREE | {"#x": ""}), {"#x"})


@case("the last line that fits decides, and exceptions take back what is below a hidden directory")
def exceptions(world):
    everything = below("")
    for lines, wanted in (("*\n!a.txt", everything - {"a.txt"}), ("*\n!dir", everything - below("dir/")),
                          ("*\n!dir/sub/c.txt", everything - {"dir/sub/c.txt"}), ("dir\n!dir/sub\ndir/sub/d.md",
                                                                                  {"dir/a.txt", "dir/sub/d.md"}),
                          ("*\n!src\nsrc/gen\n!src/gen/keep.c", everything - {"src/m.c", "src/gen/keep.c"}),
                          ("!a.txt\na.txt", {"a.txt"}), ("*\n!**/*.md", everything - {"dir/sub/d.md", "docs/x/y/z.md"}),
                          ("a.txt\n! a.txt", set()), ("a.txt\n!a.txt\na.txt", {"a.txt"})):
        expect_equal(gone(world, f"{lines}\n"), wanted, repr(lines))


@case("wildcards are Go's: classes with ^, a question mark, a backslash")
def wildcards(world):
    for line, wanted in (("[ab].txt", below("a.txt", "b.txt")), ("[^a].txt", {"b.txt"}),
                         ("?.txt", below("a.txt", "b.txt")), ("we\\[i\\]rd", {"we[i]rd"}), ("\\*.txt", set()),
                         ("sp ace", {"sp ace"}), ("{a,b}.txt", set()), ("*.TXT", set())):
        expect_equal(gone(world, f"{line}\n"), wanted, line)


@case("a line that is no pattern is an error with file and line")
def bad_lines(world):
    for lines, number in (("ok\na[\n", 2), ("!\n", 1)):
        world.refused("FROM scratch\nCOPY . /\n", TREE | {".dockerignore": lines},
                      texts=("Dockerfile:2", f".dockerignore: line {number}: pattern"))


@case("a link is hidden by its own name alone, and leads to nothing when its target is hidden")
def links(world):
    expect_equal(gone(world, "l\n"), {"l"})
    expect_equal(gone(world, "l/*\n"), set())
    world.refused("FROM scratch\nCOPY l /d\n", TREE | {".dockerignore": "dir\n"},
                  texts=("Dockerfile:2", '"l" is not in', "symbolic link"))


@case("the Dockerfile and the ignore file may be hidden from COPY and are read all the same")
def own_files(world):
    image = world.files_only("FROM scratch\nCOPY . /c\n",
                             {"f": "", ".dockerignore": "Dockerfile\n.dockerignore\n"}).image
    expect_equal(sorted(image.files), ["/c", "/c/f"])


@case("an ignore file of the Dockerfile's own that is empty goes before .dockerignore, too")
def own_ignore(world):
    for own in ("", "# nothing\n"):
        files = {
            "x.Dockerfile": "FROM scratch\nCOPY . /c\n", "x.Dockerfile.dockerignore": own, ".dockerignore": "f\n",
            "f": ""
        }
        image = world.files_only(None, files, "--dockerfile=x.Dockerfile").image
        expect("/c/f" in image.files, f"{own!r}: {sorted(image.files)}")


@case("a hidden source is an error that names file and line, a wildcard that finds hidden files alone is none")
def hidden_sources(world):
    files = TREE | {".dockerignore": "# first\ndir/sub\n"}
    for source in ("dir/sub", "dir/sub/c.txt"):
        world.refused(
            f"FROM scratch\nCOPY {source} /\n", files, texts=("Dockerfile:2", f'"{source}" is not in the build context',
                                                              'hint: .dockerignore line 2 ("dir/sub") excludes it'))
    world.files_only("FROM scratch\nCOPY dir/s* /x/\n", files).succeeded()


if __name__ == "__main__":
    sys.exit(main())
