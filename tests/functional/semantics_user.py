#!/usr/bin/env python3
"""USER and WORKDIR: who commands are, where they are, and whose the directories on the way are."""
import sys

from support import Link, case, expect, expect_equal, main

import tar_layers
from tar_layers import entry

PASSWD = tar_layers.PASSWD.decode() + "bob:x:1003:1003::/home/bob:\nhomeless:x:1006:1007:::\nann2:x:1001:9::/second:\n"
GROUP = "root:x:0:\nstaff:x:50:ann,bob\nwheel:x:10:ann\nann:x:1002:\nx:x:20:1001\n"
SAY = 'RUN echo "$(id -u) $(id -g) $(id -G) $HOME"\n'


def push_users(world) -> None:
    world.push("users", [entry("etc/passwd", PASSWD), entry("etc/group", GROUP)])


@case("a user has the groups that list the name, a written group alone, a number without a row none and gid 0")
def identities(world):
    push_users(world)
    for user, wanted in (("ann", "1001 1002 1002 10 50 /home/ann"), ("1001", "1001 1002 1002 10 50 /home/ann"),
                         ("ann:staff", "1001 50 50 /home/ann"), ("1001:50", "1001 50 50 /home/ann"), ("7", "7 0 0 /"),
                         ("7:8", "7 8 8 /"), ("7:staff", "7 50 50 /"), (":staff", "0 50 50 /root"),
                         ("bob", "1003 1003 1003 50 /home/bob"), ("homeless", "1006 1007 1007 "),
                         ("$who", "1001 1002 1002 10 50 /home/ann"), ("ann:staff:more", "1001 50 50 /home/ann")):
        build = world.build(f"FROM REGISTRY/users\nARG who=ann\nUSER {user}\n{SAY}")
        expect_equal(build.succeeded().out.rstrip("\n"), wanted, f"USER {user}")


@case("who is in no file cannot run a command, with the line of the command")
def nobody(world):
    for user, said in (("nosuch", "unknown user 'nosuch'"), ("ann:nosuch", "unknown group 'nosuch'"), ("2147483648",
                                                                                                       "out of range")):
        world.build(f"FROM REGISTRY/busybox\nUSER {user}\nRUN true\n").failed("Dockerfile:3: ", said, "> 3 | RUN true")


@case("root by number needs no user file, root by name does")
def no_files(world):
    text = "FROM REGISTRY/busybox AS b\nFROM scratch\nCOPY --from=b /bin /bin\n"
    build = world.build(f"{text}RUN echo $HOME\nUSER 0\nRUN echo $HOME\nUSER 5\nRUN echo $HOME\n")
    expect_equal(build.succeeded().out, "/\n/\n/\n")
    world.build(f"{text}USER root\nRUN true\n").failed("Dockerfile:5: ", "unknown user 'root'", "missing")


@case("HOME is the row's unless ENV or ARG give one that is not empty")
def home(world):
    for instruction, wanted in (("ENV HOME=/x", "/x"), ("ARG HOME=/y", "/y"), ("ENV HOME=", "/home/ann"),
                                ("", "/home/ann")):
        build = world.build(f"FROM REGISTRY/busybox\n{instruction}\nUSER ann\nRUN echo $HOME\n")
        expect_equal(build.succeeded().out, f"{wanted}\n", instruction)


@case("WORKDIR makes what is missing as the current user's, and leaves what is there alone")
def owner_of_workdir(world):
    push_users(world)
    files = world.files_only(
        "FROM REGISTRY/users\nWORKDIR /first\nUSER ann\nWORKDIR /first/a/b\nWORKDIR /tmp\nUSER bob:staff\nWORKDIR in\n"
        "USER 7:\nWORKDIR /seven\n").image.files
    expect_equal([(files[path].owner, oct(files[path].mode))
                  for path in ("/first", "/first/a", "/first/a/b", "/tmp", "/tmp/in", "/seven")],
                 [((0, 0), "0o755"), ((1001, 1002), "0o755"), ((1001, 1002), "0o755"), ((0, 0), "0o1777"),
                  ((1003, 50), "0o755"), ((7, 0), "0o755")])


@case("an absolute WORKDIR is kept as it is written, a relative one is joined and cleaned")
def spelling(world):
    for before, written, kept in (("/base", "/a/../b", "/a/../b"), ("/base", "/a//b/",
                                                                    "/a//b/"), ("/base", "a/./b/../c/", "/base/a/c"),
                                  ("/base", "..", "/"), ("/base", "../../..", "/"), ("/base", "$none", "/base"),
                                  ("/", "x", "/x"), ("/base", '"/q r"', "/q r")):
        image = world.files_only(f"FROM scratch\nWORKDIR {before}\nWORKDIR {written}\n").image
        expect_equal((image.config["WorkingDir"], image.history[-1]["created_by"]), (kept, f"WORKDIR {kept}"), written)


@case("a WORKDIR behind links is where they lead, also when that is not there yet")
def linked_workdir(world):
    files = {"q/l": Link("/real/r"), "q/m": Link("../x"), "f": ""}
    image = world.files_only("FROM scratch\nCOPY q /\nWORKDIR /l\nCOPY f f\nWORKDIR /m/sub\nCOPY f g/\n", files).image
    expect({"/real/r/f", "/x/sub/g/f"} <= set(image.files), f"files are {sorted(image.files)}")
    expect_equal(image.config["WorkingDir"], "/m/sub")


@case("a WORKDIR that is a file, or lies below one, is an error with its line")
def workdir_is_file(world):
    for path in ("/f", "/f/x"):
        world.refused(f"FROM scratch\nCOPY f /f\nWORKDIR {path}\n", {"f": ""},
                      texts=("Dockerfile:3: ", "'/f' is not a directory"))


@case("a command whose working directory is gone gets a new one of its user's")
def missing_workdir(world):
    build = world.build("FROM REGISTRY/busybox\nWORKDIR /w/x\nRUN rm -r /w\nUSER 5\nRUN pwd\n")
    expect_equal(build.succeeded().out, "/w/x\n")
    expect_equal([build.image.files[path].owner for path in ("/w", "/w/x")], [(5, 0), (5, 0)])


if __name__ == "__main__":
    sys.exit(main())
