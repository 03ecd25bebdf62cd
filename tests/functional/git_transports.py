#!/usr/bin/env python3
"""How git repositories are reached: over HTTP with credentials, git:// and ssh, from git's own servers."""
import contextlib
import http.server
import pathlib
import signal
import socket
import subprocess
import sys
import threading

from git_support import TOKEN, Forge, add, expect_unseen, forge, layer_tars, refused, run
from support import case, expect, expect_equal, left_in
from web_support import web

import certificates
import git_servers
from git_servers import Repository, basic


@case("a secret GIT_AUTH_TOKEN opens a private repository, and is nowhere to be seen")
def token(world):
    here = forge(world)
    private = here.start(here.root, authorization=basic("x-access-token", TOKEN))
    for name in ("GIT_AUTH_TOKEN", f"GIT_AUTH_TOKEN.{private.host}", "GIT_AUTH_TOKEN.127.0.0.1"):
        build = add(world, f"{private.url}/app.git", f"--secret=id={name},env=T", "--verbosity=trace",
                    words="--keep-git-dir=true", environment={"T": TOKEN})
        expect_equal(build.image.text("/x/a"), "three\n")
        expect_unseen(build, TOKEN)


@case("a secret GIT_AUTH_HEADER is sent as it is")
def header(world):
    here = forge(world)
    private = here.start(here.root, authorization="Bearer " + TOKEN)
    build = add(world, f"{private.url}/app.git", "--secret=id=GIT_AUTH_HEADER,env=H",
                environment={"H": f"Bearer {TOKEN}\n"})
    expect_equal(build.image.text("/x/a"), "three\n")


@case("a private repository without a credential is an error that names the secret to give")
def no_token(world):
    here = forge(world)
    private = here.start(here.root, authorization=basic("x-access-token", TOKEN))
    refused(world, f"{private.url}/app.git", "401 Unauthorized", f"--secret id=GIT_AUTH_TOKEN.{private.host}")


@case("a wrong token is an error that names the secret and does not show it")
def wrong_token(world):
    here = forge(world)
    private = here.start(here.root, authorization=basic("x-access-token", TOKEN))
    build = refused(world, f"{private.url}/app.git", "401 Unauthorized", "the secret GIT_AUTH_TOKEN",
                    flags=("--secret=id=GIT_AUTH_TOKEN,env=T", "--verbosity=trace"),
                    environment={"T": "wrong-" + TOKEN})
    expect("wrong-" not in build.out + build.err, "the token is in the log")


@case("a token goes to no other host: not to a submodule's, not where a redirect leads")
def token_stays(world):
    here = forge(world)
    other = here.start(here.root)
    private = here.start(here.root, authorization=basic("x-access-token", TOKEN))
    mixed = Repository(here.root / "mixed.git")
    mixed.commit({"a": "a"})
    mixed.add_submodule(f"{other.url}/group/library.git", "lib", here.library.git("rev-parse", "HEAD"))
    flags = ("--secret=id=GIT_AUTH_TOKEN,env=T",)
    add(world, f"{private.url}/mixed.git", *flags, environment={"T": TOKEN})
    moved = here.start(here.root, moved=other.url)
    expect_equal(add(world, f"{moved.url}/app.git", *flags, environment={"T": TOKEN}).image.text("/x/a"), "three\n")
    expect_equal({who for _, who in other.requests}, {""}, "what the other host was told")
    expect(moved.requests[0][1] != "", "the first host was told nothing")


@case("user and password in the URL open a repository, and are nowhere to be seen")
def user_in_url(world):
    here = forge(world)
    private = here.start(here.root, authorization=basic("ann", "p@ss"))
    url = private.url.replace("://", "://ann:p%40ss@")
    build = world.files_only("FROM scratch\nARG REPO\nADD --keep-git-dir=true $REPO /x/\n", None,
                             f"--build-arg=REPO={url}/app.git", "--verbosity=trace")
    expect_equal(build.image.text("/x/a"), "three\n")
    seen = build.out + build.err + build.image.history[-1]["created_by"]
    expect("p%40ss" not in seen and "p@ss" not in seen, "the password can be seen")
    for tar in layer_tars(build.image):
        expect(b"p%40ss" not in tar and b"p@ss" not in tar, "the password is in a layer")


@case("over https the certificate is verified")
def https(world):
    here = forge(world)
    authority = certificates.Authority(world.new_directory("ca"))
    server = here.start(here.root, certificate=authority.issue("server"))
    refused(world, f"{server.url}/app.git", "certificate")
    environment = {"SSL_CERT_FILE": str(authority.certificate)}
    expect_equal(add(world, f"{server.url}/app.git", environment=environment).image.text("/x/a"), "three\n")


@case("a proxy is used for repositories over HTTP")
def proxy(world):
    here = forge(world)
    build = world.files_only("FROM scratch\nADD http://git.invalid/app.git /x/\n", None,
                             environment={"HTTP_PROXY": here.server.url})
    expect_equal(build.image.text("/x/a"), "three\n")
    expect(any("git.invalid" in line for line in here.server.asked()), "the proxy was not asked")


@case("a server that does not speak git is an error that says so")
def not_git(world):
    with web(world) as server:
        server.write("app.git/info/refs", "<html>hello</html>")
        refused(world, f"{server.url}/app.git", "does not speak git's smart protocol")


class EndlessHandler(http.server.BaseHTTPRequestHandler):
    """Tells of branches until nobody listens any more."""

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
        self.end_headers()
        self.wfile.write(b"001e# service=git-upload-pack\n0000")
        with contextlib.suppress(OSError):
            for first in range(0, 1 << 30, 1000):
                names = (f"{'1' * 40} refs/heads/{number:012}\n" for number in range(first, first + 1000))
                self.wfile.write("".join(f"{len(name) + 4:04x}{name}" for name in names).encode())

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@case("a server that tells of branches without end is cut off")
def endless_refs(world):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), EndlessHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        refused(world, f"http://127.0.0.1:{server.server_address[1]}/app.git",
                "the server sends more than any repository is")
    finally:
        server.shutdown()
        server.server_close()


@case("a server that cannot be reached is exit status 75, over HTTP and git://")
def unreachable(world):
    port = git_servers.free_port()
    refused(world, f"http://127.0.0.1:{port}/app.git", "Dockerfile:2", status=75, timeout=90)
    refused(world, f"git://127.0.0.1:{port}/app.git", "Connection refused", status=75, timeout=90)


@case("git://: branches, commits and submodules, from git daemon")
def git_protocol(world):
    here = forge(world)
    url = f"git://127.0.0.1:{here.daemon.port}"
    expect_equal(add(world, f"{url}/app.git#dev").image.text("/x/a"), "dev\n")
    expect_equal(add(world, f"{url}/app.git#{here.first}").image.text("/x/a"), "one\n")
    expect("/x/third/party/lib.h" in add(world, f"{url}/group/parent.git").image.files, "the submodule is missing")
    refused(world, f"{url}/nope.git", "access denied or repository not exported")


def ssh_url(here: Forge, path: str = "app.git") -> str:
    return f"ssh://root@127.0.0.1:{here.ssh.port}{here.root}/{path}"


@case("ssh: with a key of the agent, and the host key that known_hosts names")
def ssh(world):
    here = forge(world)
    for key in ("host", "host_rsa"):
        environment = {"SSH_KNOWN_HOSTS": str(here.ssh.known_hosts(key))}
        build = add(world, ssh_url(here) + "#dev", f"--ssh=default={here.ssh.agent}", environment=environment)
        expect_equal(build.image.text("/x/a"), "dev\n")
        expect("is taken as it is" not in build.err, build.said)
    expect_equal(
        add(world, f"{ssh_url(here)}#{here.first}", f"--ssh=default={here.ssh.agent}").image.text("/x/a"), "one\n")


@case("ssh: SSH_AUTH_SOCK is the agent of --ssh=default")
def ssh_default(world):
    here = forge(world)
    build = add(world, ssh_url(here), "--ssh=default", environment={"SSH_AUTH_SOCK": str(here.ssh.agent)})
    expect_equal(build.image.text("/x/a"), "three\n")
    expect("is taken as it is" in build.err and "SHA256:" in build.err, build.said)


@case("ssh: another host key than the known one, and an unknown host, are errors")
def ssh_host_key(world):
    here = forge(world)
    wrong = here.ssh.directory / "wrong"
    kind, text = (here.ssh.directory / "stranger.pub").read_text().split()[:2]
    wrong.write_text(f"[127.0.0.1]:{here.ssh.port} {kind} {text}\n")
    agent = (f"--ssh=default={here.ssh.agent}",)
    refused(world, ssh_url(here), "its host key SHA256:", "is not the one in known_hosts", flags=agent,
            environment={"SSH_KNOWN_HOSTS": str(wrong)})
    wrong.write_text("")
    refused(world, ssh_url(here), "is not in known_hosts", flags=agent, environment={"SSH_KNOWN_HOSTS": str(wrong)})


@case("ssh: without an agent, and with keys that open nothing, the error says what to give")
def ssh_refused(world):
    here = forge(world)
    refused(world, ssh_url(here), "there is no ssh agent", "--ssh=default")
    refused(world, ssh_url(here), "none of the 1 keys", flags=(f"--ssh=default={here.ssh.stranger}",))


@case("ssh: what the other side says is in the error, and paths are quoted for its shell")
def ssh_errors(world):
    here = forge(world)
    agent = (f"--ssh=default={here.ssh.agent}",)
    refused(world, ssh_url(here, "nope.git"), "does not appear to be a git repository", flags=agent)
    Repository(here.root / "it's $(touch pwned)! .git").commit({"a": "quoted\n"})
    quoted = ssh_url(here, "it's%20$(touch%20pwned)!%20.git")
    build = world.files_only('FROM scratch\nARG REPO\nADD ["$REPO", "/x/"]\n', None, f"--build-arg=REPO={quoted}",
                             *agent)
    expect_equal(build.image.text("/x/a"), "quoted\n")
    expect(not (here.root / "pwned").exists() and not pathlib.Path("/root/pwned").exists(), "a command was run")


@case("ssh: a relative submodule of user@host:path")
def scp_form(world):
    here = forge(world)
    build = add(world, ssh_url(here, "group/parent.git"), f"--ssh=default={here.ssh.agent}")
    expect("/x/third/party/lib.h" in build.image.files, "the submodule is missing")


@case("SIGTERM ends a fetch from a server that has fallen silent")
def cancelled(world):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for scheme in ("http", "git"):
            context = world.context(f"FROM scratch\nADD {scheme}://127.0.0.1:{silent.getsockname()[1]}/a.git /x/\n")
            work = world.new_directory("work")
            process = world.start([f"--context={context}", "--no-push", f"--kaniko-dir={work}", "--isolation=none"],
                                  stderr=subprocess.DEVNULL)
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                expect_equal(process.wait(timeout=20), 128 + signal.SIGTERM)
            expect_equal(left_in(work), [], "left in the work directory")


if __name__ == "__main__":
    sys.exit(run())
