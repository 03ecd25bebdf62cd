"""A token server for docker-registry: the distribution project's token authentication, signed with RS256."""
import base64
import datetime
import http.server
import json
import threading
import time
import urllib.parse

import certificates


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenServer:
    """Hands out tokens to USERS (name -> password) and, for REFRESH_TOKENS (token -> name), by OAuth 2.

    Anonymous callers may pull from repositories that start with "public/". `requests` keeps what was
    asked for: (method, how the caller identified, scopes).
    """

    def __init__(self, authority: certificates.Authority, users: dict[str, str], *,
                 refresh_tokens: dict[str, str] | None = None, life: int = 300):
        self.users, self.refresh_tokens, self.life = users, refresh_tokens or {}, life
        self.certificate, self.key = authority.issue("token-signer", "DNS:token-signer")
        self.bundle = authority.certificate
        self.requests: list[tuple[str, str, list[str]]] = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
                user = outer.basic_user(self.headers.get("Authorization", ""))
                outer.answer(self, "GET", user, query.get("scope", []))

            def do_POST(self):
                form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                user = None
                if form.get("grant_type") == ["refresh_token"]:
                    user = outer.refresh_tokens.get(form["refresh_token"][0])
                outer.answer(self, "POST", user, form.get("scope", [""])[0].split())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def registry_config(self) -> str:
        return (f"auth: {{token: {{realm: 'http://{self.host}/token', service: test-registry, issuer: test-issuer, "
                f"rootcertbundle: {self.bundle}}}}}\n")

    def basic_user(self, header: str) -> str | None:
        """The user's name, "" without any credential, None for a wrong one."""
        if not header:
            return ""
        name, _, password = base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")
        return name if self.users.get(name) == password else None

    def answer(self, handler, method: str, user: str | None, scopes: list[str]) -> None:
        self.requests.append((method, "rejected" if user is None else user or "anonymous", scopes))
        if user is None:
            status, body = 401, {"errors": [{"code": "UNAUTHORIZED", "message": "incorrect username or password"}]}
        else:
            status, body = 200, self.token(user, scopes)
        data = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)

    def token(self, user: str, scopes: list[str]) -> dict:
        now = int(time.time())
        access = []
        for scope in scopes:
            kind, name, actions = scope.rsplit(":", 2) if scope.count(":") > 1 else ("", "", "")
            granted = [a for a in actions.split(",") if user or (a == "pull" and name.startswith("public/"))]
            # A user called "reader" may not push.
            granted = [a for a in granted if a == "pull" or user != "reader"]
            if granted:
                access.append({"type": kind, "name": name, "actions": granted})
        chain = base64.b64encode(certificates.certificate_der(self.certificate)).decode()
        header = {"typ": "JWT", "alg": "RS256", "x5c": [chain]}
        claims = {"iss": "test-issuer", "sub": user, "aud": "test-registry", "iat": now, "nbf": now - 10,
                  "exp": now + 600, "jti": str(time.monotonic_ns()), "access": access}
        message = f"{_b64(json.dumps(header).encode())}.{_b64(json.dumps(claims).encode())}"
        text = f"{message}.{_b64(certificates.sign_rs256(self.key, message.encode()))}"
        issued = datetime.datetime.fromtimestamp(now, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        return {"token": text, "expires_in": self.life, "issued_at": issued}

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
