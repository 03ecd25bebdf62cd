"""The builds that are measured: a context with a Dockerfile each, and what it shows."""
import dataclasses
import pathlib
import random
import typing

from base_images import GIB, Base

MIB = 1 << 20


@dataclasses.dataclass(frozen=True)
class Scale:
    """How large the workloads are."""

    name: str
    system: Base           # what small programs are built on
    large: Base            # what large ones are built on
    large_in_layers: Base  # the same files
    files: int             # of a context
    layer_folders: int     # of a hundred files each
    megabytes: int         # that do not compress
    compiler: str          # a command of the large base that writes /usr/local/bin/hello
    turns: int             # of a loop: some seconds of a processor
    large_is: str          # in words
    growth: int            # how many sizes of each series are left out at its end


FULL = Scale("full", Base("debian"), Base("dev"), Base("dev", 8), files=5000, layer_folders=200, megabytes=200,
             compiler="gcc -O2 -o /usr/local/bin/hello hello.c", turns=3_000_000,
             large_is="1.6 GB base, 63,000 files", growth=0)
QUICK = Scale("quick", Base("busybox"), Base("busybox"), Base("busybox", 2), files=50, layer_folders=2, megabytes=2,
              compiler="mkdir -p /usr/local/bin && cp hello.c /usr/local/bin/hello", turns=20_000,
             large_is="small base", growth=3)


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A Dockerfile, in which BASE(n) stands for the n-th of BASES, and what writes the files beside it."""

    dockerfile: str
    bases: tuple[Base, ...]
    files: typing.Callable[[pathlib.Path], None] = lambda _: None
    room: int = 64 * MIB  # bytes of the largest build besides its bases: what is unpacked, made and pushed


@dataclasses.dataclass(frozen=True)
class Workload:
    """One build that is measured again and again."""

    name: str
    shows: str
    recipe: Recipe
    group: str = "plain"
    cache: str = ""  # "", "directory" or "repository": measured is the build that finds its steps there
    size: int = 0    # of a series: how many layers, stages, files, steps

    def write(self, context: pathlib.Path, host: str) -> None:
        """Writes the context; HOST is the registry with the bases."""
        text = self.recipe.dockerfile
        for number, base in enumerate(self.recipe.bases):
            text = text.replace(f"BASE({number})", f"{host}/{base.name}")
        context.mkdir(parents=True)
        (context / "Dockerfile").write_text(text)
        self.recipe.files(context)

    @property
    def room(self) -> int:
        return self.recipe.room


def unpacked(base: Base) -> int:
    """Bytes of the base's files where commands see them, in the most wasteful mode."""
    return {"busybox": 4 * MIB, "debian": 200 * MIB, "dev": 2 * GIB}[base.system]


def sources(count: int) -> typing.Callable[[pathlib.Path], None]:
    """COUNT small files of text, as a repository with JavaScript has them; always the same."""
    def write(context: pathlib.Path) -> None:
        chance = random.Random(1)
        for number in range(count):
            folder = context / f"src/part{number % 50}"
            folder.mkdir(parents=True, exist_ok=True)
            lines = [f"export const value{chance.randrange(10**6)} = {chance.random()};\n"
                     for _ in range(chance.randint(2, 150))]
            (folder / f"module{number}.js").write_text("".join(lines))
    return write


def one_file(name: str, text: str) -> typing.Callable[[pathlib.Path], None]:
    return lambda context: (context / name).write_text(text) and None


def _copy(scale: Scale) -> Recipe:
    return Recipe("FROM BASE(0)\nWORKDIR /app\nCOPY src src\nRUN cat src/part1/*.js > bundle.js\n"
                  "ENV NODE_ENV=production\nCMD [\"cat\", \"/app/bundle.js\"]\n", (scale.system,),
                  sources(scale.files), 100 * MIB + unpacked(scale.system))


def _runs(base: Base) -> Recipe:
    commands = "".join(f"RUN echo {number} > /made{number}\n" for number in range(20))
    return Recipe(f"FROM BASE(0)\n{commands}", (base,), room=unpacked(base) + 64 * MIB)


def _layer(scale: Scale) -> Recipe:
    return Recipe(
        "FROM BASE(0)\n"
        f"RUN mkdir /data && cd /data && for i in $(seq {scale.layer_folders}); do mkdir d$i; "
        "for j in $(seq 100); do echo \"file $j of folder $i\" > d$i/f$j; done; done\n"
        f"RUN head -c {scale.megabytes}000000 /dev/urandom > /data/random\n"
        "RUN rm -rf /data/d1 /data/d2\n", (scale.system,),
        room=unpacked(scale.system) + 4 * scale.megabytes * MIB + scale.layer_folders * MIB)


HELLO = "#include <stdio.h>\nint main(void) {\n  puts(\"hello\");\n}\n"


def _compile(scale: Scale, base: Base) -> Recipe:
    return Recipe(f"FROM BASE(0)\nWORKDIR /src\nCOPY hello.c .\nRUN {scale.compiler}\n"
                  "RUN wc -c /usr/local/bin/hello > /size\nCMD [\"hello\"]\n", (base,), one_file("hello.c", HELLO),
                  2 * unpacked(base) + 64 * MIB)


def _copy_only(scale: Scale) -> Recipe:
    return Recipe("FROM BASE(0)\nWORKDIR /srv\nCOPY app.jar .\nENTRYPOINT [\"java\", \"-jar\", \"/srv/app.jar\"]\n",
                  (scale.large,), one_file("app.jar", "some bytes of a program\n" * 70_000))


def _parallel(scale: Scale) -> Recipe:
    loop = f"i=0; while [ $i -lt {scale.turns} ]; do i=$((i+1)); done; echo $i"
    return Recipe(f"FROM BASE(0) AS one\nRUN {loop} > /one\nFROM BASE(0) AS two\nRUN {loop} > /two\n"
                  "FROM BASE(1)\nCOPY --from=one /one /\nCOPY --from=two /two /\n", (scale.large, scale.system),
                  room=2 * unpacked(scale.large) + 64 * MIB)


def _threefold(scale: Scale) -> Recipe:
    return Recipe("FROM BASE(0) AS one\nRUN echo 1 > /one\nFROM BASE(0) AS two\nRUN echo 2 > /two\nFROM BASE(0)\n"
                  "COPY --from=one /one /\nCOPY --from=two /two /\nRUN echo 3 > /three\n", (scale.large,),
                  room=3 * unpacked(scale.large) + 64 * MIB)


def _builder(scale: Scale) -> Recipe:
    return Recipe(f"FROM BASE(0) AS made\nRUN mkdir /out && head -c {2 * scale.megabytes}000000 /dev/urandom "
                  "> /out/objects && echo done > /out/result\nFROM BASE(0)\nCOPY --from=made /out/result /result\n",
                  (scale.system,), room=2 * unpacked(scale.system) + 6 * scale.megabytes * MIB)


def plain(scale: Scale) -> list[Workload]:
    """Builds that find nothing of an earlier one."""
    small, large, large_is = scale.system, scale.large, scale.large_is
    files = f"{100 * scale.layer_folders:,} files"
    return [
        Workload("copy", f"{scale.files:,} files COPY, one RUN", _copy(scale)),
        Workload("runs", "20 tiny RUNs", _runs(small)),
        Workload("bigruns", f"20 tiny RUNs, {large_is}", _runs(large)),
        Workload("layer", f"{files}, {scale.megabytes} MB random, deletions", _layer(scale)),
        Workload("bigbase", f"{large_is}, a compiler in a RUN", _compile(scale, large)),
        Workload("multi", f"the same in {scale.large_in_layers.layers} layers", _compile(scale, scale.large_in_layers)),
        Workload("copyonly", f"{large_is}, no RUN", _copy_only(scale)),
        Workload("parallel", f"two CPU-bound stages, {large_is}", _parallel(scale)),
        Workload("threefold", f"three stages with a tiny RUN each, {large_is}", _threefold(scale)),
        Workload("builder", f"a stage makes {2 * scale.megabytes} MB, a small file of it is copied", _builder(scale)),
    ]


def cached(scale: Scale) -> list[Workload]:
    """The second build of the same: every step is in a cache."""
    firsts = {"copy": _copy(scale), "runs": _runs(scale.system), "bigbase": _compile(scale, scale.large)}
    return [Workload(f"{name}-{cache}", f"{name} again, steps in a {cache}", recipe, "cached", cache)
            for cache in ("directory", "repository") for name, recipe in firsts.items()]
