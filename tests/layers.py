"""Fails when a floor of src/ includes a floor it may not see, or a library outside its home, or when two files
define a type of one name: the linker keeps one of their functions for both.

usage: layers.py SRC
"""
import pathlib
import re
import sys

MAY_INCLUDE = {
    "util": set(),
    "net": {"util"},
    "oci": {"util"},
    "dockerfile": {"util"},
    "run": {"util"},
    "fs": {"util", "oci"},
    "creds": {"util", "net", "oci"},
    "registry": {"util", "net", "oci", "creds"},
    "context": {"util", "net", "oci", "fs", "creds"},
    "build": {"util", "net", "oci", "dockerfile", "run", "fs", "creds", "registry", "context"},
    "apps": {"util", "net", "oci", "dockerfile", "run", "fs", "creds", "registry", "context", "build"},
}
HOME = {  # header of a third party -> the one file that may include it, or how the names of several begin
    "archive": "fs/archive.cpp",
    "curl/": "net/http_curl.cpp",
    "event2/": "apps/argo/http_server.cpp",
    "cxxopts": "apps/shared/flags.cpp",
    "git2": "context/git2_",
    "isa-l": "fs/gzip.cpp",
    "libssh2": "context/git_ssh.cpp",
    "openssl/": "util/crypto.cpp",
    "rapidjson/": "util/json.cpp",
    "zlib.h": "fs/zlib.cpp",
    "zstd": "fs/zstd.cpp",
}
ALONE = {  # what only one file may begin, because everything that can go wrong with it is dealt with there
    r"std::shared_future<": "util/shared_result.hpp",
    r"std::async\(|std::j?thread(?:\(| \w+\()": "util/threads.",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)


def complaints(name: str, text: str) -> list[str]:
    floor = name.split("/")[0]
    found = []
    for quoted, angled in INCLUDE.findall(text):
        target = quoted.split("/")[0] if "/" in quoted else ""
        if quoted and not target:
            found.append(f'{name}: name the floor in #include "{quoted}"')
        elif target and target != floor and target not in MAY_INCLUDE.get(floor, set()):
            found.append(f"{name}: {floor}/ may not include {target}/")
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


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    texts = {str(path.relative_to(root)): path.read_text(encoding="utf-8")
             for path in sorted(root.rglob("*.[ch]pp"))}
    bad = twins(texts)
    for name, text in texts.items():
        if name.split("/")[0] not in MAY_INCLUDE:
            bad.append(f"{name}: no such floor")
        bad += complaints(name, text)
    print("\n".join(bad) or "floors: ok")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
