#!/usr/bin/env python3
"""--cache: which steps are taken from the cache, what makes them new, and that no cache can fail a build."""
import shutil
import sys

from cache_support import cached_steps
from support import File, at_once, case, expect, expect_equal, main, registry

STAGES = (
    "FROM REGISTRY/busybox AS a\nRUN date +%N > /stamp\nCOPY f /f\nWORKDIR /w/x\n"
    "FROM REGISTRY/busybox\nRUN date +%N > /one\nCOPY --from=a /stamp /f /d/\nRUN cat /d/f > /two && date +%N >> /two\n"
)
FILES = {"f": "text\n"}


def layers(build) -> list[str]:
    return [layer.diff_id for layer in build.image.layers]


def build(world, text=STAGES, files=None, *flags, repository=None, directory=None, **how):
    where = [f"--cache-repo={repository}"] if repository else []
    where += [f"--cache-dir={directory or world.new_directory('cache')}"] if directory or not repository else []
    return world.build(text, FILES if files is None else files, "--cache", *where, *flags, **how)


def new_repository(world) -> str:
    return f"{world.host}/{world.new_name('cache')}"


@case("the second build takes every step from the repository, and gives the same layers")
def repository_hits(world):
    repository = new_repository(world)
    first = build(world, repository=repository).succeeded()
    expect_equal(cached_steps(first), [])
    second = build(world, repository=repository).succeeded()
    expect_equal(cached_steps(second),
                 ["RUN date +%N > /one", "COPY --from=a /stamp /f /d/", "RUN cat /d/f > /two && date +%N >> /two"])
    expect_equal(layers(second), layers(first))


@case("the second build takes every step from --cache-dir, without a repository")
def directory_hits(world):
    directory = world.new_directory("cache")
    first = build(world, directory=directory).succeeded()
    second = build(world, directory=directory).succeeded()
    expect_equal(len(cached_steps(second)), 3)
    expect_equal(layers(second), layers(first))


@case("--cache-repo=oci:PATH keeps an image layout for each step")
def layout_hits(world):
    place = world.new_directory("kept") / "steps"
    first = build(world, repository=f"oci:{place}").succeeded()
    expect(all((path / "index.json").exists() for path in place.parent.iterdir()), "layouts")
    second = build(world, repository=f"oci:{place}").succeeded()
    expect_equal(len(cached_steps(second)), 3)
    expect_equal(layers(second), layers(first))


@case("without --cache-repo the cache is beside the first destination")
def default_repository(world):
    name = world.new_name("app")
    for _ in range(2):
        done = world.build(STAGES, FILES, "--cache", outputs=(f"--destination={world.host}/{name}:1",)).succeeded()
    expect_equal(len(cached_steps(done)), 3)
    indexes = [tag for tag in world.tags(f"{name}/cache") if tag.startswith("index-")]
    expect_equal((len(world.tags(f"{name}/cache")) - len(indexes), len(indexes)), (6, 1))


@case("a build of which every step is cached runs where no command can be run, and reads no layer")
def cached_without_commands(world):
    repository, name = new_repository(world), world.new_name("app")
    build(world, repository=repository).succeeded()
    before = len(world.registry.requests())
    done = build(world, repository=repository, isolation="none",
                 outputs=(f"--destination={world.host}/{name}:1",)).succeeded()
    asked = world.registry.requests()[before:]
    expect_equal(len(cached_steps(done)), 3)
    expect_equal(
        [line for line in asked if line.startswith("GET") and f"/{repository.partition('/')[2]}/blobs/" in line], [])
    sent = [line for line in asked if line.startswith(("PUT", "PATCH")) and "/blobs/" in line]
    expect_equal(len(sent), 1, f"only the configuration is sent: {asked}")


@case("a step that changes is carried out, with those after it, while other stages stay cached")
def changed_step(world):
    directory = world.new_directory("cache")
    build(world, directory=directory).succeeded()
    done = build(world, STAGES.replace("cat /d/f", "cat /d/f /d/f"), directory=directory).succeeded()
    expect_equal(cached_steps(done), ["RUN date +%N > /one", "COPY --from=a /stamp /f /d/"])
    done = build(world, STAGES.replace("/one", "/uno"), directory=directory).succeeded()
    expect_equal(cached_steps(done), ["RUN date +%N > /stamp", "COPY f /f", "WORKDIR /w/x"])


RUN = "FROM REGISTRY/busybox\nARG A=1\nENV E=1\nWORKDIR /w\nCOPY f /f\nRUN cat /f && date +%N > /stamp\n"


def command_is_cached(world, text, files=None, *flags, then=None, then_files=None, then_flags=()) -> bool:
    """Whether the RUN of a build is taken from the cache in the next one, THEN."""
    directory = world.new_directory("cache")
    build(world, text, files, *flags, directory=directory).succeeded()
    done = build(world, then or text, files if then_files is None else then_files, *then_flags,
                 directory=directory).succeeded()
    return any(step.startswith("RUN") for step in cached_steps(done))


CHANGES = [  # what changes, whether the key does, and the second build
    ("the command", True, {"then": RUN.replace("cat /f", "cat  /f")}),
    ("the content of a copied file", True, {"then_files": {"f": "other\n"}}),
    ("the mode of a copied file", True, {"then_files": {"f": File("text\n", 0o755)}}),
    ("where a copied file goes", True, {"then": RUN.replace("COPY f /f", "COPY f /g").replace("cat /f", "cat /g")}),
    ("a build argument", True, {"then_flags": ("--build-arg=A=2",)}),
    ("a variable", True, {"then": RUN.replace("E=1", "E=2")}),
    ("the working directory", True, {"then": RUN.replace("/w", "/v")}),
    ("the user", True, {"then": RUN.replace("RUN", "USER ann\nRUN").replace("/stamp", "/tmp/stamp")}),
    ("the base image", True, {"then": RUN.replace("REGISTRY/busybox", "REGISTRY/other")}),
    ("an extra host", True, {"then_flags": ("--add-host=a:1.2.3.4",)}),
    ("the compression", True, {"then_flags": ("--compression=zstd",)}),
    ("a file that is mounted", True, {"then": RUN.replace("RUN", "RUN --mount=source=f,target=/m")}),
    ("the time of a copied file", False, {"then_files": {"f": File("text\n", mtime=1_000_000_000)}}),
    ("a file that is not copied", False, {"then_files": {"f": "text\n", "other": "x"}}),
    ("a label, a port and the command of the image", False,
     {"then": RUN.replace("WORKDIR", "LABEL a=b\nEXPOSE 80\nCMD [\"x\"]\nWORKDIR")}),
    ("a proxy", False, {"then_flags": ("--build-arg=HTTP_PROXY=http://proxy:3128",)}),
    ("a build argument that nothing declares", False, {"then_flags": ("--build-arg=UNUSED=2",)}),
    ("the name of the stage", False, {"then": RUN.replace("busybox\n", "busybox AS final\n")}),
    ("a comment and an empty line", False, {"then": RUN.replace("COPY", "\n# why\nCOPY")}),
    ("what follows", False, {"then": RUN + "RUN date +%N > /more\n"}),
]


def register_change(what: str, matters: bool, second: dict) -> None:
    @case(f"key: {what} {'makes' if matters else 'does not make'} another one")
    def change(world):
        world.push("other", [])
        expect_equal(command_is_cached(world, RUN, FILES, **second), not matters)


for row in CHANGES:
    register_change(*row)


@case("key: the name of a file in a copied directory makes another one")
def renamed(world):
    text = "FROM REGISTRY/busybox\nCOPY d /d\nRUN ls /d\n"
    expect(not command_is_cached(world, text, {"d/a": "1"}, then_files={"d/b": "1"}), "it was taken from the cache")


@case("key: where a file comes from does not make another one")
def moved(world):
    expect(
        command_is_cached(world, RUN, FILES, then=RUN.replace("COPY f /f", "COPY d/g /f"),
                          then_files={"d/g": "text\n"}), "it was not taken from the cache")


@case("key: owners of context files on this machine do not count, those they get do")
def owners(world):
    directory = world.new_directory("cache")
    context = world.context(RUN.replace("COPY", "COPY --chown=7:8"), FILES)
    build(world, None, None, directory=directory, context=context).succeeded()
    (context / "f").touch()
    shutil.chown(context / "f", 1234, 1234)
    done = build(world, None, None, directory=directory, context=context).succeeded()
    expect_equal(len(cached_steps(done)), 3)
    dockerfile = context / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().replace("7:8", "7:9"))
    done = build(world, None, None, directory=directory, context=context).succeeded()
    expect_equal(len(cached_steps(done)), 1)


@case("key: what a secret holds does not count, and is in no cache")
def secret(world):
    directory, repository = world.new_directory("cache"), new_repository(world)
    text = "FROM REGISTRY/busybox\nRUN --mount=type=secret,id=k test -s /run/secrets/k && date +%N > /stamp\n"
    for value in ("correct-horse", "battery-staple"):
        done = build(world, text, {}, "--secret=id=k,env=K", directory=directory, repository=repository,
                     environment={"K": value}).succeeded()
    expect_equal(len(cached_steps(done)), 1)
    for place in (directory, world.registry.storage):
        held = [path for path in place.rglob("*") if path.is_file() and b"correct-horse" in path.read_bytes()]
        expect_equal(held, [], "files that hold the secret")


@case("COPY --link stays cached above a command that is run again")
def link_stands_alone(world):
    directory = world.new_directory("cache")
    text = "FROM REGISTRY/busybox\nARG A\nRUN echo $A; date +%N > /stamp\nCOPY --link f /l/f\nCOPY f /f\n"
    build(world, text, None, "--build-arg=A=1", directory=directory).succeeded()
    done = build(world, text, None, "--build-arg=A=2", directory=directory).succeeded()
    expect_equal(cached_steps(done), ["COPY --link f /l/f"])
    expect_equal(done.image.files["/l/f"].text, "text\n")


@case("a step that goes on after cached ones finds their files, on every mode")
def goes_on(world):
    repository = new_repository(world)
    text = "FROM REGISTRY/busybox\nRUN echo 1 > /one\nCOPY f /d/f\n"
    build(world, text, repository=repository).succeeded()
    more = text + "RUN cat /one /d/f > /both && rm /one\nCOPY f /d/g\n"
    done = build(world, more, repository=repository).succeeded()
    expect_equal(len(cached_steps(done)), 2)
    expect_equal(done.image.files["/both"].text, "1\ntext\n")
    placed = world.build_in_place(more + "RUN ls /d\n", FILES, "--cache", f"--cache-repo={repository}").succeeded()
    expect_equal(placed.out.split(), ["f", "g"])
    expect_equal(placed.image.files["/both"].text, "1\ntext\n")


@case("what --cache-run-layers=false and --cache-copy-layers=false leave out is carried out every time")
def left_out(world):
    for flag, cached in (("--cache-run-layers=false", ["WORKDIR /w", "COPY f /f"]),
                         ("--cache-copy-layers=false", ["RUN cat /f && date +%N > /stamp"])):
        directory = world.new_directory("cache")
        for _ in range(2):
            done = build(world, RUN, None, flag, directory=directory).succeeded()
        expect_equal(cached_steps(done), cached, flag)


@case("--no-push-cache reads the repository and adds nothing to it")
def no_push_cache(world):
    repository = new_repository(world)
    build(world, RUN, None, "--no-push-cache", repository=repository).succeeded()
    expect_equal(world.tags(repository.partition("/")[2]), [])
    build(world, RUN, repository=repository).succeeded()
    done = build(world, RUN, None, "--no-push-cache", repository=repository).succeeded()
    expect_equal(len(cached_steps(done)), 3)


@case("an entry that is older than --cache-ttl does not count, and is replaced")
def too_old(world):
    directory = world.new_directory("cache")
    build(world, RUN, directory=directory).succeeded()
    done = build(world, RUN, None, "--cache-ttl=1ns", directory=directory).succeeded()
    expect_equal(cached_steps(done), [])


@case("no cached layer has files that are newer than SOURCE_DATE_EPOCH")
def epoch(world):
    directory = world.new_directory("cache")
    build(world, RUN, directory=directory, environment={"SOURCE_DATE_EPOCH": "1700000000"}).succeeded()
    for second, cached in (("1600000000", 0), ("1800000000", 3)):
        done = build(world, RUN, directory=directory, environment={"SOURCE_DATE_EPOCH": second}).succeeded()
        expect_equal(len(cached_steps(done)), cached, second)


@case("with --reproducible a cached build and a new one have the same digest")
def reproducible(world):
    repository = new_repository(world)
    text = RUN.replace("date +%N > /stamp", "echo > /stamp")
    first = build(world, text, None, "--reproducible", repository=repository).succeeded()
    second = build(world, text, None, "--reproducible", repository=repository).succeeded()
    third = world.build(text, FILES, "--reproducible").succeeded()
    expect_equal(len(cached_steps(second)), 3)
    expect_equal([second.image.digest, third.image.digest], [first.image.digest] * 2)


@case("a cache that cannot be reached is a warning, once")
def unreachable(world):
    done = build(world, RUN, repository=f"127.0.0.1:{registry.free_port()}/cache").succeeded()
    expect_equal(len([line for line in done.err.splitlines() if "/cache is not used: " in line]), 1, done.err)
    expect("Nothing" not in done.err, done.err)


@case("an entry that is damaged is a warning, and the step is carried out")
def damaged(world):
    directory = world.new_directory("cache")
    build(world, RUN, directory=directory).succeeded()
    for path in (directory / "steps").iterdir():
        path.write_text("{")
    done = build(world, RUN, directory=directory).succeeded()
    expect_equal(cached_steps(done), [])


@case("blobs that a cache has lost are made again")
def lost_blobs(world):
    directory = world.new_directory("cache")
    build(world, RUN, directory=directory).succeeded()
    for path in (directory / "blobs/sha256").iterdir():
        path.unlink()
    build(world, RUN, directory=directory).succeeded()
    expect_equal(len(cached_steps(build(world, RUN, directory=directory).succeeded())), 3)


@case("steps before one that fails are in the cache")
def failing_build(world):
    directory = world.new_directory("cache")
    done = build(world, RUN + "RUN false\n", directory=directory)
    expect_equal(done.status, 1)
    expect_equal(len(cached_steps(build(world, RUN, directory=directory).succeeded())), 3)


@case("eight builds at once share one directory and one repository")
def together(world):
    directory, repository = world.new_directory("cache"), new_repository(world)
    text = RUN + "RUN sleep 0.2; echo $((RANDOM)) > /r\n"
    for result in at_once(8, lambda: build(world, text, directory=directory, repository=repository)):
        result.succeeded()
    done = build(world, text, directory=directory, repository=repository).succeeded()
    expect_equal(len(cached_steps(done)), 4)
    expect("Nothing" not in done.err, done.err)


@case("--cache without any place for a cache says what to give")
def no_place(world):
    done = world.build(RUN, FILES, "--cache", isolation="none")
    done.failed("--cache", "hint: ")


if __name__ == "__main__":
    sys.exit(main())
