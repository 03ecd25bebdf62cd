"""A server in front of a registry that breaks what it is told to break. Also answers as an HTTP proxy would."""
import dataclasses
import http.client
import http.server
import re
import socket
import struct
import sys
import threading


@dataclasses.dataclass
class Fault:
    """Happens to the next TIMES requests whose "METHOD path" matches PATTERN."""

    pattern: str
    times: int = 1
    status: int = 0                 # answer with this instead of asking the registry
    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    body: bytes = b""
    cut_answer_after: int = -1      # bytes of the answer's body, then the connection is reset
    cut_request_after: int = -1     # bytes of the request's body, then the connection is reset
    flip_byte: int = -1             # place of a byte in the answer's body to be changed
    ignore_range: bool = False      # answer a Range with everything
    stall_after: int = -1           # bytes of the answer's body, then nothing for a long time
    refuse_above: int = -1          # request bodies that are larger get refuse_with
    refuse_with: tuple[int, bytes] = (413, b"")
    silent: bool = False            # takes the request, and never answers
    trickle: float = 0              # seconds between two bytes of the answer's body


class FaultProxy:
    """Forwards to UPSTREAM ("host:port"); `log` keeps "METHOD path status" of every request."""

    def __init__(self, upstream: str):
        self.upstream, self.faults, self.log = upstream, [], []
        self.headers_seen: list[dict[str, str]] = []
        self.on_request = lambda line: None
        self.lock, self.ending = threading.Lock(), threading.Event()
        outer = self

        class Handler(_Handler):
            proxy = outer

        self.server = _Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def add(self, pattern: str, **what) -> None:
        self.faults.append(Fault(pattern, **what))

    def reset(self) -> None:
        self.faults, self.log, self.headers_seen = [], [], []

    def take(self, line: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times > 0 and re.search(fault.pattern, line):
                    fault.times -= 1
                    return fault
        return None

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, line)) for line in self.log)

    def close(self) -> None:
        self.ending.set()
        self.server.shutdown()
        self.server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Clients that have what they want may hang up."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Cut(Exception):
    pass


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: FaultProxy

    def do_GET(self):
        line = f"{self.command} {self.path}"
        self.proxy.on_request(line)
        fault = self.proxy.take(line) or Fault("", 0)
        with self.proxy.lock:
            self.proxy.headers_seen.append(dict(self.headers))
        try:
            body = self.request_body(fault)
            status, headers, answer = self.forward(fault, body)
        except _Cut:
            self.proxy.log.append(f"{line} cut")
            self.reset_connection()
            return
        if fault.silent:
            self.proxy.log.append(f"{line} silent")
            self.proxy.ending.wait(60)
            self.close_connection = True
            return
        self.proxy.log.append(f"{line} {status}")
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.send_body(fault, answer)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

    def request_body(self, fault: Fault) -> bytes:
        length = int(self.headers.get("Content-Length") or 0)
        if fault.cut_request_after >= 0 and length > fault.cut_request_after:
            self.rfile.read(fault.cut_request_after)
            raise _Cut
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(length)
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def forward(self, fault: Fault, body: bytes):
        if 0 <= fault.refuse_above < len(body):
            status, said = fault.refuse_with
            return status, [("Content-Length", str(len(said)))], said
        if fault.status:
            headers = {"Content-Length": str(len(fault.body)), **fault.headers}
            return fault.status, list(headers.items()), fault.body
        headers = {k: v for k, v in self.headers.items() if k not in ("Connection", "Transfer-Encoding")}
        if fault.ignore_range:
            headers.pop("Range", None)
        connection = http.client.HTTPConnection(self.proxy.upstream, timeout=60)
        path = re.sub("^http://[^/]*", "", self.path)
        connection.request(self.command, path, body=body or None, headers=headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        kept = [(k, v) for k, v in answer.getheaders() if k not in ("Connection", "Transfer-Encoding")]
        return answer.status, kept, data

    def send_body(self, fault: Fault, body: bytes) -> None:
        if fault.flip_byte >= 0:
            body = bytearray(body)
            body[fault.flip_byte] ^= 1
        if fault.cut_answer_after >= 0:
            self.wfile.write(body[:fault.cut_answer_after])
            self.wfile.flush()
            self.reset_connection()
            return
        if fault.stall_after >= 0:
            self.wfile.write(body[:fault.stall_after])
            self.wfile.flush()
            self.proxy.ending.wait(60)
            self.close_connection = True
            return
        if fault.trickle:
            self.trickle(body, fault.trickle)
            return
        self.wfile.write(body)

    def trickle(self, body: bytes, pause: float) -> None:
        try:
            for byte in body:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                if self.proxy.ending.wait(pause):
                    break
        except OSError:
            pass
        self.close_connection = True

    def reset_connection(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RD)
        except OSError:
            pass

    def log_message(self, *_):
        pass
