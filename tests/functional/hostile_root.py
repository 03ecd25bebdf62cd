#!/usr/bin/env python3
"""A base image unpacked in place owns the libraries and settings beside the executor: none may run inside it.

A static program still obeys /etc/nsswitch.conf and openssl.cnf, and both can name a shared library to load.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

EXECUTOR = pathlib.Path(os.environ["CAIRN_PROGRAMS"]) / "executor"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
SOURCE = """
#include <unistd.h>
__attribute__((constructor)) static void loaded(void) { (void)!write(2, "LOADED\\n", 7); }
int OSSL_provider_init(void) { return 0; }
"""
OPENSSL_CNF = """
openssl_conf = main
[main]
providers = all
[all]
hostile = it
[it]
module = /libnss_hostile.so.2
activate = 1
"""
CASES = {  # a name is looked up; certificates are read, and a digest is taken
    "a name service of the base image is not loaded": "FROM nosuch.invalid/base\n",
    "an OpenSSL module of the base image is not loaded": "FROM scratch\nCOPY Dockerfile /\n",
}


def lacks() -> str:
    if os.getuid() != 0:
        return "root, for chroot and a mount of /proc"
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode:
        return "the right to mount"
    return "" if shutil.which("cc") else "a C compiler"


def make_root(root: pathlib.Path) -> None:
    """The part of a base image that would make a static program load a library."""
    for folder in ("proc", "etc", "kaniko", "context", "etc/ssl/certs", "usr/lib/ssl", "workspace"):
        (root / folder).mkdir(parents=True)
    shutil.copy(EXECUTOR, root / "kaniko/executor")
    (root / "source.c").write_text(SOURCE)
    library = root / "libnss_hostile.so.2"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, root / "source.c"], check=True)
    needed = subprocess.run(["ldd", library], check=True, capture_output=True, text=True).stdout
    for word in needed.split():  # the C library, which the hostile one needs, and its loader
        if word.startswith("/"):
            folder = root / pathlib.Path(word).parent.relative_to("/")
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, folder)
            shutil.copy(library, folder)
    for loader in root.glob("lib64/ld-*"):
        for folder in root.glob("lib/*-linux-gnu"):
            shutil.copy(loader, folder)
    shutil.copy(CERTIFICATES, root / "etc/ssl/certs")
    (root / "etc/nsswitch.conf").write_text("hosts: hostile files dns\n")
    (root / "usr/lib/ssl/openssl.cnf").write_text(OPENSSL_CNF)


def build(root: pathlib.Path, dockerfile: str) -> str:
    (root / "context/Dockerfile").write_text(dockerfile)
    script = f"mount --bind /proc {root}/proc && exec chroot {root} /kaniko/executor " \
        "--context dir:///context --isolation none --no-push --destination it"
    done = subprocess.run(["unshare", "--mount", "sh", "-c", script], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout


def main() -> int:
    failures = 0
    missing = lacks()
    for name, dockerfile in CASES.items():
        if missing:
            print(f"skip {name}: this machine lacks {missing}")
            continue
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            make_root(root)
            output = build(root, dockerfile)
        loaded = "LOADED" in output
        failures += loaded
        print(f"not ok {name}: it ran inside the executor" if loaded else f"ok {name}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
