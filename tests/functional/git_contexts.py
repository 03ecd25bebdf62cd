#!/usr/bin/env python3
"""Git repositories as build contexts, the main one and named ones, and what is kept of them."""
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

from git_support import TOKEN, Forge, add, files, forge, run
from support import case, expect, expect_equal, left_in

import certificates
from git_servers import Repository, basic, git


def context_repository(here: Forge) -> Repository:
    repository = Repository(here.root / f"context{len(list(here.root.glob('context*')))}.git")
    repository.commit({
        "Dockerfile": "FROM scratch\nCOPY . /\n", ".dockerignore": "secret\n", "a": "main\n", "secret": "s",
        "sub/Dockerfile": "FROM scratch\nCOPY f /g\n", "sub/f": "sub\n"
    })
    repository.git("checkout", "-q", "-b", "dev")
    repository.commit({"a": "dev\n"})
    repository.git("checkout", "-q", "main")
    return repository


def build_context(world, context: str, *flags: str, **how):
    build = world.files_only(None, None, *flags, context=context, **how)
    expect_equal(left_in(build.work), [], "left in the work directory")
    return build


@case("a git repository as build context, with a branch and a directory")
def main_context(world):
    here = forge(world)
    url = here.url(context_repository(here).path.name)
    build = build_context(world, url)
    expect_equal(build.image.text("/a"), "main\n")
    expect("/.git" not in build.image.files, files(build))
    expect("/secret" in build.image.files, "as in BuildKit .dockerignore does not count")
    expect_equal(build_context(world, f"{url}#dev").image.text("/a"), "dev\n")
    expect_equal(files(build_context(world, f"{url}#dev:sub")), ["/g"])
    expect_equal(files(build_context(world, url, "--context-sub-path=sub")), ["/g"])
    build = build_context(world, url, "--build-arg=BUILDKIT_CONTEXT_KEEP_GIT_DIR=1")
    expect("/.git/HEAD" in build.image.files, files(build))


@case(
    "a context as kaniko writes it: git://host/path#refs/heads/branch#commit, over https or what GIT_PULL_METHOD says")
def kaniko_context(world):
    here = forge(world)
    repository = context_repository(here)
    commit = repository.git("rev-parse", "dev~1")
    context = f"git://{here.server.host}/{repository.path.name}"
    method = {"GIT_PULL_METHOD": "http"}
    build = build_context(world, context, environment=method)
    expect_equal(build.image.text("/a"), "main\n")
    expect("/secret" not in build.image.files, "as in kaniko .dockerignore counts")
    expect_equal(build_context(world, f"{context}#refs/heads/dev", environment=method).image.text("/a"), "dev\n")
    expect_equal(build_context(world, f"{context}#dev", environment=method).image.text("/a"), "dev\n")
    expect_equal(
        build_context(world, f"{context}#refs/heads/dev#{commit}", environment=method).image.text("/a"), "main\n")
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


@case("a context is opened by BuildKit's secrets and by an agent, too")
def context_secrets(world):
    here = forge(world)
    name = context_repository(here).path.name
    private = here.start(here.root, authorization=basic("x-access-token", TOKEN))
    secret, environment = f"--secret=id=GIT_AUTH_TOKEN.{private.host},env=T", {"T": TOKEN, "GIT_PULL_METHOD": "http"}
    for context in (f"{private.url}/{name}", f"git://{private.host}/{name}"):
        expect_equal(build_context(world, context, secret, environment=environment).image.text("/a"), "main\n")
    ssh = f"ssh://root@127.0.0.1:{here.ssh.port}{here.root}/{name}"
    expect_equal(build_context(world, f"{ssh}#dev", f"--ssh=default={here.ssh.agent}").image.text("/a"), "dev\n")


@case("--dryrun and --check read a context that is a repository, and fetch no other")
def planned_contexts(world):
    here = forge(world)
    repository = Repository(here.root / "planned.git")
    repository.commit({"Dockerfile": f"FROM scratch\nADD {here.url()}#dev /x\nMAINTAINER me\n"})
    before = len(here.server.requests)
    plan = build_context(world, here.url("planned.git"), "--dryrun").succeeded()
    expect(f"files  {here.url()}#dev to /x" in plan.out, plan.said)
    report = build_context(world, here.url("planned.git"), "--check")
    expect("MaintainerDeprecated" in report.out, report.said)
    expect(all(line.split()[1].startswith("/planned.git/") for line in here.server.asked()[before:]),
           here.server.asked()[before:])


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
    expect_equal(len([line for line in here.server.asked()[before:] if line.startswith("GET")]), 1,
                 "times it was fetched")
    build = world.build("FROM REGISTRY/busybox\nRUN --mount=from=repo,target=/m cat /m/e/f\n", None, flag)
    expect_equal(build.succeeded().out, "deep\n")


@case("in place a repository comes when its step does, on top of what is in the image by then")
def in_place(world):
    here = forge(world)
    build = world.build_in_place(f"FROM REGISTRY/busybox\nRUN echo before > /before\nADD {here.url()}#v1:d /x/\n"
                                 "RUN --mount=from=repo,target=/m cat /x/e/f /m/lib.h > /after\n", None,
                                 f"--build-context=repo={here.url('group/library.git')}#{here.library_commit}")
    expect_equal((build.image.text("/after"), build.image.text("/x/e/f")), ("deep\nold\n", "deep\n"))


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


@case("with --cache a step is known by its commit: what is kept takes the commit's name and no more")
def step_cache(world):
    here = forge(world)
    repository = Repository(here.root / "moving.git")
    old = repository.commit({"a": "old\n"})
    flags = ("--cache", f"--cache-dir={world.new_directory('cache')}")
    url = here.url("moving.git")
    add(world, url, *flags)
    before = len(here.server.requests)
    expect_equal(add(world, url, *flags).image.text("/x/a"), "old\n")
    expect_equal(here.server.asked()[before:], ["GET /moving.git/info/refs?service=git-upload-pack"])
    before = len(here.server.requests)
    expect_equal(add(world, f"{url}#{old}", *flags).image.text("/x/a"), "old\n")
    expect_equal(here.server.asked()[before:], [])
    repository.commit({"a": "new\n"})
    expect_equal(add(world, url, *flags).image.text("/x/a"), "new\n")
    expect("/x/.git/HEAD" in add(world, url, *flags, words="--keep-git-dir=true").image.files,
           "the repository is missing")


@case("what is kept of a repository and is damaged is fetched again, and kept again")
def damaged_cache(world):
    here = forge(world)
    directory = world.new_directory("cache")
    flag = f"--cache-dir={directory}"
    add(world, here.url(), flag)
    for damage in (b"", b"rubbish"):
        for path in directory.rglob("git/*/repository/objects/pack/*.pack"):
            path.chmod(0o600)
            path.write_bytes(path.read_bytes()[:100] + damage)
        for _ in range(2):
            expect_equal(add(world, here.url(), flag).image.text("/x/a"), "three\n")
        before = len(here.server.requests)
        add(world, here.url(), flag)
        expect(not any(line.startswith("POST") for line in here.server.asked()[before:]), "it was not kept again")
    for path in directory.glob("git/*/repository/HEAD"):
        path.unlink()
    expect_equal(add(world, here.url(), flag).image.text("/x/a"), "three\n")


def one_pack(kept: pathlib.Path, kind: str = "pack") -> pathlib.Path:
    path, = kept.glob(f"objects/pack/*.{kind}")
    path.chmod(0o600)
    return path


def cut(path: pathlib.Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def flip(path: pathlib.Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def in_its_place(path: pathlib.Path, make) -> None:
    """Whatever was at PATH is gone, and what MAKE makes is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    make(path)


def object_file(kept: pathlib.Path, name: str) -> pathlib.Path:
    """The file of an object of main, each of which has one from then on."""
    for path in list(kept.glob("objects/pack/*")):
        data = path.read_bytes()
        path.unlink()
        if path.suffix == ".pack":
            git(kept, "unpack-objects", "-q", stdin=data)
    digest = git(kept, "rev-parse", f"{(kept / 'shallow').read_text().strip()}{name}")
    path = kept / "objects" / digest[:2] / digest[2:]
    path.chmod(0o600)
    return path


def other_object(kept: pathlib.Path) -> None:
    object_file(kept, ":a").write_bytes(object_file(kept, ":text").read_bytes())


KEPT_DAMAGE = {
    "a pack with another byte": lambda kept: flip(one_pack(kept)),
    "half a pack": lambda kept: cut(one_pack(kept), 200),
    "an empty pack": lambda kept: cut(one_pack(kept), 0),
    "no pack": lambda kept: one_pack(kept).unlink(),
    "half an index": lambda kept: cut(one_pack(kept, "idx"), 600),
    "an index with another byte": lambda kept: flip(one_pack(kept, "idx")),
    "no index": lambda kept: one_pack(kept, "idx").unlink(),
    "the commit removed": lambda kept: object_file(kept, "").unlink(),
    "the tree removed": lambda kept: object_file(kept, "^{tree}").unlink(),
    "a directory's tree removed": lambda kept: object_file(kept, ":d").unlink(),
    "a file's object removed": lambda kept: object_file(kept, ":d/e").unlink(),
    "a file's object that is another's": other_object,
    "a pipe for an object": lambda kept: in_its_place(object_file(kept, ":a"), os.mkfifo),
    "HEAD emptied": lambda kept: cut(kept / "HEAD", 0),
    "HEAD of other bytes": lambda kept: (kept / "HEAD").write_bytes(b"\0\xff"),
    "HEAD removed": lambda kept: (kept / "HEAD").unlink(),
    "config emptied": lambda kept: cut(kept / "config", 0),
    "config of other bytes": lambda kept: (kept / "config").write_bytes(b"[core\n\0\xff=="),
    "config of a repository with longer names":
        lambda kept: (kept / "config").write_text("[core]\nbare = true\nrepositoryformatversion = 1\n"
                                                  "[extensions]\nobjectformat = sha256\n"),
    "config that changes the ends of lines": lambda kept: git(kept, "config", "core.autocrlf", "true"),
    "config that leads all requests elsewhere":
        lambda kept: git(kept, "config", "url.http://127.0.0.1:1/.insteadOf", "http://"),
    "a pipe for config": lambda kept: in_its_place(kept / "config", os.mkfifo),
    "attributes of its own": lambda kept: (kept / "info/attributes").write_text("* text eol=crlf\n"),
    "another repository for the common part": lambda kept: (kept / "commondir").write_text("/nonexistent\n"),
    "shallow removed": lambda kept: (kept / "shallow").unlink(),
    "shallow of other bytes": lambda kept: (kept / "shallow").write_bytes(b"\0\xff"),
    "objects elsewhere": lambda kept: (kept / "objects/info/alternates").write_text("/nonexistent\n"),
    "no objects": lambda kept: shutil.rmtree(kept / "objects"),
    "a file for the objects": lambda kept: in_its_place(kept / "objects", pathlib.Path.touch),
    "a file for the packs": lambda kept: in_its_place(kept / "objects/pack", pathlib.Path.touch),
    "a file for the repository": lambda kept: in_its_place(kept, pathlib.Path.touch),
    "a link to nothing for the repository": lambda kept: in_its_place(kept, lambda at: at.symlink_to("/nonexistent")),
    "an empty directory for the repository": lambda kept: in_its_place(kept, pathlib.Path.mkdir),
    "a file for the entry": lambda kept: in_its_place(kept.parent, pathlib.Path.touch),
    "a link to nothing for the entry":
        lambda kept: in_its_place(kept.parent, lambda at: at.symlink_to("/nonexistent")),
    "a directory for the lock": lambda kept: in_its_place(kept.parent / "lock", pathlib.Path.mkdir),
    "a file where the next one is made": lambda kept: in_its_place(kept.parent / "repository.new", pathlib.Path.touch),
}


def contents(build) -> dict[str, tuple]:
    return {path: (node.kind, node.mode, node.sha256, node.link) for path, node in build.image.files.items()}


def register_damage(what: str, damage) -> None:
    @case(f"what is kept of a repository is damaged: {what}. The image is right")
    def damaged(world):
        here = forge(world)
        if not (here.root / "damaged.git").exists():
            Repository(here.root / "damaged.git").commit({
                "a": "one\ntwo\n", "text": "three\nfour\n", "d/e": "deep\n", "run": ("#!/bin/sh\n", 0o755),
                ".gitattributes": "*.txt text\n"})
        url = here.url("damaged.git")
        commit = git(here.root / "damaged.git", "rev-parse", "HEAD")
        for reference in (url, f"{url}#{commit}"):
            directory = world.new_directory("cache")
            flag = f"--cache-dir={directory}"
            wanted = contents(add(world, reference, flag))
            kept, = directory.glob("git/*/repository")
            damage(kept)
            for _ in range(2):
                expect_equal(contents(add(world, reference, flag, timeout=30)), wanted)


for row in KEPT_DAMAGE.items():
    register_damage(*row)


@case("a directory that repositories cannot be kept in is a warning")
def cache_refused(world):
    here = forge(world)
    directory = world.new_directory("cache")
    (directory / "git").write_text("a file")
    build = add(world, here.url(), f"--cache-dir={directory}")
    expect_equal(build.image.text("/x/a"), "three\n")
    expect("repositories are not kept" in build.err, build.said)


@case("a repository that has itself as submodule is kept in a cache directory, too")
def cache_of_itself(world):
    here = forge(world)
    repository = Repository(here.root / "itself.git")
    first = repository.commit({"a": "a"})
    repository.add_submodule("../itself.git", "older", first)
    build = add(world, here.url("itself.git"), f"--cache-dir={world.new_directory('cache')}")
    expect("/x/older/a" in build.image.files, files(build))


@case("SOURCE_DATE_EPOCH is the time of a commit: of the context, a named one, or a stage of one ADD")
def epoch(world):
    here = forge(world)
    url = here.url(context_repository(here).path.name)
    when = "2023-11-14T22:13:20Z"
    build = build_context(world, url, "--build-arg=SOURCE_DATE_EPOCH=context")
    expect_equal(build.image.document["created"], when)
    expect_equal(build.image.files["/a"].mtime, 1700000000 * 10**9)
    build = world.files_only("FROM scratch\nCOPY --from=repo a /\n", None, f"--build-context=repo={url}",
                             "--build-arg=SOURCE_DATE_EPOCH=repo")
    expect_equal(build.image.document["created"], when)
    build = world.files_only(f"ARG SOURCE_DATE_EPOCH=src\nFROM scratch AS src\nARG REF=main\nADD {url}#$REF /\n"
                             "FROM scratch\nCOPY --from=src a /\n", None)
    expect_equal(build.image.document["created"], when)
    build = build_context(world, url)
    expect(build.image.document["created"] != when, "nobody asked for it")


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
    expect_equal(sorted(path.name for path in (cache_directory / "git").glob("*/*")), ["lock", "repository"])


@case("a repository that was not used for the longest time makes room, unless a build is using it")
def cache_makes_room(world):
    here = forge(world)
    directory = world.new_directory("cache")
    flags = ("--cache", f"--cache-dir={directory}", "--cache-max-size=1")
    add(world, here.url(), *flags[:2])
    entry, = (directory / "git").iterdir()
    with open(entry / "lock", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        world.files_only("FROM scratch\nCOPY f /\n", {"f": ""}, *flags)
        expect((entry / "repository/HEAD").exists(), "it went while it was in use")
    world.files_only("FROM scratch\nCOPY f /\n", {"f": ""}, *flags)
    expect(not entry.exists(), "it is still there")
    expect_equal(add(world, here.url(), *flags[:2]).image.text("/x/a"), "three\n")
    expect((entry / "repository/HEAD").exists(), "it was not kept again")


if __name__ == "__main__":
    sys.exit(run())
