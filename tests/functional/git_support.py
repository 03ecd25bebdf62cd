"""What the tests of git repositories share: repositories with servers, and builds that add them."""
import functools
import gzip
import os
import pathlib

import support
from support import Skip, expect, expect_equal

import git_servers
from git_servers import HttpServer, Repository, SshServer

TOKEN = "ghp-correct-horse-battery-staple"
COMMIT_TIME = 1700000000


class Forge:
    """Repositories and the servers that give them, for all cases."""

    def __init__(self, directory: pathlib.Path):
        if not git_servers.BACKEND.exists():
            raise Skip("git http-backend is not installed")
        self.directory = directory
        self.root = directory / "repositories"
        self.app = Repository(self.root / "app.git")
        self.first = self.app.commit(
            {"a": "one\n", "bin/run": ("#!/bin/sh\n", 0o755), "d/e/f": "deep\n", ".dotfile": "x\n"})
        self.app.git("tag", "light")
        os.symlink("../a", self.app.path / "d/link")
        self.second = self.app.commit({"a": "two\n"})
        self.app.git("tag", "-a", "v1", "-m", "annotated")
        self.tag = self.app.git("rev-parse", "v1")
        self.app.git("checkout", "-q", "-b", "dev")
        self.dev = self.app.commit({"a": "dev\n"})
        self.app.git("checkout", "-q", "main")
        self.head = self.app.commit({"a": "three\n"})
        self.library = Repository(self.root / "group/library.git")
        self.library_commit = self.library.commit({"lib.h": "old\n"})
        self.library.commit({"lib.h": "new\n"})
        self.parent = Repository(self.root / "group/parent.git")
        self.parent.commit({"p": "p\n"})
        self.parent_commit = self.parent.add_submodule("../library.git", "third/party", self.library_commit, name="lib")
        self.server = HttpServer(self.root)
        self.servers = [self.server]

    def url(self, path: str = "app.git") -> str:
        return f"{self.server.url}/{path}"

    @functools.cached_property
    def ssh(self) -> SshServer:
        if not git_servers.SSHD.exists() or os.geteuid() != 0:
            raise Skip("needs root and openssh-server")
        server = SshServer(self.directory / "ssh")
        self.servers.append(server)
        return server

    @functools.cached_property
    def daemon(self) -> git_servers.Process:
        server = git_servers.daemon(self.root, self.directory / "daemon.log")
        self.servers.append(server)
        return server

    def start(self, *words, **how) -> HttpServer:
        server = HttpServer(*words, **how)
        self.servers.append(server)
        return server

    def close(self) -> None:
        for server in self.servers:
            server.close()


FORGES: list[Forge] = []


def forge(world) -> Forge:
    if not FORGES:
        FORGES.append(Forge(world.directory / "forge"))
    return FORGES[0]


def add(world, reference: str, *flags: str, to: str = "/x/", words: str = "", **how):
    """A build of an image with nothing but a repository."""
    build = world.files_only(f"FROM scratch\nADD {words} {reference} {to}\n", None, *flags, **how)
    expect_equal(support.left_in(build.work), [], "left in the work directory")
    return build


def files(build) -> list[str]:
    return sorted(build.image.files)


def layer_tars(image) -> list[bytes]:
    return [gzip.decompress(image.blob(layer["digest"])) for layer in image.manifest["layers"]]


def expect_unseen(build, *secrets: str) -> None:
    """Neither what a build says nor its image holds any of SECRETS."""
    everything = [(build.out + build.err).encode(), str(build.image.document).encode(), *layer_tars(build.image)]
    for secret in secrets:
        expect(not any(secret.encode() in text for text in everything), f"{secret} can be seen")


def refused(world, reference: str, *texts: str, words: str = "", flags: tuple = (), status: int = 1, **how):
    return world.refused(f"FROM scratch\nADD {words} {reference} /x/\n", None, *flags, texts=texts, status=status,
                         **how)


def run() -> int:
    try:
        return support.main()
    finally:
        for one in FORGES:
            one.close()
