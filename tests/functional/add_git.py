#!/usr/bin/env python3
"""Git repositories in ADD: which commit, which files, submodules, hostile repositories."""
import os
import pathlib
import subprocess
import sys
import time

from git_support import COMMIT_TIME, add, files, forge, layer_tars, refused, run
from support import case, expect, expect_equal

from git_servers import Repository, git


@case("a repository without a reference is that of its default branch")
def default_branch(world):
    build = add(world, forge(world).url(), to="/x")
    expect_equal(files(build),
                 ["/x", "/x/.dotfile", "/x/a", "/x/bin", "/x/bin/run", "/x/d", "/x/d/e", "/x/d/e/f", "/x/d/link"])
    expect_equal(build.image.text("/x/a"), "three\n")
    expect_equal(oct(build.image.files["/x/a"].mode), "0o644")
    expect_equal(oct(build.image.files["/x/bin/run"].mode), "0o755")
    expect_equal(build.image.files["/x/d/link"].link, "../a")
    expect_equal({file.owner for file in build.image.files.values()}, {(0, 0)})


@case("the history holds the instruction as BuildKit writes it")
def history(world):
    url = forge(world).url()
    build = add(world, f"{url}#v1", words="--chown=1:2 --keep-git-dir=true")
    expect_equal(build.image.history[-1]["created_by"], f"ADD --chown=1:2 {url}#v1 /x/ # buildkit")


@case("--chown, --chmod and --exclude apply to a repository's files")
def transfer_flags(world):
    build = add(world, forge(world).url(), words="--chown=7:8 --chmod=600 --exclude=bin --exclude=d")
    expect_equal(files(build), ["/x", "/x/.dotfile", "/x/a"])
    expect_equal((build.image.files["/x/a"].owner, oct(build.image.files["/x/a"].mode)), ((7, 8), "0o600"))


@case("several sources of both kinds go into one directory")
def several_sources(world):
    here = forge(world)
    build = world.files_only(f"FROM scratch\nADD local {here.url()}#v1:d/e {here.url('group/library.git')} /x/\n",
                             {"local": "l"})
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


@case("a commit in the middle of the history, from a server that gives tips alone: all of it is fetched")
def commit_middle(world):
    here = forge(world)
    long = Repository(here.root / "long.git")
    old = [long.commit({"a": str(number)}) for number in range(3)][1]
    build = add(world, f"git://127.0.0.1:{here.daemon.port}/long.git#{old}")
    expect_equal(build.image.text("/x/a"), "1")
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
        refused(world,
                forge(world).url("links.git") + f"#main:{name}", f"there is no directory '{name}'", "Dockerfile:2")


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
    refused(world, f"{url}#v1", "expected checksum to match", here.dev, here.second, here.tag,
            words=f"--checksum={here.dev}")
    refused(world, f"{url}?checksum={here.second}#v1", "checksum mismatch", words=f"--checksum={here.dev}")
    refused(world, f"{url}#v1", "invalid checksum", "expected hex commit hash", words="--checksum=sha256:" + "0" * 64)
    refused(world, f"{url} {url}", "checksum can't be specified for multiple sources", words=f"--checksum={here.dev}")


@case("COPY of a repository is an error")
def copy(world):
    world.refused(f"FROM scratch\nCOPY {forge(world).url()} /x\n",
                  texts=("source can't be a git ref for COPY", "Dockerfile:2"))


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
    expect_equal({file.mtime for path, file in build.image.files.items() if path != "/x"}, {COMMIT_TIME * 10**9})
    build = add(world, f"{url}?mtime=checkout")
    expect(build.image.files["/x/a"].mtime > (time.time() - 300) * 10**9, build.image.files["/x/a"].mtime)


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
    for number, url in enumerate(
        (f"file://{here.root}/app.git", str(here.root / "app.git"), "ext::sh -c id", "-oProxyCommand=id",
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
        data = b"".join(mode.encode() + b" " + name.encode() + b"\0" + bytes.fromhex(oid)
                        for mode, name, oid in entries)
        return git(evil.path, "hash-object", "-w", "--stdin", "-t", "tree", "--literally", stdin=data)

    inner = tree(("100644", "pwned", blob))
    for number, entries in enumerate((
            [("40000", "..", inner)], [("40000", ".", inner)], [("40000", ".git", inner)], [("40000", ".GIT", inner)],
            [("100644", "a/b", blob)], [("100644", "../pwned", blob)], [("120000", "d", link), ("40000", "d", inner)],
            [("100644", "twice", blob), ("100644", "twice", blob)])):
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
    for tar in layer_tars(build.image):
        subprocess.run(["tar", "-xf", "-", "-C", str(place)], input=tar, check=True)
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
    expect(
        git(place, "submodule", "status").startswith(here.library_commit),
        "the submodule differs from what is recorded")
    expect_equal(git(place / "third/party", "log", "--format=%H"), here.library_commit)
    expect_equal((place / "third/party/.git").read_text(), "gitdir: ../../.git/modules/lib/\n")


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


if __name__ == "__main__":
    sys.exit(run())
