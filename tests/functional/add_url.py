#!/usr/bin/env python3
"""ADD of URLs: what becomes of the file, whom it may come from, and what happens when it does not."""
import gzip
import hashlib
import pathlib
import signal
import subprocess
import sys
import time

from support import case, expect, expect_equal, left_in, main
from web_support import TIME, TOKEN, digest, faulty, tar_of, web

import certificates
import registry

def secret_file(world, text: str) -> pathlib.Path:
    path = world.new_directory("secret") / "token"
    path.write_text(text)
    return path


def node(build, path: str):
    return build.image.files[path]


def cached(world, text: str, cache: pathlib.Path, *flags: str, **how):
    return world.files_only(text, None, f"--cache-dir={cache}", *flags, **how)


@case("a download is root's, for root alone, and as old as the server says")
def attributes(world):
    with web(world) as server:
        file = node(world.files_only(f"FROM scratch\nADD {server.url}/f /d/g\n"), "/d/g")
        expect_equal((file.text, file.mode, file.owner, file.mtime), ("content", 0o600, (0, 0), TIME * 10**9))
        undated = node(world.files_only(f"FROM scratch\nADD {server.url}/undated/f /g\n"), "/g")
        expect_equal(undated.mtime, 0, "the time without a Last-Modified")


@case("in a directory a download is called like the last part of the URL's path, decoded")
def name_from_path(world):
    with web(world) as server:
        server.write("a b", "1")
        build = world.files_only(f"FROM REGISTRY/busybox\nADD {server.url}/f?x=y/z {server.url}/a%20b /d/\n"
                                 f"ADD {server.url}/f#part /tmp\n")
        expect_equal([build.image.text(path) for path in ("/d/f", "/d/a b", "/tmp/f")], ["content", "1", "content"])


@case("the name is that of the URL before redirects")
def redirect(world):
    with web(world) as server:
        build = world.files_only(f"FROM scratch\nADD {server.url}/moved /d/\n")
        expect_equal(build.image.text("/d/moved"), "content")
        world.files_only(f"FROM scratch\nADD {server.url}/around /d/\n").failed("Dockerfile:2",
                                                                                "more than 10 redirects")


@case("where the URL has no name the server's suggestion is taken")
def name_from_server(world):
    with web(world, "location = / { try_files /f =404; add_header Content-Disposition 'attachment; filename=\"a b\"'; }"
             ) as server:
        expect_equal(world.files_only(f"FROM scratch\nADD {server.url} /d/\n").image.text("/d/a b"), "content")
        expect_equal(world.files_only(f"FROM scratch\nADD {server.url}/named/f /d/\n").image.text("/d/f"), "content")


@case("a suggested name leads out of no directory")
def hostile_name(world):
    for name, wanted in (("../../etc/passwd", "/d/passwd"), ("/etc/shadow", "/d/shadow"), ("a/", None), ("..", None),
                         ("x/..", None), ("y" * 300, None)):
        with web(world, "location = / { try_files /f =404; add_header Content-Disposition "
                        f"'attachment; filename=\"{name}\"'; }}") as server:
            build = world.files_only(f"FROM scratch\nADD {server.url} /d/\n")
            if wanted is None:
                build.failed("Dockerfile:2", "there is no name for a file in directory '/d'")
            else:
                expect_equal(sorted(build.image.files), ["/d", wanted])


@case("without any name the destination has to be the file")
def no_name(world):
    with web(world, "location = / { try_files /f =404; }") as server:
        world.files_only(f"FROM scratch\nADD {server.url}/ /d/\n").failed("Dockerfile:2", "no name", "destination")
        expect_equal(world.files_only(f"FROM scratch\nADD {server.url}/ /d/g\n").image.text("/d/g"), "content")


@case("an archive stays as it is unless --unpack is given")
def unpack(world):
    with web(world) as server:
        server.write("a.tar.gz", tar_of({"x/y": "text"}))
        plain = world.files_only(
            f"FROM scratch\nADD {server.url}/a.tar.gz /d/\nADD --unpack=false {server.url}/a.tar.gz /e/\n")
        expect_equal(sorted(plain.image.files), ["/d", "/d/a.tar.gz", "/e", "/e/a.tar.gz"])
        build = world.files_only(
            f"FROM scratch\nADD --unpack {server.url}/a.tar.gz /d\nADD --unpack=true {server.url}/f /f\n")
        file = node(build, "/d/x/y")
        expect_equal((file.text, file.mode, file.owner), ("text", 0o640, (7, 8)))
        expect_equal(build.image.text("/f"), "content")


@case("--chown and --chmod change a download, --exclude does not keep it away, --link makes a layer of its own")
def flags(world):
    with web(world) as server:
        build = world.files_only(f"FROM REGISTRY/busybox\nADD --chown=3:4 --chmod=755 --exclude=f {server.url}/f /d/\n"
                                 f"ADD --link {server.url}/f /tmp/\n")
        file = node(build, "/d/f")
        expect_equal((file.mode, file.owner, node(build, "/d").owner), (0o755, (3, 4), (3, 4)))
        expect_equal(node(build, "/tmp/f").mode, 0o600)


@case("downloads, files of the context and here-documents come in one ADD, in their order")
def mixed(world):
    with web(world) as server:
        server.write("g", "second")
        build = world.files_only(
            f"FROM scratch\nADD local {server.url}/f packed.tar {server.url}/g <<doc /d/\ntext\ndoc\n",
            {"local": "here", "packed.tar": tar_of({"p": "unpacked"}, "")})
        expect_equal({path: build.image.text(path) for path in sorted(build.image.files) if path != "/d"},
                     {"/d/doc": "text\n", "/d/f": "content", "/d/g": "second", "/d/local": "here", "/d/p": "unpacked"})
        last = world.files_only(f"FROM scratch\nADD {server.url}/f {server.url}/g /x\n")
        expect_equal(last.image.text("/x"), "second", "of two files for one name the last counts")


@case("variables are expanded, and the history holds what came of it, without the checksum")
def history(world):
    with web(world) as server:
        build = world.files_only(f"FROM scratch\nARG BASE={server.url}\nARG SUM={digest('content')}\n"
                                 "ADD --checksum=$SUM --chmod=600 $BASE/f#x /d/\n")
        expect_equal(build.image.history[-1]["created_by"], f"ADD --chmod=600 {server.url}/f#x /d/ # buildkit")


@case("a checksum is checked, and what has another one is nowhere")
def checksum(world):
    with web(world) as server:
        cache = world.new_directory("cache")
        text = f"FROM scratch\nADD --checksum={{}} {server.url}/f /f\n"
        expect_equal(cached(world, text.format(digest("content")), cache).image.text("/f"), "content")
        other = world.new_directory("cache")
        cached(world, text.format(digest("other")), other).failed(
            "Dockerfile:2", "digest mismatch", digest("content"), f"expected: {digest('other')}")
        expect_equal(list(other.rglob("blobs/sha256/*")), [])


@case("--checksum that can mean nothing is an error before anything is asked")
def bad_checksum(world):
    with web(world) as server:
        good = digest("content")
        for flag, sources, why in ((good, "f", "requires HTTP(S) or Git"), (good, f"{server.url}/f {server.url}/f",
                                                                            "multiple"),
                                   (good, f"{server.url}/f f", "multiple"), ("sha512:" + "0" * 128, f"{server.url}/f",
                                                                             "sha256"), (good[:-1], f"{server.url}/f",
                                                                                         "64 hexa"),
                                   (good.upper(), f"{server.url}/f", "sha256"), ("x", f"{server.url}/f", "sha256")):
            world.files_only(f"FROM scratch\nADD --checksum={flag} {sources} /d/\n",
                             {"f": "x"}).failed("Dockerfile:2", why)
        expect_equal(server.lines(), [])


@case("COPY downloads nothing, and ADD only what is a URL")
def not_a_url(world):
    world.files_only("FROM scratch\nCOPY http://127.0.0.1/f /f\n").failed("Dockerfile:2",
                                                                          "source can't be a URL for COPY")
    world.files_only("FROM scratch\nADD http://[x /f\n").failed("Dockerfile:2", "is not an http or https URL")
    world.files_only("FROM scratch\nADD http:// /f\n").failed("Dockerfile:2", "is not an http or https URL")
    expect_equal(world.files_only("FROM scratch\nADD http /f\n", {"http": "x"}).image.text("/f"), "x")


@case("a token and a header go to their host alone, and are shown nowhere")
def secrets(world):
    with web(world) as server:
        name = secret_file(world, TOKEN + "\n")
        flags = (f"--secret=id=HTTP_AUTH_TOKEN_127.0.0.1,src={name}", "--verbosity=trace")
        build = world.files_only(f"FROM scratch\nADD {server.url}/closed/f /f\n", None, *flags)
        expect_equal(build.image.text("/f"), "content")
        header = world.files_only(f"FROM scratch\nADD {server.url}/basic/f /f\n", None,
                                  "--secret=id=HTTP_AUTH_HEADER_127.0.0.1,env=H", environment={"H": "Basic abc"})
        expect_equal(header.image.text("/f"), "content")
        server.forget()
        world.files_only(f"FROM scratch\nADD http://localhost:{server.port}/f /f\n", None, *flags).succeeded()
        expect_equal([request.authorization for request in server.served()], [""], "what another host was sent")
        shown = build.out + build.err + str(build.image.document)
        expect(TOKEN not in shown, "the token is shown")
        found = subprocess.run(["grep", "-rlF", TOKEN, str(build.layout)], capture_output=True, text=True,
                               check=False).stdout
        expect_equal(found, "", "files with the token")


@case("a redirect takes no secret to another host")
def secret_redirect(world):
    with web(world) as other:
        with web(world, f"location = /away {{ return 307 {other.url}/f; }}") as server:
            build = world.files_only(f"FROM scratch\nADD {server.url}/away /f\n", None,
                                     "--secret=id=HTTP_AUTH_TOKEN_127.0.0.1,env=T", environment={"T": TOKEN})
            expect_equal(build.image.text("/f"), "content")
            expect_equal([request.authorization for request in server.served()], [f"Bearer {TOKEN}"])
            expect_equal([request.authorization for request in other.served()], [""])


@case("a server that wants a token is an error that says how to give one")
def no_secret(world):
    with web(world) as server:
        text = f"FROM scratch\nADD {server.url}/closed/f /f\n"
        world.files_only(text).failed("Dockerfile:2", "401 Unauthorized", "HTTP_AUTH_TOKEN_127.0.0.1")
        build = world.files_only(text, None, "--secret=id=HTTP_AUTH_TOKEN_127.0.0.1,env=T", environment={"T": "wr0ng"})
        build.failed("401 Unauthorized", "the secret for 127.0.0.1 was sent")
        expect("wr0ng" not in build.err, "the secret is shown")


@case("a file that is not there is an error that names the line")
def not_found(world):
    with web(world) as server:
        world.refused(f"FROM scratch\nADD {server.url}/nope /f\n",
                      texts=("Dockerfile:2", f"GET {server.url}/nope", "404 Not Found"))
        expect_equal(server.lines(), ["GET /nope 404"], "it is asked for once")


@case("passwords and keys in a URL are in no message of the program's own")
def redacted(world):
    with web(world) as server:
        url = f"http://ann:pass1234@{server.host}/nope?key=hush5678"
        build = world.files_only("FROM scratch\nARG U\nADD $U /f\n", None, f"--build-arg=U={url}")
        build.failed("Dockerfile:3", "404")
        expect("pass1234" not in build.err and "hush5678" not in build.err, f"a secret is shown: {build.err}")
        expect(server.served()[0].authorization.startswith("Basic "), "the password was not sent")


@case("a password that an argument puts into a URL is in no plan, check or log")
def redacted_plan(world):
    url = "http://ann:pass1234@host.example/f?key=hush5678"
    text = ("FROM scratch AS one\nARG U\nADD $U /f\nADD https://bob:word9012@host.example/g /g\nFROM scratch\n"
            "COPY --from=one /f /f\nCOPY --from=files /x /x\nADD https://eve:git3456@host.example/r.git /r\n")
    flags = [f"--build-arg=U={url}", "--build-context=files=https://cat:ctx7890@host.example/c.tar?sig=sign1111",
             "--verbosity=trace"]
    for mode in ("--dryrun", "--check"):
        build = world.files_only(text, None, *flags, mode, outputs=("--no-push",))
        for secret in ("pass1234", "hush5678", "word9012", "git3456", "ctx7890", "sign1111"):
            expect(secret not in build.out + build.err, f"{mode} shows {secret}: {build.said}")
        expect(mode == "--check" or "http://host.example/f?key=***" in build.out, f"the plan: {build.said}")
    world.need_namespaces()
    build = world.build(
        "FROM REGISTRY/busybox\nRUN : https://dan:run2345@host.example/\nRUN false https://dan:run2345@host/\n")
    expect("run2345" not in build.err and "https://***@host.example/" in build.err, f"a RUN: {build.said}")


@case("a redirect to a link-local address is refused, one from this machine to itself is not")
def led_to_metadata(world):
    for host in ("169.254.169.254", "2852039166", "[::ffff:169.254.169.254]", "[fd00:ec2::254]"):
        with web(world, f"location = /lead {{ return 302 http://{host}/latest/; }}") as server:
            world.refused(f"FROM scratch\nADD {server.url}/lead /f\n",
                          texts=("Dockerfile:2", "must not lead to a link-local address"))
            expect_equal(server.lines(), ["GET /lead 302"], "it is asked for once")
            context = world.files_only(None, None, context=f"{server.url}/lead")
            expect(context.status == 1 and "must not lead" in context.error, f"a context: {context.said}")
    with web(world) as other, web(world,
                                  f"location = /lead {{ return 302 http://localhost:{other.port}/f; }}") as server:
        expect_equal(world.files_only(f"FROM scratch\nADD {server.url}/lead /f\n").image.text("/f"), "content")


@case("an answer of 5xx is asked for again, and for long enough it is status 75")
def server_errors(world):
    with web(world) as server, faulty(server) as proxy:
        proxy.add("GET /f", times=2, status=503)
        build = world.files_only(f"FROM scratch\nADD http://{proxy.host}/f /f\n")
        expect_equal(build.image.text("/f"), "content")
        expect("trying again" in build.err, f"nothing is said of it: {build.err}")
        world.refused(f"FROM scratch\nADD {server.url}/broken /f\n",
                      texts=("Dockerfile:2", "503", "gave up after 4 attempts"), status=75)


@case("a download that breaks off goes on where it broke, when the server can tell that the file is the same")
def resumed(world):
    with web(world) as server, faulty(server) as proxy:
        content = bytes(range(256)) * 8192
        server.write("large", content)
        proxy.add("GET /large", cut_answer_after=500_000)
        proxy.add("GET /large", cut_answer_after=300_000)
        build = world.files_only(f"FROM scratch\nADD http://{proxy.host}/large /f\n")
        expect_equal(node(build, "/f").sha256, hashlib.sha256(content).hexdigest())
        ranges = [headers.get("Range") for headers in proxy.headers_seen]
        expect(ranges[0] is None and ranges[1] and ranges[2] and ranges[1] != ranges[2], f"ranges asked for: {ranges}")


@case("a download that breaks off begins anew where the file has no tag or has changed")
def begun_anew(world):
    with web(world) as server, faulty(server) as proxy:
        content = b"ab" * 400_000
        server.write("large", content)
        for path, pattern in (("/dated/large", {}), ("/large", {"ignore_range": True})):
            proxy.add(f"GET {path}", cut_answer_after=200_000)
            if pattern:
                proxy.add(f"GET {path}", **pattern)
            build = world.files_only(f"FROM scratch\nADD http://{proxy.host}{path} /f\n")
            expect_equal(node(build, "/f").sha256, hashlib.sha256(content).hexdigest())
        proxy.add("GET /large", cut_answer_after=200_000)
        proxy.add("GET /large", status=416)
        build = world.files_only(f"FROM scratch\nADD http://{proxy.host}/large /f\n")
        expect_equal(node(build, "/f").sha256, hashlib.sha256(content).hexdigest())


@case("a connection that is always cut, and a host that does not answer, are status 75")
def unreachable(world):
    with web(world) as server, faulty(server) as proxy:
        proxy.add("GET /f", times=99, cut_answer_after=0)
        world.refused(f"FROM scratch\nADD http://{proxy.host}/f /f\n",
                      texts=("Dockerfile:2", f"GET http://{proxy.host}/f"), status=75)
    nobody = f"127.0.0.1:{registry.free_port()}"
    world.refused(f"FROM scratch\nADD http://{nobody}/f /f\n",
                  texts=("Dockerfile:2", f"GET http://{nobody}/f", "connect"), status=75)


@case("headers without an end are an error")
def huge_header(world):
    with web(world) as server, faulty(server) as proxy:
        proxy.add("GET /f", times=9, status=200, headers={f"X-{n}": "x" * 8000 for n in range(50)})
        world.files_only(f"FROM scratch\nADD http://{proxy.host}/f /f\n").failed("Dockerfile:2", "headers")
        proxy.reset()
        proxy.add("GET /f", times=9, status=200, headers={"X": "x" * 200_000})
        world.files_only(f"FROM scratch\nADD http://{proxy.host}/f /f\n").failed("Dockerfile:2",
                                                                                 "headers that are too large")
        expect_equal(proxy.count("GET /f"), 1, "it is asked for once")
        proxy.reset()
        proxy.add("GET /f", status=200, body=b"1",
                  headers={"ETag": '"' + "e" * 8000 + '"', "Last-Modified": "z" * 8000})
        build = cached(world, f"FROM scratch\nADD http://{proxy.host}/f /f\n", world.new_directory("cache"))
        expect_equal((build.image.text("/f"), node(build, "/f").mtime), ("1", 0))


@case("a part that nobody asked for, and one from elsewhere, are errors")
def wrong_part(world):
    with web(world) as server, faulty(server) as proxy:
        proxy.add("GET /f", status=206, body=b"tent", headers={"Content-Range": "bytes 3-6/7"})
        world.files_only(f"FROM scratch\nADD http://{proxy.host}/f /f\n").failed("Dockerfile:2",
                                                                                 "not the part of the file")


@case("an empty file is a file")
def empty(world):
    with web(world) as server:
        server.write("empty", "")
        build = cached(world, f"FROM scratch\nADD {server.url}/empty /f\n", world.new_directory("cache"))
        expect_equal(node(build, "/f").size, 0)


@case("what a server sends as gzip without being asked is what is inside, as BuildKit has it")
def content_encoding(world):
    with web(world) as server:
        server.write("z", gzip.compress(b"plain text"))
        text = f"FROM scratch\nADD --checksum={digest('plain text')} {server.url}/encoded/z /f\n"
        expect_equal(world.files_only(text).image.text("/f"), "plain text")
        server.write("z", gzip.compress(b"plain text")[:-6])
        world.files_only(text).failed("Dockerfile:2", f"{server.url}/encoded/z")


@case("https is verified: by SSL_CERT_FILE, not by what is allowed for registries")
def tls(world):
    folder = world.new_directory("tls")
    authority = certificates.Authority(folder)
    with web(world, tls=authority.issue("server", "IP:127.0.0.1")) as server:
        text = f"FROM scratch\nADD {server.url}/f /f\n"
        for flag in ("--skip-tls-verify", "--skip-tls-verify-pull", f"--skip-tls-verify-registry={server.host}",
                     f"--registry-certificate={server.host}={authority.certificate}"):
            world.files_only(text, None, flag).failed("Dockerfile:2", "certificate", "SSL_CERT_FILE")
        build = world.files_only(text, environment={"SSL_CERT_FILE": str(authority.certificate)})
        expect_equal(build.image.text("/f"), "content")
        with web(world, f"location = /up {{ return 302 {server.url}/f; }}") as plain:
            world.files_only(f"FROM scratch\nADD {plain.url}/up /f\n",
                             environment={"SSL_CERT_FILE": str(authority.certificate)}).succeeded()


@case("a redirect from https to http is followed only for a file whose checksum is known")
def downgrade(world):
    authority = certificates.Authority(world.new_directory("tls"))
    environment = {"SSL_CERT_FILE": str(authority.certificate)}
    with web(world) as plain:
        with web(world, f"location = /down {{ return 302 {plain.url}/f; }}", tls=authority.issue("server")) as server:
            world.files_only(f"FROM scratch\nADD {server.url}/down /f\n", environment=environment).failed(
                "Dockerfile:2", "leaves TLS", "--checksum")
            expect_equal(plain.lines(), [])
            build = world.files_only(f"FROM scratch\nADD --checksum={digest('content')} {server.url}/down /f\n",
                                     environment=environment)
            expect_equal(build.image.text("/f"), "content")


@case("proxies are those of the executor's environment, not those of commands")
def proxies(world):
    with web(world) as server, faulty(server) as proxy:
        text = "FROM scratch\nADD http://files.example/f /f\n"
        build = world.files_only(text, environment={"HTTP_PROXY": f"http://{proxy.host}"})
        expect_equal(build.image.text("/f"), "content")
        expect_equal(proxy.log, ["GET http://files.example/f 200"])
        proxy.reset()
        world.files_only(f"FROM scratch\nADD {server.url}/f /f\n", None,
                         f"--build-arg=HTTP_PROXY=http://{proxy.host}").succeeded()
        expect_equal(proxy.log, [])


@case("the next build asks whether the file has changed, and downloads it only then")
def kept(world):
    with web(world) as server:
        cache = world.new_directory("cache")
        for path in ("f", "dated/f"):
            text = f"FROM scratch\nADD {server.url}/{path} /f\n"
            server.write("f", "content")
            cached(world, text, cache).succeeded()
            server.forget()
            second = cached(world, text, cache)
            expect_equal((second.image.text("/f"), node(second, "/f").mtime), ("content", TIME * 10**9))
            expect_equal(server.lines(), [f"GET /{path} 304"])
            server.write("f", "changed!", mtime=TIME + 100)
            third = cached(world, text, cache)
            expect_equal((third.image.text("/f"), node(third, "/f").mtime), ("changed!", (TIME + 100) * 10**9))
            expect_equal(server.lines()[1:], [f"GET /{path} 200"])
            expect_equal(left_in(third.work), [])
            server.forget()


@case("with a checksum and a kept file of it nothing is asked")
def kept_checksum(world):
    with web(world) as server:
        cache = world.new_directory("cache")
        cached(world, f"FROM scratch\nADD {server.url}/f /f\n", cache).succeeded()
        server.forget()
        build = cached(world, f"FROM scratch\nADD --checksum={digest('content')} {server.url}/elsewhere /d/\n", cache)
        expect_equal((build.image.text("/d/elsewhere"), node(build, "/d/elsewhere").mtime), ("content", TIME * 10**9))
        expect_equal(server.lines(), [])


@case("a kept file that is damaged is downloaded again")
def kept_damaged(world):
    with web(world) as server:
        cache = world.new_directory("cache")
        text = f"FROM scratch\nADD {server.url}/f /f\n"
        checked = f"FROM scratch\nADD --checksum={digest('content')} {server.url}/f /f\n"
        for again in (text, checked):
            cached(world, text, cache).succeeded()
            blob, = cache.rglob("blobs/sha256/*")
            blob.write_text("evil...")
            server.forget()
            expect_equal(cached(world, again, cache).image.text("/f"), "content")
            expect_equal(server.lines(), ["GET /f 200"])
        for record in cache.rglob("urls/*"):
            record.write_text('{"digest": "sha256:../../x", "name": "../x"')
        server.forget()
        expect_equal(cached(world, text, cache).image.text("/f"), "content")
        expect_equal(server.lines(), ["GET /f 200"])


@case("what is kept of a download with a secret is asked for with a secret, too")
def kept_secret(world):
    with web(world) as server:
        cache = world.new_directory("cache")
        text = f"FROM scratch\nADD {server.url}/closed/f /f\n"
        cached(world, text, cache, "--secret=id=HTTP_AUTH_TOKEN_127.0.0.1,env=T", environment={"T": TOKEN}).succeeded()
        cached(world, text, cache).failed("401")
        found = subprocess.run(["grep", "-rlF", TOKEN, str(cache)], capture_output=True, text=True, check=False).stdout
        expect_equal(found, "", "files of the cache with the token")
        expect_equal(oct((cache / "downloads").stat().st_mode & 0o777), "0o700")


@case("several builds may use one cache at the same time")
def several_builds(world):
    with web(world) as server:
        server.write("g", b"x" * 3_000_000)
        cache, text = world.new_directory("cache"), f"FROM scratch\nADD {server.url}/g {server.url}/f /d/\n"
        context = world.context(text)
        builds = [
            world.start([
                f"--context={context}", f"--kaniko-dir={world.new_directory('work')}", "--isolation=none", "--no-push",
                f"--cache-dir={cache}", f"--tar-path={world.directory}/several{number}.tar"
            ], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for number in range(6)
        ]
        for build in builds:
            said = build.communicate(timeout=60)[0]
            expect_equal(build.returncode, 0, said)
        expect_equal(len(list(cache.rglob("blobs/sha256/*"))), 2)


@case("a cache that cannot be written is a warning")
def no_cache(world):
    with web(world) as server:
        build = world.files_only(f"FROM scratch\nADD {server.url}/f /f\n", None, "--cache-dir=/proc/nowhere")
        expect_equal(build.image.text("/f"), "content")
        expect("downloads are not kept" in build.err, f"nothing is said of it: {build.err}")


@case("a build without downloads asks nobody and makes no place for them")
def nothing_asked(world):
    with web(world) as server:
        cache = world.new_directory("cache")
        text = f"FROM scratch AS unused\nADD {server.url}/f /f\nFROM scratch\nCOPY f /f\n"
        world.files_only(text, {"f": "x"}, f"--cache-dir={cache}").succeeded()
        world.files_only(f"FROM scratch\nADD {server.url}/f /f\n", None, "--dryrun", outputs=("--no-push",)).succeeded()
        expect_equal((server.lines(), list(cache.iterdir())), ([], []))


@case("downloads run at the same time, each file once")
def parallel(world):
    with web(world) as server:
        urls = [server.write(f"slow/{name}", b"x" * 300_000) for name in "abcd"]
        for name in "abcd":
            server.write(name, b"x" * 300_000)
        text = "FROM scratch AS a\n" + "".join(f"ADD {url} /d/\n" for url in urls) + f"FROM a\nADD {urls[0]} /e/\n"
        build = world.files_only(text).succeeded()
        expect_equal(len(build.image.files), 7)
        served = server.served()
        expect_equal(len(served), 4)
        # Each takes about three seconds.
        expect(max(one.begun for one in served) < min(one.ended for one in served), f"one after another: {served}")


@case("downloads begin before the steps above them are done")
def early(world):
    with web(world) as server:
        build = world.build(f"FROM REGISTRY/busybox\nRUN sleep 2; false\nADD {server.url}/f /f\n")
        expect_equal((build.status, server.lines()), (1, ["GET /f 200"]))


@case("a step that fails ends the downloads that nobody needs any more")
def ended(world):
    with web(world) as server, faulty(server) as proxy:
        server.write("large", b"x" * 1_000_000)
        proxy.add("GET /large", times=9, stall_after=1000)
        begin = time.monotonic()
        build = world.build(
            f"FROM REGISTRY/busybox AS a\nRUN sleep 1; false\nFROM scratch\nADD http://{proxy.host}/large /f\n"
            "COPY --from=a / /\n")
        expect_equal(build.status, 1, build.said)
        expect("Dockerfile:2" in build.error, build.said)
        expect(time.monotonic() - begin < 20, "it took as long as the download")
        expect_equal(left_in(build.work), [])


@case("a signal ends a build that waits for a download, and leaves nothing behind")
def interrupted(world):
    with web(world) as server, faulty(server) as proxy:
        server.write("large", b"x" * 1_000_000)
        proxy.add("GET /large", times=9, stall_after=200_000)
        cache, work = world.new_directory("cache"), world.new_directory("work")
        process = world.start([f"--context={world.context(f'FROM scratch{chr(10)}ADD http://{proxy.host}/large /f')}",
                               f"--kaniko-dir={work}", f"--cache-dir={cache}", "--isolation=none", "--no-push"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while not list(cache.rglob(".partial-*")) and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        expect_equal(process.wait(timeout=20), 128 + signal.SIGTERM)
        expect_equal((left_in(work), [path for path in cache.rglob("*") if path.is_file()]), ([], []))


@case("a file of 300 MB takes less than 100 MB of memory, whichever way it goes")
def memory(world):
    with web(world) as server:
        with (server.root / "large").open("wb") as file:
            file.truncate(300 << 20)
        cache = world.new_directory("cache")
        for _ in range(2):
            build = world.files_only(f"FROM scratch\nADD {server.url}/large /f\n", None, f"--cache-dir={cache}",
                                     measure=True,
                                     outputs=("--no-push", f"--tar-path={world.directory}/large.tar")).succeeded()
            expect(0 < build.peak < 100 << 20, f"{build.peak >> 20} MiB at most")


@case("ADD of a URL works in place too, after the container's own files have gone")
def in_place(world):
    with web(world) as server:
        build = world.build_in_place(f"FROM {world.host}/busybox\nRUN true\nADD {server.url}/f /f\nRUN cat /f\n")
        expect_equal(build.succeeded().out, "content")


if __name__ == "__main__":
    sys.exit(main())
