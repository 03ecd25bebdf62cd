"""Builds of which one thing grows, to see how the cost grows with it."""
import pathlib
import typing

from base_images import Base
from workloads import MIB, Recipe, Scale, Workload, unpacked

PER_FOLDER = 1000
BUSYBOX = Base("busybox")


def _files(count: int) -> typing.Callable[[pathlib.Path], None]:
    """COUNT files of a few bytes, a thousand in a folder."""
    def write(context: pathlib.Path) -> None:
        for number in range(count):
            folder = context / f"files/{number // PER_FOLDER}"
            if number % PER_FOLDER == 0:
                folder.mkdir(parents=True)
            (folder / str(number)).write_text(f"{number}\n")
    return write


def _stages(base: Base, count: int) -> Recipe:
    stages = "".join(f"FROM BASE(0) AS stage{n}\nRUN echo {n} > /made{n}\n" for n in range(count))
    copies = "".join(f"COPY --from=stage{n} /made{n} /\n" for n in range(count))
    return Recipe(f"{stages}FROM BASE(0)\n{copies}", (base,), room=(count + 1) * unpacked(base) + 64 * MIB)


def _layers(system: str, count: int) -> Recipe:
    base = Base(system, count)
    return Recipe("FROM BASE(0)\nRUN echo 1 > /made\n", (base,), room=unpacked(base) + 64 * MIB)


def _context(count: int) -> Recipe:
    return Recipe("FROM scratch\nCOPY files /files\n", (), _files(count), room=count * 9000 + 64 * MIB)


def _copies(count: int) -> Recipe:
    steps = "".join(f"COPY files/{n // PER_FOLDER}/{n} /made/{n}\n" for n in range(count))
    return Recipe(f"FROM BASE(0)\n{steps}", (BUSYBOX,), _files(count))


def _commands(count: int) -> Recipe:
    steps = "".join(f"RUN echo {n} > /made{n}\n" for n in range(count))
    return Recipe(f"FROM BASE(0)\n{steps}", (BUSYBOX,), room=count * MIB // 20 + 64 * MIB)


# What grows, how that is called, and the sizes.
LAYERS = ("layers", "layers of one base", (1, 2, 4, 8, 16, 32, 64, 127))
STAGES = ("stages", "stages on one base", (1, 2, 5, 10, 20))
FILES = ("files", "files in the context", (1_000, 10_000, 100_000, 1_000_000))
COPIES = ("copies", "COPY steps", (1, 10, 100, 1_000))
COMMANDS = ("commands", "RUN steps", (1, 10, 100, 1_000))
TITLES = {name: title for name, title, _ in (LAYERS, STAGES, FILES, COPIES, COMMANDS)}


def growing(scale: Scale) -> list[Workload]:
    """All series, each from its smallest size to its largest."""
    system = scale.system
    recipes = ((LAYERS, lambda size: _layers(system.system, size)), (STAGES, lambda size: _stages(system, size)),
               (FILES, _context), (COPIES, _copies), (COMMANDS, _commands))
    return [Workload(f"{name}-{size}", f"{title}: {size:,}", recipe(size), name, size=size)
            for (name, title, sizes), recipe in recipes for size in sizes[:len(sizes) - scale.growth]]
