#!/usr/bin/env python3
"""The rules of the language where commands run in place: the same results, or an error that says why not."""
import sys

from support import case, expect, expect_equal, main

import tar_layers


@case("in place: USER, WORKDIR, HOME, umask and groups are those of namespaces")
def identity(world):
    done = world.build_in_place(
        'FROM REGISTRY/busybox\nWORKDIR /w/x\nRUN rm -r /w\nUSER ann\n'
        'RUN pwd; echo "$(id -u) $(id -g) $(id -G) $HOME $(umask)"; touch /tmp/f\n'
        "USER 7:8\nWORKDIR /w/y\nRUN id -G\n")
    expect_equal(done.succeeded().out, "/w/x\n1001 1002 1002 50 /home/ann 0022\n8\n")
    owners = [done.image.files[path].owner for path in ("/w", "/w/x", "/tmp/f", "/w/y")]
    expect_equal(owners, [(1001, 1002), (1001, 1002), (1001, 1002), (7, 8)])


@case("in place: files around commands come out as they do in namespaces")
def files(world):
    text = (
        "FROM REGISTRY/busybox AS one\nRUN mkdir /d && echo 1 > /d/a && ln /d/a /d/b && ln -s a /d/l\nVOLUME /d\n"
        "COPY --chown=ann --chmod=711 f /d/c\n"
        "RUN rm /d/l; echo 2 >> /d/c; chmod 600 /d/c\nFROM REGISTRY/busybox\nCOPY --from=one /d /e\n"
        "RUN cat /e/c; rm -r /home\n"
    )
    found = []
    for done in (world.build_in_place(text, {"f": "1\n"}), world.build(text, {"f": "1\n"})):
        expect_equal(done.succeeded().out, "1\n2\n")
        found.append({
            path: (node.kind, oct(node.mode), node.owner, node.sha256, node.link)
            for path, node in done.image.files.items()
        })
    expect_equal(found[0], found[1])


@case("in place: two names of one file of the base have one content, where an overlay gives each its own")
def hard_links(world):
    world.push("linked", [tar_layers.directory("d"), tar_layers.entry("d/one", "1\n"),
                          tar_layers.hard_link("d/two", "d/one")])
    for again, overlay in (("", "1\n"), ("&& ln -f /d/one /d/two", "1\n2\n")):
        text = f"FROM REGISTRY/linked\nRUN echo 2 >> /d/one {again}\nRUN cat /d/two\n"
        in_namespaces = world.build(text, isolation="namespace")
        for done, wanted in ((world.build_in_place(text), "1\n2\n"), (in_namespaces, overlay)):
            expect_equal(done.succeeded().out, wanted)
            expect_equal(done.image.text("/d/two"), wanted)


@case("in place: what a command leaves in /dev is there for the next one, and in no layer")
def left_in_dev(world):
    text = ("FROM REGISTRY/busybox AS one\nRUN echo 1 > /dev/mine\nRUN ls /dev/mine; touch /f\n"
            "FROM REGISTRY/busybox\nCOPY --from=one /f /f\nRUN ls /dev/mine; true\n")
    for done, wanted in ((world.build_in_place(text), "/dev/mine\n" * 2), (world.build(text), "")):
        expect_equal(done.succeeded().out, wanted)
        expect("/dev/mine" not in done.image.files, "it is in the image")


@case("in place: directories that lead to the pod's mounts can be seen, and are in no layer")
def above_mounts(world):
    text = "FROM REGISTRY/busybox\nRUN ls /run/secrets; true\n"
    for done, wanted in ((world.build_in_place(text), "kubernetes.io\n"), (world.build(text), "")):
        expect_equal(done.succeeded().out, wanted)
        expect(not [path for path in done.image.files if path.startswith("/run")], "they are in the image")


@case("in place: RUN --network=none is an error with its line and what it would need")
def network(world):
    done = world.build_in_place(
        "FROM REGISTRY/busybox\nRUN --network=default true\nRUN --network=host true\nRUN --network=none true\n")
    expect_equal(done.status, 1, done.said)
    for text in ("Dockerfile:4: ", "--network=none is not possible in place", "> 4 | RUN --network=none true",
                 "hint: "):
        expect(text in done.err, f"{text!r} is not in {done.err}")


@case("in place: --add-host is in /etc/hosts while a command runs, and in no layer")
def hosts(world):
    done = world.build_in_place("FROM REGISTRY/busybox\nRUN grep other /etc/hosts; touch /f\n", None,
                                "--add-host=other:10.1.2.3")
    expect_equal(done.succeeded().out, "10.1.2.3\tother\n")
    expect("/etc/hosts" not in done.image.files, "it is in the image")


@case("in place: more privilege and devices are the same errors as elsewhere")
def refused(world):
    for flag in ("--security=insecure", "--device=x"):
        done = world.build_in_place(f"FROM REGISTRY/busybox\nRUN {flag} true\n")
        expect(done.status == 1 and "Dockerfile:2: " in done.err, done.said)


if __name__ == "__main__":
    sys.exit(main())
