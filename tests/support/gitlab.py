"""GitLab's pipelines without GitLab: gitlab-ci-local, which checks a configuration against GitLab's schema, expands
includes, components and inputs, and runs the jobs in a shell of this machine."""
import os
import pathlib
import re
import shutil
import subprocess

import made_once

VERSION = "4.73.0" # the last one for Node 20
NODE = "20.9.0" # where there is an older one, as Debian 12's


def why_not() -> str:
    """What this machine lacks; "" when it can run."""
    missing = [program for program in ("node", "npm", "rsync", "git", "bash") if shutil.which(program) is None]
    return f"{missing[0]} is not installed" if missing else ""


def npm_package(build: pathlib.Path, name: str, version: str) -> pathlib.Path:
    """The folder of a package, put below BUILD once. @raises RuntimeError when it cannot be had"""
    folder = build / f"{name}-{version}"
    package = folder / "node_modules" / name
    with made_once.lock(folder):
        if not package.exists():
            folder.mkdir(exist_ok=True)
            done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock",
                                   "--prefix", str(folder), f"{name}@{version}"],
                                  capture_output=True, text=True, timeout=300, check=False)
            if done.returncode != 0:
                raise RuntimeError(f"npm cannot install {name}: {done.stderr.strip()[-300:]}")
    return package


def install(build: pathlib.Path) -> list[str]:
    """The words that start the program, which is put below BUILD once. @raises RuntimeError when it cannot be had"""
    script = npm_package(build, "gitlab-ci-local", VERSION) / "dist/index.js"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(re.match(r"v(\d+)", version)[1]) >= 20:
        return ["node", str(script)]
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
    return [str(npm_package(build, f"node-linux-{machine}", NODE) / "bin/node"), str(script)]


class Project:
    """A git repository as a project of gitlab.example.com, with FILES in it."""

    def __init__(self, directory: pathlib.Path, program: list[str], name: str = "team/app"):
        self.directory, self._program = directory, program
        self.git("init", "--quiet", "--initial-branch=main", ".")
        self.git("remote", "add", "origin", f"https://gitlab.example.com/{name}.git")
        self.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")

    def git(self, *words: str) -> None:
        subprocess.run(["git", "-c", "user.name=test", "-c", "user.email=test@example.com", *words],
                       cwd=self.directory, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message=a change")

    def run(self, *words: str, variables: dict[str, str] | None = None,
            environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
        """Runs jobs, all without WORDS, with VARIABLES as the project's and ENVIRONMENT as the machine's."""
        flags = [word for name, value in (variables or {}).items() for word in ("--variable", f"{name}={value}")]
        return subprocess.run([*self._program, "--force-shell-executor", "--shell-isolation", "--no-color", *flags,
                               *words], cwd=self.directory, text=True, capture_output=True, timeout=300, check=False,
                              env={**os.environ, "HOME": str(self.directory.parent), **(environment or {})})
