"""A docker-registry of the tests' own, on a free port of the loopback interface."""
import contextlib
import http.client
import pathlib
import random
import shutil
import socket
import subprocess
import time

PROGRAM = shutil.which("docker-registry") or shutil.which("registry")
MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
             "application/vnd.docker.distribution.manifest.list.v2+json",
             "application/vnd.docker.distribution.manifest.v2+json")
MARK = "?mark="


taken: list[socket.socket] = []  # to the end of this program


def free_port() -> int:
    """A port of the loopback interface that nobody listens on but a server of the caller's: below those that the kernel
    gives to whoever asks for any, and no other test gets it from here, also when that server has ended."""
    while True:
        place = socket.socket()
        try:
            place.bind(("127.0.0.1", random.randrange(10_000, 32_768)))
        except OSError:
            place.close()
            continue
        # Now, not before: the next to ask here must not get it, a server that listens may.
        place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.append(place)
        return place.getsockname()[1]


class Registry:
    """Runs until close(). CONFIG holds further top-level lines of the registry's YAML."""

    def __init__(self, directory: pathlib.Path, *, auth: str = "", tls: str = "", name: str = "registry"):
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.storage = directory / f"{name}-storage"
        self.log = directory / f"{name}.log"
        config = directory / f"{name}.yml"
        config.write_text(
            "version: 0.1\n"
            "log: {level: info, accesslog: {disabled: false}}\n"
            f"storage: {{filesystem: {{rootdirectory: {self.storage}}}, delete: {{enabled: true}}}}\n"
            f"http:\n  addr: {self.host}\n  relativeurls: false\n  secret: test\n{tls}"
            f"{auth}")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([PROGRAM, "serve", str(config)], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError(f"docker-registry ended: {self.log.read_text()[-2000:]}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("docker-registry does not listen")

    def requests(self) -> list[str]:
        """The access log so far: "GET /v2/… 200". It is written a little later than the answers, by as much as the
        machine is busy: so a request of our own has to be in it, and nothing to come after it for a while."""
        mark = self._mark()
        lines = self._logged()
        while True:
            time.sleep(0.1)
            now = self._logged()
            if len(now) == len(lines) and (mark is None or any(mark in line for line in now)):
                return [line for line in now if MARK not in line]
            lines = now

    def _mark(self) -> str | None:
        """Asks for something that nobody else asks for; None when the registry has ended or speaks no plain HTTP."""
        mark = f"{MARK}{time.monotonic_ns()}"
        try:
            ask(self.host, f"/v2/{mark}")
        except (OSError, http.client.HTTPException):
            return None
        return mark

    def _logged(self) -> list[str]:
        lines = []
        for line in self.log.read_text(errors="replace").splitlines():
            parts = line.split('"')
            if len(parts) > 2 and parts[1].endswith("HTTP/1.1"):
                lines.append(f"{parts[1].removesuffix(' HTTP/1.1')} {parts[2].split()[0]}")
        return lines

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


def ask(host: str, path: str) -> tuple[int, bytes]:
    """A plain GET past the client under test: status and body."""
    connection = http.client.HTTPConnection(host, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Accept": ", ".join(MANIFESTS)})
        answer = connection.getresponse()
        return answer.status, answer.read()


def get(host: str, path: str) -> bytes:
    """The body of an answer with status 200."""
    status, body = ask(host, path)
    if status != 200:
        raise RuntimeError(f"GET {path}: {status} {body[:200]!r}")
    return body
