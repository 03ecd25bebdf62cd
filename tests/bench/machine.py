"""The machine that figures are from: without it they mean nothing."""
import hashlib
import os
import pathlib
import platform
import shutil
import subprocess


def _first_line(*words: str) -> str:
    if shutil.which(words[0]) is None:
        return "not installed"
    done = subprocess.run(words, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return (done.stdout.strip().splitlines() or ["unknown"])[0]


def _processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    kilobytes = int(pathlib.Path("/proc/meminfo").read_text().split()[1])
    return f"{kilobytes / 1e6:.0f} GB"


def busy() -> float:
    """Processes that want a processor, over the last minute: figures count where it is close to 0 at the start."""
    return os.getloadavg()[0]


def describe(file_system: str, programs: dict[str, pathlib.Path]) -> dict[str, str]:
    """PROGRAMS: where executors lie, by the label of their runners."""
    found = {
        "processor": _processor(),
        "CPUs": str(len(os.sched_getaffinity(0))),
        "memory": _memory(),
        "kernel": platform.release(),
        "file system": f"{file_system} for the builders' work and the registry's storage",
        "network": "loopback",
        "load at the start": f"{busy():.2f}",
        "registry": _first_line("docker-registry", "--version"),
        "buildah": _first_line("buildah", "--version"),
    }
    for label, directory in programs.items():
        digest = hashlib.sha256((directory / "executor").read_bytes()).hexdigest()
        version = _first_line(str(directory / "executor"), "version").split()[-1]
        found[f"Cairn {label}".strip()] = f"{version}, SHA-256 {digest[:12]}"
    return found
