#!/usr/bin/env python3
"""Git repositories in ADD and as build contexts, from git's own servers over HTTP, git:// and ssh."""
import contextlib
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import time

import support  # noqa: F401  (finds the folder of the next ones)
from support import Skip, case, expect, expect_equal, main

import certificates
import git_servers
from git_servers import HttpServer, Repository, SshServer, basic, git

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
        self.first = self.app.commit({"a": "one\n", "bin/run": ("#!/bin/sh\n", 0o755), "d/e/f": "deep\n", ".dotfile": "x\n"})
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


def refused(world, reference: str, *texts: str, words: str = "", flags: tuple = (), status: int = 1, **how):
    return world.refused(f"FROM scratch\nADD {words} {reference} /x/\n", None, *flags, texts=texts, status=status, **how)


@case("a repository without a reference is that of its default branch")
def default_branch(world):
    build = add(world, forge(world).url(), to="/x")
    expect_equal(files(build), ["/x", "/x/.dotfile", "/x/a", "/x/bin", "/x/bin/run", "/x/d", "/x/d/e", "/x/d/e/f", "/x/d/link"])
    expect_equal(build.image.text("/x/a"), "three\n")
    expect_equal(oct(build.image.files["/x/a"].mode), "0o644")
    expect_equal(oct(build.image.files["/x/bin/run"].mode), "0o755")
    expect_equal(build.image.files["/x/d/link"].link, "../a")
    expect_equal({file.owner for file in build.image.files.values()}, {(0, 0)})


@case("the history holds the instruction as BuildKit writes it")
def history(world):
    url = forge(world).url()
    build = add(world, f"{url}#v1", words="--chown=1:2 --keep-git-dir=true")
    expect_equal(build.image.config["history"][-1]["created_by"], f"ADD --chown=1:2 {url}#v1 /x/ # buildkit")


@case("--chown, --chmod and --exclude apply to a repository's files")
def transfer_flags(world):
    build = add(world, forge(world).url(), words="--chown=7:8 --chmod=600 --exclude=bin --exclude=d")
    expect_equal(files(build), ["/x", "/x/.dotfile", "/x/a"])
    expect_equal((build.image.files["/x/a"].owner, oct(build.image.files["/x/a"].mode)), ((7, 8), "0o600"))


@case("several sources of both kinds go into one directory")
def several_sources(world):
    here = forge(world)
    build = world.files_only(f"FROM scratch\nADD local {here.url()}#v1:d/e {here.url('group/library.git')} /x/\n", {"local": "l"})
    expect_equal(files(build), ["/x", "/x/f", "/x/lib.h", "/x/local"])


@case("archives that are files of a repository stay archives")
def archives_stay(world):
    repository = Repository(forge(world).root / "archives.git")
    subprocess.run(["tar", "-cf", str(repository.path / "t.tar"), "-C", "/etc", "hostname"], check=True)
    repository.commit({})
    expect_equal(files(add(world, forge(world).url("archives.git"))), ["/x", "/x/t.tar"])


@case("a branch, in a fragment and in queries")
def branch(world):
    url = forge(world).url()
    for reference in (f"{url}#dev", f"{url}#refs/heads/dev", f"{url}#heads/dev", f"{url}?branch=dev", f"{url}?ref=dev"):
        expect_equal(add(world, reference).image.text("/x/a"), "dev\n", reference)


@case("a tag, annotated or not, in a fragment and in queries")
def tag(world):
    url = forge(world).url()
    for reference, text in ((f"{url}#v1", "two\n"), (f"{url}?tag=v1", "two\n"), (f"{url}#refs/tags/light", "one\n"),
                            (f"{url}#light", "one\n")):
        expect_equal(add(world, reference).image.text("/x/a"), text, reference)


@case("of a branch and a tag of one name the branch counts")
def ambiguous(world):
    repository = Repository(forge(world).root / "ambiguous.git")
    repository.commit({"a": "tag\n"})
    repository.git("tag", "same")
    repository.git("checkout", "-q", "-b", "same")
    repository.commit({"a": "branch\n"})
    expect_equal(add(world, forge(world).url("ambiguous.git") + "#same").image.text("/x/a"), "branch\n")


@case("a commit that is the tip of a branch, from a server that gives nothing else")
def commit_tip(world):
    here = forge(world)
    before = len(here.server.requests)
    expect_equal(add(world, f"{here.url()}#{here.dev}").image.text("/x/a"), "dev\n")
    expect_equal(len([line for line in here.server.asked()[before:] if line.startswith("GET")]), 1)


@case("a commit in the middle of the history, from a server that gives any commit")
def commit_any(world):
    here = forge(world)
    generous = Repository(here.root / "generous.git")
    old = generous.commit({"a": "old\n"})
    generous.commit({"a": "new\n"})
    generous.git("config", "uploadpack.allowReachableSHA1InWant", "true")
    build = add(world, f"{here.url('generous.git')}#{old}", words="--keep-git-dir=true")
    expect_equal(build.image.text("/x/a"), "old\n")
    expect("/x/.git/shallow" in build.image.files, "more than one commit was fetched")


@case("a commit in the middle of the history, from a server that gives tips alone")
def commit_middle(world):
    here = forge(world)
    build = add(world, f"{here.url()}#{here.first}")
    expect_equal(build.image.text("/x/a"), "one\n")
    expect("fetching all branches and tags" in build.err, build.said)


@case("the beginning of a commit's name, of a tip and of an older one")
def commit_prefix(world):
    here = forge(world)
    for commit, text in ((here.dev, "dev\n"), (here.first, "one\n")):
        expect_equal(add(world, f"{here.url()}?commit={commit[:8]}").image.text("/x/a"), text)
    refused(world, f"{here.url()}?commit=0123456789", "does not contain a commit that begins with 0123456789")


@case("fetch-by-commit takes the commit, wherever the branch is now")
def fetch_by_commit(world):
    here = forge(world)
    reference = f"{here.url()}?fetch-by-commit=true&checksum={here.second}#main"
    expect_equal(add(world, reference).image.text("/x/a"), "two\n")


@case("a directory of a repository, in a fragment and in a query")
def subdirectory(world):
    url = forge(world).url()
    for reference in (f"{url}#v1:d", f"{url}#:d", f"{url}?subdir=/d", f"{url}?subdir=d&tag=v1", f"{url}#v1:./d/"):
        expect_equal(files(add(world, reference)), ["/x", "/x/e", "/x/e/f", "/x/link"], reference)


@case("a directory that is not there, a file and a link in its place are errors that name it")
def missing_subdirectory(world):
    repository = Repository(forge(world).root / "links.git")
    os.symlink("/etc", repository.path / "out")
    os.symlink("real", repository.path / "in")
    repository.commit({"real/f": "x", "file": "x"})
    for name in ("nope", "file", "out", "in"):
        refused(world, forge(world).url("links.git") + f"#main:{name}", f"there is no directory '{name}'", "Dockerfile:2")


@case("a reference that is not there is an error that suggests another")
def missing_ref(world):
    refused(world, f"{forge(world).url()}#devv", "does not contain ref devv (did you mean dev?)", "Dockerfile:2")
    refused(world, f"{forge(world).url()}#{'0' * 40}", f"does not contain commit {'0' * 40}")


@case("an empty repository is an error that says so")
def empty(world):
    Repository(forge(world).root / "empty.git")
    refused(world, forge(world).url("empty.git"), "no default branch")


@case("a repository that is not there is an error")
def missing_repository(world):
    refused(world, forge(world).url("nope.git"), "404 Not Found", "nope.git/info/refs")


@case("--checksum: the commit, its beginning, and the name of an annotated tag")
def checksum(world):
    here = forge(world)
    for value in (here.second, here.second[:7], here.tag, here.second.upper()):
        expect_equal(add(world, f"{here.url()}#v1", words=f"--checksum={value}").image.text("/x/a"), "two\n")
    expect_equal(add(world, f"{here.url()}?checksum={here.second}#v1").image.text("/x/a"), "two\n")


@case("--checksum: another commit, one that conflicts with the query, and no commit at all are errors")
def checksum_wrong(world):
    here = forge(world)
    url = here.url()
    refused(world, f"{url}#v1", "expected checksum to match", here.dev, here.second, here.tag, words=f"--checksum={here.dev}")
    refused(world, f"{url}?checksum={here.second}#v1", "checksum mismatch", words=f"--checksum={here.dev}")
    refused(world, f"{url}#v1", "invalid checksum", "expected hex commit hash", words="--checksum=sha256:" + "0" * 64)
    refused(world, f"{url} {url}", "checksum can't be specified for multiple sources", words=f"--checksum={here.dev}")


@case("COPY of a repository is an error")
def copy(world):
    world.refused(f"FROM scratch\nCOPY {forge(world).url()} /x\n", texts=("source can't be a git ref for COPY", "Dockerfile:2"))


@case("queries that make no sense are errors that name the line, before anything is fetched")
def bad_queries(world):
    here = forge(world)
    before = len(here.server.requests)
    for query, text in (("what=1", 'unexpected query "what"'), ("ref=a#b", 'ref conflicts: "b" vs "a"'),
                        ("mtime=x", "invalid mtime value"), ("tag=a&branch=b", "branch conflicts with tag"),
                        ("fetch-by-commit", "fetch-by-commit needs a checksum")):
        refused(world, f"{here.url()}?{query}", text, "Dockerfile:2")
    refused(world, f"{here.url()}?keep-git-dir=false", "inconsistent keep-git-dir", words="--keep-git-dir=true")
    expect_equal(len(here.server.requests), before)


@case("mtime=commit gives all files the time of the commit, mtime=checkout that of the build")
def times(world):
    url = forge(world).url()
    build = add(world, f"{url}?mtime=commit")
    expect_equal({file.mtime for path, file in build.image.files.items() if path != "/x"}, {COMMIT_TIME})
    build = add(world, f"{url}?mtime=checkout")
    expect(build.image.files["/x/a"].mtime > time.time() - 300, build.image.files["/x/a"].mtime)


@case("submodules come with it, their relative URLs resolved, at the commit that is recorded")
def submodules(world):
    build = add(world, forge(world).url("group/parent.git"))
    expect_equal(files(build), ["/x", "/x/.gitmodules", "/x/p", "/x/third", "/x/third/party", "/x/third/party/lib.h"])
    expect_equal(build.image.text("/x/third/party/lib.h"), "old\n")


@case("submodules of submodules come with it")
def nested_submodules(world):
    here = forge(world)
    outer = Repository(here.root / "outer.git")
    outer.commit({"o": "o"})
    outer.add_submodule(f"{here.url('group/parent.git')}", "in", here.parent_commit)
    expect("/x/in/third/party/lib.h" in add(world, here.url("outer.git")).image.files, "the inner submodule is missing")


@case("submodules=false leaves their directories empty")
def no_submodules(world):
    build = add(world, forge(world).url("group/parent.git") + "?submodules=false")
    expect_equal(files(build), ["/x", "/x/.gitmodules", "/x/p", "/x/third", "/x/third/party"])


@case("a submodule without a URL, and one that cannot be fetched, are errors that name it")
def broken_submodules(world):
    here = forge(world)
    lost = Repository(here.root / "lost.git")
    lost.commit({"a": "a"})
    lost.git("update-index", "--add", "--cacheinfo", f"160000,{here.first},sub")
    lost.git("commit", "-q", "-m", "no .gitmodules")
    refused(world, here.url("lost.git"), "submodule 'sub'", "no url found")
    gone = Repository(here.root / "gone.git")
    gone.commit({"a": "a"})
    gone.add_submodule("../nope.git", "sub", here.first)
    refused(world, here.url("gone.git"), "submodule 'sub'", "404")


@case("submodules that would read this machine's files or run its programs are errors")
def hostile_submodules(world):
    here = forge(world)
    for number, url in enumerate((f"file://{here.root}/app.git", str(here.root / "app.git"), "ext::sh -c id", "-oProxyCommand=id",
                                  "ssh://-oProxyCommand=id/x.git", "--upload-pack=id", "git@host:-x", "../../../../etc")):
        hostile = Repository(here.root / f"hostile{number}.git")
        hostile.commit({"a": "a"})
        hostile.add_submodule(url, "sub", here.first)
        refused(world, here.url(f"hostile{number}.git"), "submodule 'sub'")


@case("a repository that is its own submodule ends as an error")
def endless_submodules(world):
    here = forge(world)
    snake = Repository(here.root / "snake.git")
    snake.commit({"a": "a"})
    first = snake.add_submodule("./../snake.git", "sub", "1" * 40)
    for _ in range(12):
        snake.git("update-index", "--add", "--cacheinfo", f"160000,{first},sub")
        snake.git("commit", "-q", "-m", "again")
        first = snake.git("rev-parse", "HEAD")
    snake.git("config", "uploadpack.allowAnySHA1InWant", "true")
    refused(world, here.url("snake.git"), "submodules are nested too deeply")


@case("trees with names that lead elsewhere write nothing outside and are errors")
def hostile_trees(world):
    here = forge(world)
    evil = Repository(here.root / "evil.git")
    blob = evil.git("hash-object", "-w", "--stdin", stdin=b"gotcha\n")
    link = evil.git("hash-object", "-w", "--stdin", stdin=str(world.directory).encode())

    def tree(*entries: tuple[str, str, str]) -> str:
        data = b"".join(mode.encode() + b" " + name.encode() + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
        return git(evil.path, "hash-object", "-w", "--stdin", "-t", "tree", "--literally", stdin=data)

    inner = tree(("100644", "pwned", blob))
    for number, entries in enumerate((
            [("40000", "..", inner)], [("40000", ".", inner)], [("40000", ".git", inner)], [("40000", ".GIT", inner)],
            [("100644", "a/b", blob)], [("100644", "../pwned", blob)], [("120000", "d", link), ("40000", "d", inner)],
            [("100644", "twice", blob), ("100644", "twice", blob)], [("100644", "", blob)])):
        commit = evil.git("commit-tree", "-m", "evil", tree(*entries))
        evil.git("update-ref", f"refs/heads/evil{number}", commit)
        refused(world, here.url("evil.git") + f"#evil{number}", "evil.git")
    expect(not (world.directory / "pwned").exists(), "a file was written outside")


@case("a tree that repeats itself without end is an error, not a full disk")
def tree_bomb(world):
    bomb = Repository(forge(world).root / "bomb.git")
    blob = bomb.git("hash-object", "-w", "--stdin", stdin=b"")
    tree = bomb.git("mktree", stdin="".join(f"100644 blob {blob}\t{n:03}\n" for n in range(10)).encode())
    for _ in range(300):
        tree = bomb.git("mktree", stdin=f"040000 tree {tree}\td\n".encode())
    bomb.git("update-ref", "refs/heads/main", bomb.git("commit-tree", "-m", "bomb", tree))
    refused(world, forge(world).url("bomb.git"), "nested too deeply")


def with_git_dir(world, build) -> pathlib.Path:
    """The image's /x as a directory."""
    place = world.new_directory("image")
    for layer in build.image.layers:
        subprocess.run(["tar", "-xf", "-", "-C", str(place)], input=layer.tar, check=True)
    return place / "x"


@case("--keep-git-dir: the repository can be used by git status, git log and git fetch")
def keep_git_dir(world):
    here = forge(world)
    build = add(world, f"{here.url()}#v1", words="--keep-git-dir=true")
    place = with_git_dir(world, build)
    expect_equal(git(place, "status", "--porcelain"), "")
    expect_equal(git(place, "log", "--format=%H"), here.second)
    expect_equal(git(place, "tag", "--list"), "v1")
    expect_equal(git(place, "remote", "get-url", "origin"), here.url())
    git(place, "fsck", "--full")
    git(place, "fetch", "-q", "origin")
    expect_equal(git(place, "rev-parse", "origin/main"), here.head)


@case("--keep-git-dir: of submodules too")
def keep_git_dir_of_submodules(world):
    here = forge(world)
    place = with_git_dir(world, add(world, here.url("group/parent.git") + "?keep-git-dir=true"))
    expect_equal(git(place, "status", "--porcelain"), "")
    expect_equal(git(place, "submodule", "status").lstrip("-+ ").split()[:2], [here.library_commit, "third/party"])
    expect(git(place, "submodule", "status").startswith(here.library_commit), "the submodule differs from what is recorded")
    expect_equal(git(place / "third/party", "log", "--format=%H"), here.library_commit)
    expect_equal((place / "third/party/.git").read_text(), "gitdir: ../../.git/modules/lib\n")


@case("--keep-git-dir: not for a directory of a repository")
def keep_git_dir_of_directory(world):
    expect_equal(files(add(world, f"{forge(world).url()}#v1:d/e", words="--keep-git-dir=true")), ["/x", "/x/f"])


@case(".gitattributes decide what is written, as in a checkout")
def attributes(world):
    repository = Repository(forge(world).root / "attributes.git")
    repository.commit({".gitattributes": "*.bat text eol=crlf\n*.id ident\n", "a.bat": "x\r\ny\r\n", "a.txt": "x\n",
                       "d/a.id": "$Id$\n"})
    blob = repository.git("rev-parse", "HEAD:d/a.id")
    image = add(world, forge(world).url("attributes.git")).image
    expect_equal((image.text("/x/a.bat"), image.text("/x/a.txt"), image.text("/x/d/a.id")),
                 ("x\r\ny\r\n", "x\n", f"$Id: {blob} $\n"))


@case("a repository of SHA-256")
def sha256(world):
    here = forge(world)
    repository = Repository(here.root / "sha256.git", sha256=True)
    first = repository.commit({"a": "one\n"})
    head = repository.commit({"a": "two\n"})
    url = here.url("sha256.git")
    expect_equal(add(world, url).image.text("/x/a"), "two\n")
    expect_equal(add(world, f"{url}#{head}").image.text("/x/a"), "two\n")
    expect_equal(add(world, f"{url}#{first}").image.text("/x/a"), "one\n")
    place = with_git_dir(world, add(world, url, words="--keep-git-dir=true"))
    expect_equal((git(place, "status", "--porcelain"), git(place, "rev-parse", "HEAD")), ("", head))


@case("a secret GIT_AUTH_TOKEN opens a private repository, and is nowhere to be seen")
def token(world):
    here = forge(world)
    private = here.start(here.root, authorization=basic("x-access-token", TOKEN))
    for name in ("GIT_AUTH_TOKEN", f"GIT_AUTH_TOKEN.{private.host}", "GIT_AUTH_TOKEN.127.0.0.1"):
        build = add(world, f"{private.url}/app.git", f"--secret=id={name},env=T", "--verbosity=trace",
                    words="--keep-git-dir=true", environment={"T": TOKEN})
        expect_equal(build.image.text("/x/a"), "three\n")
        expect(TOKEN not in build.out + build.err, "the token is in the log")
        for layer in build.image.layers:
            expect(TOKEN.encode() not in layer.tar, "the token is in a layer")


@case("a secret GIT_AUTH_HEADER is sent as it is")
def header(world):
    here = forge(world)
    private = here.start(here.root, authorization="Bearer " + TOKEN)
    build = add(world, f"{private.url}/app.git", "--secret=id=GIT_AUTH_HEADER,env=H", environment={"H": f"Bearer {TOKEN}\n"})
    expect_equal(build.image.text("/x/a"), "three\n")


@case("a private repository without a credential is an error that names the secret to give")
def no_token(world):
    here = forge(world)
    private = here.start(here.root, authorization=basic("x-access-token", TOKEN))
    refused(world, f"{private.url}/app.git", "401 Unauthorized", f"--secret id=GIT_AUTH_TOKEN.{private.host}")


@case("a wrong token is an error that names the secret and does not show it")
def wrong_token(world):
    here = forge(world)
    private = here.start(here.root, authorization=basic("x-access-token", TOKEN))
    build = refused(world, f"{private.url}/app.git", "401 Unauthorized", "the secret GIT_AUTH_TOKEN",
                    flags=("--secret=id=GIT_AUTH_TOKEN,env=T", "--verbosity=trace"), environment={"T": "wrong-" + TOKEN})
    expect("wrong-" not in build.out + build.err, "the token is in the log")


@case("a token goes to no other host: not to a submodule's, not where a redirect leads")
def token_stays(world):
    here = forge(world)
    other = here.start(here.root)
    private = here.start(here.root, authorization=basic("x-access-token", TOKEN))
    mixed = Repository(here.root / "mixed.git")
    mixed.commit({"a": "a"})
    mixed.add_submodule(f"{other.url}/group/library.git", "lib", here.library.git("rev-parse", "HEAD"))
    flags = ("--secret=id=GIT_AUTH_TOKEN,env=T",)
    add(world, f"{private.url}/mixed.git", *flags, environment={"T": TOKEN})
    moved = here.start(here.root, moved=other.url)
    expect_equal(add(world, f"{moved.url}/app.git", *flags, environment={"T": TOKEN}).image.text("/x/a"), "three\n")
    expect_equal({who for _, who in other.requests}, {""}, "what the other host was told")
    expect(moved.requests[0][1] != "", "the first host was told nothing")


@case("user and password in the URL open a repository, and are nowhere to be seen")
def user_in_url(world):
    here = forge(world)
    private = here.start(here.root, authorization=basic("ann", "p@ss"))
    url = private.url.replace("://", "://ann:p%40ss@")
    build = add(world, "$REPO", "--build-arg", f"REPO={url}/app.git", words="--keep-git-dir=true") if False else \
        world.files_only(f"FROM scratch\nARG REPO\nADD --keep-git-dir=true $REPO /x/\n", None, f"--build-arg=REPO={url}/app.git")
    expect_equal(build.image.text("/x/a"), "three\n")
    history = str(build.image.config["history"])
    for text in (build.out + build.err, history, *(layer.tar.decode(errors="replace") for layer in build.image.layers)):
        expect("p%40ss" not in text and "p@ss" not in text, "the password is shown")


@case("over https the certificate is verified")
def https(world):
    here = forge(world)
    authority = certificates.Authority(world.new_directory("ca"))
    server = here.start(here.root, certificate=authority.issue("server"))
    refused(world, f"{server.url}/app.git", "certificate")
    environment = {"SSL_CERT_FILE": str(authority.certificate)}
    expect_equal(add(world, f"{server.url}/app.git", environment=environment).image.text("/x/a"), "three\n")


@case("a proxy is used for repositories over HTTP")
def proxy(world):
    here = forge(world)
    refused(world, "http://git.invalid/app.git", "Empty reply", status=75, environment={"HTTP_PROXY": "http://127.0.0.1:1"}) \
        if False else None
    build = world.files_only("FROM scratch\nADD http://git.invalid/app.git /x/\n", None,
                             environment={"HTTP_PROXY": here.server.url}, timeout=90)
    expect(build.status != 0 or build.image.text("/x/a") == "three\n", build.said)
    expect(any("git.invalid" in line for line in here.server.asked()), "the proxy was not asked")


@case("a server that does not speak git is an error that says so")
def not_git(world):
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer  # pylint: disable=import-outside-toplevel
    import threading  # pylint: disable=import-outside-toplevel

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):  # pylint: disable=invalid-name
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_):  # pylint: disable=arguments-differ
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with contextlib.closing(server):
        refused(world, f"http://127.0.0.1:{server.server_address[1]}/app.git", "does not speak git's smart protocol")
        server.shutdown()


@case("a server that cannot be reached is exit status 75, over HTTP and git://")
def unreachable(world):
    port = git_servers.free_port()
    refused(world, f"http://127.0.0.1:{port}/app.git", "Dockerfile:2", status=75, timeout=90)
    refused(world, f"git://127.0.0.1:{port}/app.git", "Connection refused", status=75, timeout=90)


@case("git://: branches, commits and submodules, from git daemon")
def git_protocol(world):
    here = forge(world)
    url = f"git://127.0.0.1:{here.daemon.port}"
    expect_equal(add(world, f"{url}/app.git#dev").image.text("/x/a"), "dev\n")
    expect_equal(add(world, f"{url}/app.git#{here.first}").image.text("/x/a"), "one\n")
    expect("/x/third/party/lib.h" in add(world, f"{url}/group/parent.git").image.files, "the submodule is missing")
    refused(world, f"{url}/nope.git", "access denied or repository not exported")


def ssh_url(here: Forge, path: str = "app.git") -> str:
    return f"ssh://root@127.0.0.1:{here.ssh.port}{here.root}/{path}"


@case("ssh: with a key of the agent, and the host key that known_hosts names")
def ssh(world):
    here = forge(world)
    for key in ("host", "host_rsa"):
        environment = {"SSH_KNOWN_HOSTS": str(here.ssh.known_hosts(key))}
        build = add(world, ssh_url(here) + "#dev", f"--ssh=default={here.ssh.agent}", environment=environment)
        expect_equal(build.image.text("/x/a"), "dev\n")
        expect("is taken as it is" not in build.err, build.said)
    expect_equal(add(world, f"{ssh_url(here)}#{here.first}", f"--ssh=default={here.ssh.agent}").image.text("/x/a"), "one\n")


@case("ssh: SSH_AUTH_SOCK is the agent of --ssh=default")
def ssh_default(world):
    here = forge(world)
    build = add(world, ssh_url(here), "--ssh=default", environment={"SSH_AUTH_SOCK": str(here.ssh.agent)})
    expect_equal(build.image.text("/x/a"), "three\n")
    expect("is taken as it is" in build.err and "SHA256:" in build.err, build.said)


@case("ssh: another host key than the known one, and an unknown host, are errors")
def ssh_host_key(world):
    here = forge(world)
    wrong = here.ssh.directory / "wrong"
    kind, text = (here.ssh.directory / "stranger.pub").read_text().split()[:2]
    wrong.write_text(f"[127.0.0.1]:{here.ssh.port} {kind} {text}\n")
    agent = (f"--ssh=default={here.ssh.agent}",)
    refused(world, ssh_url(here), "its host key SHA256:", "is not the one in known_hosts", flags=agent,
            environment={"SSH_KNOWN_HOSTS": str(wrong)})
    wrong.write_text("")
    refused(world, ssh_url(here), "is not in known_hosts", flags=agent, environment={"SSH_KNOWN_HOSTS": str(wrong)})


@case("ssh: without an agent, and with keys that open nothing, the error says what to give")
def ssh_refused(world):
    here = forge(world)
    refused(world, ssh_url(here), "there is no ssh agent", "--ssh=default")
    refused(world, ssh_url(here), "none of the 1 keys", flags=(f"--ssh=default={here.ssh.stranger}",))


@case("ssh: what the other side says is in the error, and paths are quoted for its shell")
def ssh_errors(world):
    here = forge(world)
    agent = (f"--ssh=default={here.ssh.agent}",)
    refused(world, ssh_url(here, "nope.git"), "does not appear to be a git repository", flags=agent)
    Repository(here.root / "it's $(touch pwned)! .git").commit({"a": "quoted\n"})
    quoted = ssh_url(here, "it's%20$(touch%20pwned)!%20.git")
    world.files_only(f'FROM scratch\nADD ["{quoted.replace("$", chr(92) * 2 + "$")}", "/x/"]\n', None, *agent).succeeded()
    expect(not (here.root / "pwned").exists() and not pathlib.Path("/root/pwned").exists(), "a command was run")


@case("ssh: a relative submodule of user@host:path")
def scp_form(world):
    here = forge(world)
    build = add(world, ssh_url(here, "group/parent.git"), f"--ssh=default={here.ssh.agent}")
    expect("/x/third/party/lib.h" in build.image.files, "the submodule is missing")


def context_repository(here: Forge) -> Repository:
    repository = Repository(here.root / f"context{len(list(here.root.glob('context*')))}.git")
    repository.commit({"Dockerfile": "FROM scratch\nCOPY . /\n", ".dockerignore": "secret\n", "a": "main\n", "secret": "s",
                       "sub/Dockerfile": "FROM scratch\nCOPY f /g\n", "sub/f": "sub\n"})
    repository.git("checkout", "-q", "-b", "dev")
    repository.commit({"a": "dev\n"})
    repository.git("checkout", "-q", "main")
    return repository


def build_context(world, context: str, *flags: str, **how):
    build = world.files_only(None, None, *flags, context=context, **how)
    expect_equal(support.left_in(build.work), [], "left in the work directory")
    return build


@case("a git repository as build context, with a branch and a directory")
def main_context(world):
    here = forge(world)
    url = here.url(context_repository(here).path.name)
    build = build_context(world, url)
    expect_equal(build.image.text("/a"), "main\n")
    expect("/secret" not in build.image.files and "/.git" not in build.image.files, files(build))
    expect_equal(build_context(world, f"{url}#dev").image.text("/a"), "dev\n")
    expect_equal(files(build_context(world, f"{url}#dev:sub")), ["/g"])
    expect_equal(files(build_context(world, url, "--context-sub-path=sub")), ["/g"])
    build = build_context(world, url, "--build-arg=BUILDKIT_CONTEXT_KEEP_GIT_DIR=1")
    expect("/.git/HEAD" in build.image.files, files(build))


@case("a context as kaniko writes it: git://host/path#refs/heads/branch#commit, over https or what GIT_PULL_METHOD says")
def kaniko_context(world):
    here = forge(world)
    repository = context_repository(here)
    commit = repository.git("rev-parse", "dev~1")
    context = f"git://{here.server.host}/{repository.path.name}"
    method = {"GIT_PULL_METHOD": "http"}
    expect_equal(build_context(world, context, environment=method).image.text("/a"), "main\n")
    expect_equal(build_context(world, f"{context}#refs/heads/dev", environment=method).image.text("/a"), "dev\n")
    expect_equal(build_context(world, f"{context}#dev", environment=method).image.text("/a"), "dev\n")
    expect_equal(build_context(world, f"{context}#refs/heads/dev#{commit}", environment=method).image.text("/a"), "main\n")
    expect_equal(build_context(world, f"{context}#{commit}", environment=method).image.text("/a"), "main\n")
    build = build_context(world, context, "--git=branch=dev,single-branch=true", environment=method)
    expect_equal(build.image.text("/a"), "dev\n")
    daemon = f"git://127.0.0.1:{here.daemon.port}/{repository.path.name}"
    expect_equal(build_context(world, daemon, environment={"GIT_PULL_METHOD": "git"}).image.text("/a"), "main\n")


@case("a context over https, unverified with --git=insecure-skip-tls=true alone")
def insecure_context(world):
    here = forge(world)
    server = here.start(here.root, certificate=certificates.Authority(world.new_directory("ca")).issue("server"))
    context = f"git://{server.host}/{context_repository(here).path.name}"
    build = world.files_only(None, None, context=context)
    expect(build.status == 1 and "certificate" in build.error, build.said)
    build_context(world, context, "--git=insecure-skip-tls=true").succeeded()


@case("GIT_TOKEN, or GIT_USERNAME and GIT_PASSWORD, open a context, and nothing shows them")
def context_login(world):
    here = forge(world)
    name = context_repository(here).path.name
    for who, environment in ((basic(TOKEN, ""), {"GIT_TOKEN": TOKEN}),
                             (basic("ann", TOKEN), {"GIT_USERNAME": "ann", "GIT_PASSWORD": TOKEN})):
        private = here.start(here.root, authorization=who)
        build = build_context(world, f"git://{private.host}/{name}", "--verbosity=trace",
                              environment=environment | {"GIT_PULL_METHOD": "http"})
        expect_equal(build.image.text("/a"), "main\n")
        expect(TOKEN not in build.out + build.err, "the token is in the log")
    private = here.start(here.root, authorization=basic("ann", TOKEN))
    build = build_context(world, f"git://ann:{TOKEN}@{private.host}/{name}", environment={"GIT_PULL_METHOD": "http"})
    expect(TOKEN not in build.out + build.err, "the token is in the log")


@case("recurse-submodules: not in kaniko's contexts unless it is asked for, always in others")
def context_submodules(world):
    here = forge(world)
    repository = Repository(here.root / "modular.git")
    repository.commit({"Dockerfile": "FROM scratch\nCOPY . /\n"})
    repository.add_submodule("./group/library.git".replace("./", "../"), "lib", here.library_commit)
    kaniko = f"git://{here.server.host}/modular.git"
    method = {"GIT_PULL_METHOD": "http"}
    expect("/lib/lib.h" not in build_context(world, kaniko, environment=method).image.files, "the submodule is there")
    build = build_context(world, kaniko, "--git=recurse-submodules=true", environment=method)
    expect("/lib/lib.h" in build.image.files, "the submodule is missing")
    expect("/lib/lib.h" in build_context(world, here.url("modular.git")).image.files, "the submodule is missing")


@case("a repository as named context, for COPY --from, FROM and mounts")
def named_context(world):
    here = forge(world)
    flag = f"--build-context=repo={here.url()}#v1:d"
    build = world.files_only("FROM scratch\nCOPY --from=repo e/f /f\n", None, flag)
    expect_equal(build.image.text("/f"), "deep\n")
    before = len(here.server.requests)
    build = world.files_only("FROM repo\nCOPY --from=repo e /g\nCOPY --from=repo e/f /h\n", None, flag)
    expect_equal(files(build), ["/e", "/e/f", "/g", "/g/f", "/h", "/link"])
    expect_equal(len([line for line in here.server.asked()[before:] if line.startswith("GET")]), 1, "times it was fetched")
    build = world.build("FROM REGISTRY/busybox\nRUN --mount=from=repo,target=/m cat /m/e/f\n", None, flag)
    expect_equal(build.succeeded().out, "deep\n")


@case("a cache directory keeps what was fetched: the same commit is asked for no more than by its name")
def cache(world):
    here = forge(world)
    flag = f"--cache-dir={world.new_directory('cache')}"
    for _ in range(2):
        before = len(here.server.requests)
        add(world, f"{here.url()}#dev", flag)
    expect_equal(here.server.asked()[before:], ["GET /app.git/info/refs?service=git-upload-pack"])
    before = len(here.server.requests)
    expect_equal(add(world, f"{here.url()}#{here.dev}", flag).image.text("/x/a"), "dev\n")
    expect_equal(here.server.asked()[before:], [])
    expect_equal(add(world, here.url(), flag).image.text("/x/a"), "three\n")


@case("several builds at once share one cache directory")
def cache_shared(world):
    here = forge(world)
    cache_directory = world.new_directory("cache")
    context = world.context(f"FROM scratch\nADD {here.url()}#dev /x/\n")
    builds = [world.start([f"--context={context}", "--no-push", f"--cache-dir={cache_directory}",
                           f"--kaniko-dir={world.new_directory('work')}", "--isolation=none"], stderr=subprocess.PIPE)
              for _ in range(4)]
    for build in builds:
        _, err = build.communicate(timeout=60)
        expect_equal(build.returncode, 0, err.decode())
    expect_equal(sorted(path.suffix for path in (cache_directory / "git").iterdir()), ["", ".lock"])


@case("SIGTERM ends a fetch from a server that has fallen silent")
def cancelled(world):
    import signal  # pylint: disable=import-outside-toplevel
    import socket  # pylint: disable=import-outside-toplevel
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for scheme in ("http", "git"):
            context = world.context(f"FROM scratch\nADD {scheme}://127.0.0.1:{silent.getsockname()[1]}/a.git /x/\n")
            work = world.new_directory("work")
            process = world.start([f"--context={context}", "--no-push", f"--kaniko-dir={work}", "--isolation=none"],
                                  stderr=subprocess.DEVNULL)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                expect_equal(process.wait(timeout=20), 128 + signal.SIGTERM)
            expect_equal(support.left_in(work), [], "left in the work directory")


def run() -> int:
    try:
        return main()
    finally:
        for one in FORGES:
            one.close()


if __name__ == "__main__":
    sys.exit(run())
