"""Git repositories, and servers of the real thing that give them: over HTTP, git:// and ssh."""
import base64
import contextlib
import http.server
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import threading
import time

from registry import free_port

BACKEND = pathlib.Path("/usr/lib/git-core/git-http-backend")
SSHD = pathlib.Path("/usr/sbin/sshd")
ENVIRONMENT = {
    "PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com", "GIT_AUTHOR_DATE": "1700000000 +0000",
    "GIT_COMMITTER_DATE": "1700000000 +0000", "GIT_ALLOW_PROTOCOL": "file:http:https:git:ssh",
}


def git(directory: pathlib.Path, *words: str, stdin: bytes = b"", check: bool = True) -> str:
    """What a git command prints, in DIRECTORY, without this machine's settings."""
    done = subprocess.run(["git", "-c", "safe.directory=*", *words], cwd=directory, env=ENVIRONMENT, input=stdin,
                          capture_output=True, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"git {' '.join(words)}: {done.stderr.decode(errors='replace')}")
    return done.stdout.decode(errors="replace").strip()


class Repository:
    """A repository with a work tree at PATH, whose branch is main."""

    def __init__(self, path: pathlib.Path, *, sha256: bool = False):
        self.path = path
        path.mkdir(parents=True)
        git(path, "init", "-q", "-b", "main", "--object-format=" + ("sha256" if sha256 else "sha1"))

    def git(self, *words: str, **how) -> str:
        return git(self.path, *words, **how)

    def commit(self, files: dict, message: str = "a commit") -> str:
        """Writes {path: text, None to remove, or (text, mode)} and commits it; the commit's name."""
        for name, content in files.items():
            path = self.path / name
            if content is None:
                path.unlink()
                continue
            text, mode = content if isinstance(content, tuple) else (content, 0o644)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
            path.chmod(mode)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def add_submodule(self, url: str, path: str, commit: str, name: str | None = None) -> str:
        """Records a submodule as a commit does, whatever its URL is."""
        modules = self.path / ".gitmodules"
        known = modules.read_text() if modules.exists() else ""
        modules.write_text(f'{known}[submodule "{name or path}"]\n\tpath = {path}\n\turl = {url}\n')
        self.git("add", ".gitmodules")
        self.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
        self.git("commit", "-q", "-m", "a submodule")
        return self.git("rev-parse", "HEAD")


class HttpServer:
    """`git http-backend` below /, for repositories in ROOT. `requests` keeps "GET /path" and who asked."""

    def __init__(self, root: pathlib.Path, *, certificate: tuple[pathlib.Path, pathlib.Path] | None = None,
                 authorization: str | None = None, moved: str | None = None):
        self.requests: list[tuple[str, str]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # pylint: disable=invalid-name
                self.answer(b"")

            def do_POST(self):  # pylint: disable=invalid-name
                self.answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def answer(self, body: bytes) -> None:
                outer.requests.append((f"{self.command} {self.path}", self.headers.get("Authorization", "")))
                if moved:
                    self.say(301, [("Location", moved + self.path)], b"")
                elif authorization and self.headers.get("Authorization") != authorization:
                    self.say(401, [("WWW-Authenticate", 'Basic realm="git"')], b"who are you?\n")
                else:
                    self.say(*outer.run(self, body))

            def say(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(OSError):
                    self.wfile.write(body)

            def log_message(self, *_):  # pylint: disable=arguments-differ
                pass

        self.root = root
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"{'https' if certificate else 'http'}://{self.host}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def run(self, handler: http.server.BaseHTTPRequestHandler, body: bytes):
        path, _, query = handler.path.partition("?")
        if "://" in path:  # as a proxy is asked
            path = "/" + path.split("/", 3)[3]
        environment = ENVIRONMENT | {
            "GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
            "REQUEST_METHOD": handler.command, "CONTENT_TYPE": handler.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)), "REMOTE_ADDR": "127.0.0.1",
            "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        done = subprocess.run([str(BACKEND)], env=environment, input=body, capture_output=True, check=False)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
        status = next((int(value.split()[0]) for name, value in headers if name == "Status"), 200)
        return status, [pair for pair in headers if pair[0] != "Status"], content

    def asked(self) -> list[str]:
        """The requests so far."""
        return [line for line, _ in self.requests]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Process:
    """A server in a process of its own, up when its port answers."""

    def __init__(self, words: list[str], port: int, log: pathlib.Path):
        self.port, self.log = port, log
        with log.open("wb") as out:
            self.process = subprocess.Popen(words, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            start_new_session=True)
        for _ in range(200):
            if self.process.poll() is not None:
                raise RuntimeError(f"{words[0]} ended: {log.read_text(errors='replace')[-1000:]}")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            time.sleep(0.05)
        raise RuntimeError(f"{words[0]} does not listen")

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


def daemon(root: pathlib.Path, log: pathlib.Path) -> Process:
    """`git daemon` for the repositories in ROOT."""
    port = free_port()
    return Process(["git", "-c", "safe.directory=*", "daemon", "--reuseaddr", "--export-all", f"--base-path={root}",
                    "--listen=127.0.0.1", f"--port={port}"], port, log)


class SshServer:
    """sshd for the user that runs it, with keys of its own, and an agent that holds one."""

    def __init__(self, directory: pathlib.Path):
        self.directory, self.port = directory, free_port()
        directory.mkdir()
        directory.chmod(0o700)
        for name, kind in (("host", "ed25519"), ("host_rsa", "rsa"), ("user", "ed25519"), ("stranger", "ed25519")):
            subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(directory / name)], check=True)
        shutil.copy(directory / "user.pub", directory / "authorized_keys")
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        config = directory / "sshd_config"
        config.write_text(f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {directory}/host\n"
                          f"HostKey {directory}/host_rsa\nAuthorizedKeysFile {directory}/authorized_keys\n"
                          "PermitRootLogin yes\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n"
                          f"PidFile {directory}/pid\nSetEnv GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory "
                          "GIT_CONFIG_VALUE_0=*\n")
        self.server = Process([str(SSHD), "-D", "-e", "-f", str(config)], self.port, directory / "log")
        self.agents: list[subprocess.Popen] = []
        self.agent = self.new_agent("user")
        self.stranger = self.new_agent("stranger")

    def new_agent(self, key: str) -> pathlib.Path:
        """The socket of an agent that holds KEY."""
        path = self.directory / f"{key}.sock"
        self.agents.append(subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL))
        for _ in range(100):
            if path.exists():
                break
            time.sleep(0.05)
        for _ in range(100):  # the socket is there a little before it is listened to
            added = subprocess.run(["ssh-add", "-q", str(self.directory / key)], check=False,
                                   env=ENVIRONMENT | {"SSH_AUTH_SOCK": str(path)}, stderr=subprocess.DEVNULL)
            if added.returncode == 0:
                return path
            time.sleep(0.05)
        raise RuntimeError("ssh-agent takes no key")

    def known_hosts(self, key: str = "host") -> pathlib.Path:
        """A file that says this server has KEY."""
        path = self.directory / f"known_hosts_{key}"
        kind, text = (self.directory / f"{key}.pub").read_text().split()[:2]
        path.write_text(f"[127.0.0.1]:{self.port} {kind} {text}\n")
        return path

    def close(self) -> None:
        self.server.close()
        for agent in self.agents:
            agent.terminate()
            agent.wait(timeout=10)
