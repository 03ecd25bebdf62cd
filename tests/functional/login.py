#!/usr/bin/env python3
"""executor login: a credential for later commands."""
import base64
import json
import pathlib
import stat
import sys

from support import case, closed_registry, expect, expect_equal, main, write_tree

USER, PASSWORD = "ann", "s3cret:with:colons"


def login(world, *words: str, folder: pathlib.Path, password: str = PASSWORD + "\n", **variables) -> tuple[int, str]:
    secret = world.new_directory("stdin") / "password"
    secret.write_text(password)
    with secret.open() as stdin:
        status, out, err, _ = world.execute(["login", *words], stdin=stdin,
                                            environment={"DOCKER_CONFIG": str(folder), **variables})
    expect(PASSWORD not in out + err, f"the password was shown: {out}{err}")
    return status, out + err


def config(folder: pathlib.Path) -> dict:
    return json.loads((folder / "config.json").read_text())


@case("after a login a build can push, and the file is for its owner alone")
def works(world):
    folder = world.new_directory("docker") / "new"
    with closed_registry(world, USER, PASSWORD) as server:
        status, said = login(world, server.host, "-u", USER, "--password-stdin", folder=folder)
        expect_equal(status, 0, said)
        world.files_only("FROM scratch\nENV A=b\n", environment={"DOCKER_CONFIG": str(folder)},
                         outputs=(f"--destination={server.host}/app:1",)).succeeded()
    expect_equal(stat.S_IMODE((folder / "config.json").stat().st_mode), 0o600)


@case("all else in config.json stays, and Docker Hub has the key that docker gives it")
def keeps(world):
    folder = world.new_directory("docker")
    known = {"auths": {"a.example": {"auth": "eDp5", "email": "x@y"}}, "HttpHeaders": {"X": "y"}}
    write_tree(folder, {"config.json": json.dumps(known)})
    for name in ("index.docker.io", "docker.io", "b.example:5000"):
        expect_equal(login(world, name, f"--username={USER}", "--password-stdin", folder=folder)[0], 0)
    auth = {"auth": base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
    expect_equal(config(folder), {**known, "auths": {**known["auths"], "b.example:5000": auth,
                                                     "https://index.docker.io/v1/": auth}})


@case("a helper that config.json names keeps the login itself")
def helper(world):
    folder, programs = world.new_directory("docker"), world.new_directory("bin")
    script = f"#!/bin/sh\necho \"$1\" > {programs}/said; cat >> {programs}/said\n"
    write_tree(programs, {"docker-credential-box": script})
    (programs / "docker-credential-box").chmod(0o755)
    write_tree(folder, {"config.json": json.dumps({"credsStore": "box"})})
    status, said = login(world, "a.example", "-u", USER, "--password-stdin", folder=folder,
                         PATH=f"{programs}:/usr/bin:/bin")
    expect_equal(status, 0, said)
    action, _, entry = (programs / "said").read_text().partition("\n")
    expect_equal((action, json.loads(entry)),
                 ("store", {"ServerURL": "a.example", "Username": USER, "Secret": PASSWORD}))
    expect_equal(config(folder), {"credsStore": "box"})


@case("a password on the command line works as with kaniko, and is worth a warning")
def on_command_line(world):
    folder = world.new_directory("docker")
    status, said = login(world, "a.example", "-u", USER, "-p", PASSWORD, folder=folder)
    expect(status == 0 and "--password-stdin" in said, said)
    expect_equal(list(config(folder)["auths"]), ["a.example"])


@case("login says what it lacks and writes nothing")
def usage(world):
    folder = world.new_directory("docker")
    for words, text in ((["-u", USER, "--password-stdin"], "name one registry"), (["a.example",
                                                                                   "--password-stdin"], "lacks a user"),
                        (["a.example", "-u",
                          USER], "lacks a password"), (["a.example", "-u", USER, "-p", PASSWORD,
                                                        "--password-stdin"], "exclude each other"),
                        (["a.example/b c", "-u", USER, "--password-stdin"], "a.example/b c")):
        status, said = login(world, *words, folder=folder)
        expect(status == 1 and text in said, f"{words}: {said}")
    expect_equal(list(folder.iterdir()), [])


if __name__ == "__main__":
    sys.exit(main())
