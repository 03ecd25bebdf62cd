"""What the tests of downloads share: an nginx with odd answers, one whose connections break, archives."""
import contextlib
import hashlib
import io
import tarfile

from support import Skip

import fault_proxy
import web_server

TOKEN = "t0ken-of-the-tests"
TIME = 1_000_000_000
LOCATIONS = """
    location /named/ { alias ROOT/; add_header Content-Disposition 'attachment; filename="given name.txt"'; }
    location /extended/ { alias ROOT/;
        add_header Content-Disposition "attachment; filename=x; filename*=UTF-8''%e2%82%ac.txt"; }
    location /climbing/ { alias ROOT/; add_header Content-Disposition 'attachment; filename="../../etc/passwd"'; }
    location /dots/ { alias ROOT/; add_header Content-Disposition 'attachment; filename=".."'; }
    location /undated/ { alias ROOT/; add_header Last-Modified ""; etag off; }
    location /dated/ { alias ROOT/; etag off; }
    location /encoded/ { alias ROOT/; add_header Content-Encoding gzip; }
    location = /moved { return 302 /f; }
    location = /around { return 302 /around; }
    location /closed/ { alias ROOT/; if ($http_authorization != "Bearer t0ken-of-the-tests") { return 401; } }
    location /basic/ { alias ROOT/; if ($http_authorization != "Basic abc") { return 403; } }
    location /slow/ { alias ROOT/; limit_rate 100k; }
    location = /broken { return 503; }
    location / { try_files $uri =404; }
"""


@contextlib.contextmanager
def web(world, locations: str = "", **how):
    if web_server.PROGRAM is None:
        raise Skip("nginx is not installed")
    directory = world.new_directory("web")
    text = (LOCATIONS + locations).replace("ROOT", str(directory / "www"))
    with contextlib.closing(web_server.WebServer(directory, text, **how)) as server:
        server.write("f", "content")
        yield server


@contextlib.contextmanager
def faulty(server):
    with contextlib.closing(fault_proxy.FaultProxy(server.host)) as proxy:
        yield proxy


def tar_of(files: dict[str, str], compression: str = "gz") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=f"w:{compression}") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.uid, entry.gid, entry.mtime = len(text), 0o640, 7, 8, TIME
            archive.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def digest(content: str | bytes) -> str:
    return "sha256:" + hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
