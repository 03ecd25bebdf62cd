"""Servers that stand in for clouds, strict about what they are asked, on the loopback interface."""
import hashlib
import hmac
import http.client
import http.server
import pathlib
import ssl
import threading
import urllib.parse

import certificates


class Refused(Exception):
    """A request that the real server would refuse."""


class Asked:
    """A request: method, path with query, headers, body."""

    def __init__(self, handler: http.server.BaseHTTPRequestHandler):
        self.method, self.path, self.headers = handler.command, handler.path, handler.headers
        self.body = self._read(handler)

    @staticmethod
    def _read(handler) -> bytes:
        if handler.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        body = b""
        while size := int(handler.rfile.readline().split(b";")[0], 16):
            body += handler.rfile.read(size)
            handler.rfile.readline()
        handler.rfile.readline()
        return body

    @property
    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in
                urllib.parse.parse_qs(self.body.decode(), strict_parsing=True).items()}

    def want(self, condition: bool, what: str) -> None:
        if not condition:
            raise Refused(f"{self.method} {self.path}: {what}")

    def want_header(self, name: str, value: str) -> None:
        self.want(self.headers.get(name) == value, f"{name}: {self.headers.get(name)}")


class _Handler(http.server.BaseHTTPRequestHandler):
    """Hands every request to self.answer(asked), which gives status, headers and body."""

    protocol_version = "HTTP/1.1"

    def answer(self, asked: Asked) -> tuple[int, dict, bytes]:
        raise NotImplementedError

    def refused(self, why: str) -> None:
        raise NotImplementedError

    def _serve(self) -> None:
        try:
            status, headers, body = self.answer(Asked(self))
        except Refused as error:
            self.refused(str(error))
            status, headers, body = 400, {}, b'{"message": "refused"}'
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_PATCH = do_DELETE = _serve

    def log_message(self, *_):
        pass


class _Server:
    """Runs until close(). `refusals` says what was asked wrongly."""

    def __init__(self, handler: type):
        self.refusals: list[str] = []
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        self.url = f"http://{self.host}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


class PlainServer(_Server):
    """Plain HTTP: a machine's metadata, Vault. ANSWER(asked) gives status, headers, body, or raises Refused."""

    def __init__(self, answer):
        outer = self

        class Handler(_Handler):
            def answer(self, asked):
                return answer(asked)

            def refused(self, why):
                outer.refusals.append(why)

        super().__init__(Handler)


class CloudFront(_Server):
    """A proxy that takes every CONNECT for itself and speaks TLS as the host that was asked for.

    ROUTES maps hosts to functions like PlainServer's.
    """

    def __init__(self, directory: pathlib.Path, routes: dict):
        authority = certificates.Authority(directory, "cloud-ca")
        names = ",".join(f"DNS:{host}" for host in routes)
        self.certificate = authority.certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("clouds", names))
        outer = self

        class Inner(_Handler):
            def answer(self, asked):
                return routes[self.headers["Host"]](asked)

            def refused(self, why):
                outer.refusals.append(f"{self.headers['Host']}: {why}")

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self):
                host, _, port = self.path.rpartition(":")
                if host not in routes or port != "443":
                    outer.refusals.append(f"CONNECT {self.path}")
                    self.send_error(502)
                    return
                self.send_response(200)
                self.end_headers()
                try:
                    with context.wrap_socket(self.connection, server_side=True) as connection:
                        Inner(connection, self.client_address, self.server)
                except (OSError, ssl.SSLError):
                    pass  # the client has gone
                self.close_connection = True

            def log_message(self, *_):
                pass

        super().__init__(Handler)

    def environment(self) -> dict[str, str]:
        return {"HTTPS_PROXY": self.url, "SSL_CERT_FILE": str(self.certificate)}


def forward(host: str, asked: Asked, headers: dict | None = None) -> tuple[int, dict, bytes]:
    """Has the registry at HOST answer, as a proxy that ends TLS does."""
    connection = http.client.HTTPConnection(host, timeout=30)
    sent = {**dict(asked.headers.items()), "X-Forwarded-Proto": "https", **(headers or {})}
    sent.pop("Transfer-Encoding", None)
    sent["Content-Length"] = str(len(asked.body))
    connection.request(asked.method, asked.path, body=asked.body, headers=sent)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, dict(answer.getheaders()), body


def check_signature(asked: Asked, secret: str, key: str, scope: str) -> None:
    """That AWS would take the request: Signature Version 4 for SCOPE, "region/service"."""
    authorization = asked.headers.get("Authorization", "")
    date = asked.headers.get("X-Amz-Date", "")
    algorithm, _, rest = authorization.partition(" ")
    asked.want(algorithm == "AWS4-HMAC-SHA256", f"algorithm {algorithm}")
    fields = dict(part.strip().split("=", 1) for part in rest.split(","))
    place = f"{date[:8]}/{scope}/aws4_request"
    asked.want(fields["Credential"] == f"{key}/{place}", f"Credential={fields['Credential']}")
    names = fields["SignedHeaders"].split(";")
    asked.want({"host", "x-amz-date"} <= set(names), f"SignedHeaders={names}")
    path, _, query = asked.path.partition("?")
    lines = "".join(f"{name}:{asked.headers[name]}\n" for name in names)
    canonical = "\n".join([asked.method, path, query, lines, fields["SignedHeaders"],
                           hashlib.sha256(asked.body).hexdigest()])
    text = "\n".join([algorithm, date, place, hashlib.sha256(canonical.encode()).hexdigest()])
    signing = f"AWS4{secret}".encode()
    for part in [*place.split("/"), text]:
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    asked.want(signing.hex() == fields["Signature"], "the signature does not match")
