"""Fails when a room of src/ includes a room it may not see, or a library outside its home; when units (a header with
its source) include each other in a circle; when a folder has too many files; or when two files define a type of one
name: the linker keeps one of their functions for both.

usage: layers.py SRC
"""
import collections
import pathlib
import re
import sys

# What each room of src/ may include besides itself, lowest first. A room is a floor, or a folder of one that has a
# row of its own.
MAY_INCLUDE = {
    "util": set(),
    "net": {"util"},
    "oci": {"util"},
    "dockerfile/syntax": {"util"},
    "dockerfile/lint": {"util", "dockerfile/syntax"},
    "dockerfile": {"util", "dockerfile/syntax", "dockerfile/lint"},
    "run/mounts": {"util"},
    "run/process": {"util", "run/mounts"},
    "run/sandbox": {"util", "run/mounts", "run/process"},
    "run/supervised": {"util", "run/mounts", "run/process"},
    "run/chroot": {"util", "run/mounts", "run/process", "run/supervised"},
    "run": {"util", "run/mounts", "run/process", "run/sandbox", "run/supervised", "run/chroot"},
    "fs/archive": {"util", "oci"},
    "fs/pattern": {"util"},
    "fs/tree": {"util", "oci", "fs/archive", "fs/pattern"},
    "fs/chunked": {"util", "oci", "fs/archive", "fs/tree"},
    "fs/copy": {"util", "fs/archive", "fs/pattern", "fs/tree"},
    "creds/docker": {"util", "net", "oci"},
    "creds/cloud": {"util", "net", "oci", "creds/docker"},
    "creds": {"util", "net", "oci", "creds/docker", "creds/cloud"},
    "registry": {"util", "net", "oci", "creds"},
    "context": {"util", "net", "oci", "fs", "creds"},
    "context/download": {"util", "net", "oci", "fs", "creds", "context"},
    "context/git": {"util", "net", "oci", "fs", "creds", "context"},
}
# The engine, on all floors above.
BELOW = {"util", "net", "oci", "dockerfile", "run", "fs", "creds", "registry", "context"}
BUILDER = {
    "options": set(),
    "plan": {"options"},
    "store": {"options"},
    "images": {"options", "plan", "store"},
    "layers": {"options", "plan", "store", "images"},
    "cache": {"options", "plan", "store", "images", "layers"},
    "inputs": {"options", "plan", "store"},
    "roots": {"options", "store", "layers"},
    "execute": {"options", "plan", "store", "images", "layers", "cache", "inputs", "roots"},
    "outputs": {"options", "store", "images", "layers"},
    "warm": {"options", "plan", "store", "images", "layers", "cache", "inputs", "roots", "execute"},
}
for room, others in BUILDER.items():
    MAY_INCLUDE[f"builder/{room}"] = BELOW | {f"builder/{other}" for other in others}
MAY_INCLUDE["builder"] = BELOW | {f"builder/{room}" for room in BUILDER}
MAY_INCLUDE["apps"] = BELOW | {"builder"}
MOST_FILES = 45  # in a folder
HOME = {  # header of a third party -> the one file that may include it, or how the names of several begin
    "archive": "fs/archive/archive.cpp",
    "curl/": "net/http_curl.cpp",
    "event2/": "apps/argo/http_server.cpp",
    "cxxopts": "apps/shared/flags.cpp",
    "git2": "context/git/git2_",
    "isa-l": "fs/archive/gzip.cpp",
    "libssh2": "context/git/git_ssh.cpp",
    "openssl/": "util/crypto.cpp",
    "rapidjson/": "util/json.cpp",
    "zlib.h": "fs/archive/zlib.cpp",
    "zstd": "fs/archive/zstd.cpp",
}
ALONE = {  # what only one file may begin, because everything that can go wrong with it is dealt with there
    r"std::shared_future<": "util/shared_result.hpp",
    r"std::async\(|std::j?thread(?:\(| \w+\()": "util/threads.",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)


def room_of(name: str) -> str:
    """The room that a file is in: of the folders above it the lowest one that has a row."""
    folders = name.split("/")[:-1]
    while folders and "/".join(folders) not in MAY_INCLUDE:
        folders.pop()
    return "/".join(folders)


def may_include(room: str, target: str) -> bool:
    """Rooms of another floor may be allowed one by one, or all of them by the floor's name."""
    floor = target.split("/")[0]
    return target == room or target in MAY_INCLUDE[room] or (floor != room.split("/")[0] and floor in MAY_INCLUDE[room])


def complaints(name: str, text: str) -> list[str]:
    room = room_of(name)
    if not room:
        return [f"{name}: no such floor"]
    found = []
    for quoted, angled in INCLUDE.findall(text):
        if quoted and "/" not in quoted:
            found.append(f'{name}: name the floor in #include "{quoted}"')
        elif quoted and not may_include(room, room_of(quoted)):
            found.append(f"{name}: {room}/ may not include {room_of(quoted) or quoted}/")
        for header, home in HOME.items():
            if angled.startswith(header) and not name.startswith(home):
                found.append(f"{name}: <{angled}> belongs in {home} alone")
    for what, home in ALONE.items():
        if re.search(what, text) and not name.startswith(home):
            found.append(f"{name}: {re.search(what, text).group()} belongs in {home} alone")
    return found


ANONYMOUS = re.compile(r"^namespace \{$.*?^\} // namespace$", re.M | re.S)
NAMESPACE = re.compile(r"^namespace ([a-z_:]+) \{$", re.M)
TYPE = re.compile(r"^(?:class|struct|union|enum class) (\w+)(?: final)?\s*(?::(?!:)[^;{]*)?\{", re.M)


def types(text: str) -> set[str]:
    """The types that a file defines where other files see them, by namespace and name."""
    visible = ANONYMOUS.sub("", text)
    inner = NAMESPACE.findall(visible)[1:]
    return {"::".join([*inner, name]) for name in TYPE.findall(visible)}


def twins(texts: dict[str, str]) -> list[str]:
    homes = {}
    for name, text in texts.items():
        for found in types(text):
            homes.setdefault(found, []).append(name)
    return [f"{found} is defined twice: {', '.join(names)}" for found, names in homes.items() if len(names) > 1]


def unit_of(name: str) -> str:
    return re.sub(r"\.[ch]pp$", "", name)


def circles(texts: dict[str, str]) -> list[str]:
    """Units that include each other, each circle once: the first way round that a walk in depth meets."""
    edges = {}
    for name, text in texts.items():
        targets = edges.setdefault(unit_of(name), set())
        targets |= {unit_of(quoted) for quoted, _ in INCLUDE.findall(text) if quoted} - {unit_of(name)}
    found, done = [], set()
    for start in sorted(edges):
        way, rest = [start], [iter(sorted(edges[start]))]
        while way:
            target = next(rest[-1], None)
            if target is None:
                done.add(way.pop())
                rest.pop()
            elif target in way:
                found.append("a circle of includes: " + " -> ".join([*way[way.index(target):], target]))
            elif target in edges and target not in done:
                way.append(target)
                rest.append(iter(sorted(edges[target])))
    return found


def crowds(names) -> list[str]:
    folders = collections.Counter(name.rpartition("/")[0] for name in names)
    return [f"{folder}/: {count} files are more than {MOST_FILES}" for folder, count in folders.items()
            if count > MOST_FILES]


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    texts = {str(path.relative_to(root)): path.read_text(encoding="utf-8")
             for path in sorted(root.rglob("*.[ch]pp"))}
    bad = twins(texts) + circles(texts) + crowds(texts)
    for name, text in texts.items():
        bad += complaints(name, text)
    print("\n".join(bad) or f"floors: ok, {len(MAY_INCLUDE)} rooms: {' '.join(MAY_INCLUDE)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
