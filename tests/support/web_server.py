"""An nginx of the tests' own, on free ports of the loopback interface."""
import dataclasses
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

from registry import free_port

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")


@dataclasses.dataclass
class Served:
    """A request that was answered."""

    method: str
    path: str
    status: int
    host: str
    authorization: str
    condition: str  # If-None-Match or If-Modified-Since
    range: str
    ended: float  # seconds since 1970, in milliseconds
    took: float

    @property
    def begun(self) -> float:
        return self.ended - self.took

    @property
    def line(self) -> str:
        return f"{self.method} {self.path} {self.status}"


class WebServer:
    """Serves the files of `root` until close(). LOCATIONS is further configuration of the server; with TLS, a
    certificate and its key, it speaks https."""

    def __init__(self, directory: pathlib.Path, locations: str = "", tls: tuple | None = None):
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if tls else 'http'}://{self.host}"
        self.root = directory / "www"
        self.root.mkdir()
        self.log = directory / "access.log"
        self.errors = directory / "error.log"
        temporary = directory / "temporary"
        temporary.mkdir()
        places = " ".join(f"{kind}_temp_path {temporary}/{kind};"
                          for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        certificate = f"ssl_certificate {tls[0]}; ssl_certificate_key {tls[1]};" if tls else ""
        config = directory / "nginx.conf"
        config.write_text(
            f"daemon off; master_process off; pid {directory}/nginx.pid; error_log {self.errors} warn;\n"
            f"{'user root;' if os.geteuid() == 0 else ''}\n"
            "events {}\n"
            "http {\n"
            "  log_format line escape=json '{\"method\":\"$request_method\",\"path\":\"$request_uri\","
            "\"status\":$status,\"host\":\"$http_host\",\"authorization\":\"$http_authorization\","
            "\"condition\":\"$http_if_none_match$http_if_modified_since\",\"range\":\"$http_range\","
            "\"ended\":$msec,\"took\":$request_time}';\n"
            f"  access_log {self.log} line; {places}\n"
            "  default_type application/octet-stream; types { text/plain txt; }\n"
            f"  server {{\n    listen {self.host}{' ssl' if tls else ''}; root {self.root}; {certificate}\n"
            f"{locations}\n  }}\n}}\n")
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen([PROGRAM, "-p", str(directory), "-c", str(config)], stdout=errors,
                                            stderr=errors, stdin=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError(f"nginx ended: {self.errors.read_text()[-2000:]}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError("nginx does not listen")

    def write(self, name: str, content: str | bytes, mtime: float = 1_000_000_000) -> str:
        """A file to be served; its URL."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (mtime, mtime))
        return f"{self.url}/{name}"

    def served(self) -> list[Served]:
        """The requests since the last call of forget()."""
        return [Served(**json.loads(line)) for line in self.log.read_text().splitlines()]

    def lines(self) -> list[str]:
        return [request.line for request in self.served()]

    def forget(self) -> None:
        # nginx appends, so that it does not notice.
        os.truncate(self.log, 0)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)
